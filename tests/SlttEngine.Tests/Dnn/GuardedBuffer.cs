using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Tests.Dnn;

/// <summary>Device memory between two guards: <see cref="CheckGuards"/> fails if a call wrote past either end.</summary>
internal sealed class GuardedBuffer : IDisposable
{
    private const int Guard = 256;
    private const byte Sentinel = 0xa5;
    private const byte Poison = 0xff; // NaN in every type

    private readonly CudaDeviceVariable<byte> memory;
    private readonly int bytes;
    private readonly ComputeType type;

    /// <summary>Memory for numbers, poisoned.</summary>
    public GuardedBuffer(int count, ComputeType type)
        : this(count * type.Size(), type, null)
    {
    }

    /// <summary>Memory that holds these numbers.</summary>
    public GuardedBuffer(float[] values, ComputeType type)
        : this(values.Length * type.Size(), type, Numbers.Encode(values, type))
    {
    }

    private GuardedBuffer(int bytes, ComputeType type, byte[]? content)
    {
        this.bytes = bytes;
        this.type = type;
        byte[] all = new byte[Guard + bytes + Guard];
        all.AsSpan().Fill(Sentinel);
        all.AsSpan(Guard, bytes).Fill(Poison);
        content?.CopyTo(all.AsSpan(Guard));
        memory = new CudaDeviceVariable<byte>(all.Length);
        memory.CopyToDevice(all);
    }

    /// <summary>Memory for a workspace of so many bytes, poisoned.</summary>
    public static GuardedBuffer Workspace(SizeT bytes) => new((int)(long)bytes, ComputeType.Float32, null);

    /// <summary>The first number.</summary>
    public CUdeviceptr Pointer => new(memory.DevicePointer.Pointer + Guard);

    /// <summary>Bytes between the guards.</summary>
    public int Bytes => bytes;

    /// <summary>The numbers; the device must be idle.</summary>
    public float[] Read() => Numbers.Decode(ReadBytes(), type);

    /// <summary>Their bytes; the device must be idle.</summary>
    public byte[] ReadBytes() => ReadAll().AsSpan(Guard, bytes).ToArray();

    /// <summary>Fails if a guard was written to.</summary>
    public void CheckGuards(string what)
    {
        byte[] all = ReadAll();
        Assert.That(all.AsSpan(0, Guard).IndexOfAnyExcept(Sentinel), Is.EqualTo(-1), what + ": written in front");
        Assert.That(all.AsSpan(Guard + bytes).IndexOfAnyExcept(Sentinel), Is.EqualTo(-1), what + ": written behind");
    }

    public void Dispose() => memory.Dispose();

    private byte[] ReadAll()
    {
        byte[] all = new byte[Guard + bytes + Guard];
        memory.CopyToHost(all);
        return all;
    }
}
