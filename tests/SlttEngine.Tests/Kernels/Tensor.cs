using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Tests.Dnn;

namespace SlttEngine.Tests.Kernels;

/// <summary>Numbers in device memory, stored in a compute type, between guards.</summary>
internal sealed class Tensor : IDisposable
{
    private readonly ComputeType type;
    private readonly DeviceArray<byte> memory;

    /// <summary>Poisoned memory.</summary>
    public Tensor(ComputeDevice device, ComputeType type, int count)
    {
        this.type = type;
        memory = new(device, count * type.Size());
    }

    /// <summary>Memory that holds these numbers, rounded to the type.</summary>
    public Tensor(ComputeDevice device, ComputeType type, float[] values)
    {
        this.type = type;
        memory = new(device, Numbers.Encode(values, type));
    }

    public CUdeviceptr Pointer => memory.Pointer;

    public float[] Read() => Numbers.Decode(memory.Read(), type);

    public byte[] ReadBytes() => memory.Read();

    public void Dispose() => memory.Dispose();
}
