using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>What a planned buffer is for; <c>sltt plan</c> adds memory up by it.</summary>
public enum BufferKind
{
    /// <summary>A neuron's membrane potential or a gradient carried from step to step.</summary>
    State,

    /// <summary>Written in forward, read in backward.</summary>
    Saved,

    /// <summary>Input frames, labels, logits and sums of an iteration.</summary>
    Batch,

    /// <summary>Lives within a step; shares memory with others of its kind.</summary>
    Scratch,

    /// <summary>Scratch of one cuDNN call.</summary>
    Workspace,
}

/// <summary>A planned buffer of fixed size on the device; it has an address once the plan is placed.</summary>
public abstract class DeviceBuffer
{
    private CUdeviceptr start;

    private protected DeviceBuffer(string name, BufferKind kind, long bytes, int copies, bool zeroed, bool sideBySide)
    {
        Name = name;
        Kind = kind;
        Bytes = bytes;
        Copies = copies;
        Zeroed = zeroed;
        IsSideBySide = sideBySide;
        Stride = sideBySide ? bytes : Arena.Aligned(bytes);
    }

    /// <summary>What it holds, with the layer's name in front.</summary>
    public string Name { get; }

    /// <summary>The layer that it belongs to; empty if to none.</summary>
    public string Layer { get; init; } = string.Empty;

    /// <summary>What it is for.</summary>
    public BufferKind Kind { get; }

    /// <summary>Bytes of one copy.</summary>
    public long Bytes { get; }

    /// <summary>
    /// 1; C where C steps go through the network side by side; T where backward through time needs every step's value.
    /// </summary>
    public int Copies { get; }

    /// <summary>True if the copies lie one behind the other without a gap, so that one launch sees those of neighbouring steps as one
    /// array.</summary>
    public bool IsSideBySide { get; }

    /// <summary>True if each iteration starts with it set to zero.</summary>
    public bool Zeroed { get; }

    /// <summary>True if other buffers use the same memory at other times.</summary>
    public bool IsScratch => Kind is BufferKind.Scratch or BufferKind.Workspace;

    /// <summary>Bytes of all copies as laid out: each begins at a multiple of 256, unless they lie side by side.</summary>
    public long TotalBytes => Pieces * Arena.Aligned(PieceBytes);

    /// <summary>Parts that begin at a multiple of 256 bytes: each copy is one, or all of them together.</summary>
    internal int Pieces => IsSideBySide ? 1 : Copies;

    /// <summary>Bytes of a part.</summary>
    internal long PieceBytes => IsSideBySide ? Copies * Bytes : Bytes;

    /// <summary>Bytes from one copy to the next; where they do not lie side by side, rounded up and with the guard behind a copy.</summary>
    internal long Stride { get; set; }

    /// <summary>Address of the copy for time step <paramref name="t"/>: where there are fewer copies than steps, they take turns.</summary>
    /// <param name="t">Time step.</param>
    public CUdeviceptr Address(int t) => new((ulong)start.Pointer + (ulong)(Stride * (t % Copies)));

    /// <summary>Address of a part.</summary>
    internal CUdeviceptr PieceAddress(int piece) => new((ulong)start.Pointer + (ulong)(Stride * piece));

    internal void Place(CUdeviceptr address) => start = address;
}

/// <summary>A planned buffer with elements of a known type.</summary>
/// <typeparam name="T">Type of the elements.</typeparam>
public sealed class DeviceBuffer<T> : DeviceBuffer
    where T : unmanaged
{
    internal unsafe DeviceBuffer(string name, BufferKind kind, long count, int copies = 1, bool zeroed = false, bool sideBySide = false)
        : base(name, kind, count * sizeof(T), copies, zeroed, sideBySide)
    {
    }

    /// <summary>Address of the copy for time step <paramref name="t"/>: where there are fewer copies than steps, they take turns.</summary>
    /// <param name="t">Time step.</param>
    public DevicePtr<T> At(int t) => new(Address(t));

    /// <summary>Address of the copy for the step before <paramref name="t"/>; a null pointer before the first.</summary>
    /// <remarks>Where copies take turns, a copy holds its step until the next step that it is for.</remarks>
    /// <param name="t">Time step.</param>
    public DevicePtr<T> Before(int t) => t == 0 ? default : At(t - 1);
}

/// <summary>Buffers that may be absent.</summary>
internal static class OptionalBuffers
{
    /// <summary>Address of the copy for a time step; a null pointer if there is no buffer.</summary>
    public static DevicePtr<T> AtOrNull<T>(this DeviceBuffer<T>? buffer, int t)
        where T : unmanaged => buffer is null ? default : buffer.At(t);

    /// <summary>Those that are there.</summary>
    public static IEnumerable<DeviceBuffer> Present(params DeviceBuffer?[] buffers) => buffers.OfType<DeviceBuffer>();
}
