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

    private protected DeviceBuffer(string name, BufferKind kind, long bytes, int copies, bool zeroed)
    {
        Name = name;
        Kind = kind;
        Bytes = bytes;
        Copies = copies;
        Zeroed = zeroed;
        Stride = Arena.Aligned(bytes);
    }

    /// <summary>What it holds, with the layer's name in front.</summary>
    public string Name { get; }

    /// <summary>The layer that it belongs to; empty if to none.</summary>
    public string Layer { get; init; } = string.Empty;

    /// <summary>What it is for.</summary>
    public BufferKind Kind { get; }

    /// <summary>Bytes of one copy.</summary>
    public long Bytes { get; }

    /// <summary>1, or T where backward through time needs every step's value.</summary>
    public int Copies { get; }

    /// <summary>True if each iteration starts with it set to zero.</summary>
    public bool Zeroed { get; }

    /// <summary>True if other buffers use the same memory at other times.</summary>
    public bool IsScratch => Kind is BufferKind.Scratch or BufferKind.Workspace;

    /// <summary>Bytes of all copies as laid out: each begins at a multiple of 256.</summary>
    public long TotalBytes => Copies * Arena.Aligned(Bytes);

    /// <summary>Bytes from one copy to the next: those of a copy, rounded up, and of the guard behind it if there is one.</summary>
    internal long Stride { get; set; }

    /// <summary>Address of the copy for time step <paramref name="t"/>; with one copy, the copy.</summary>
    /// <param name="t">Time step.</param>
    public CUdeviceptr Address(int t) => new((ulong)start.Pointer + (ulong)(Copies == 1 ? 0 : Stride * t));

    internal void Place(CUdeviceptr address) => start = address;
}

/// <summary>A planned buffer with elements of a known type.</summary>
/// <typeparam name="T">Type of the elements.</typeparam>
public sealed class DeviceBuffer<T> : DeviceBuffer
    where T : unmanaged
{
    internal unsafe DeviceBuffer(string name, BufferKind kind, long count, int copies = 1, bool zeroed = false)
        : base(name, kind, count * sizeof(T), copies, zeroed)
    {
    }

    /// <summary>Address of the copy for time step <paramref name="t"/>; with one copy, the copy.</summary>
    /// <param name="t">Time step.</param>
    public DevicePtr<T> At(int t) => new(Address(t));

    /// <summary>Address of the copy for the step before <paramref name="t"/>; a null pointer before the first.</summary>
    /// <remarks>With one copy, the copy: it holds the step before until it is updated in place.</remarks>
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
