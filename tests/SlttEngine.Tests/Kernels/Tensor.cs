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

    /// <summary>The first element: a DevicePtr of the compute type.</summary>
    public object Pointer => Typed(type, memory.Pointer.Pointer);

    /// <summary>An address as a DevicePtr of a compute type.</summary>
    public static object Typed(ComputeType type, CUdeviceptr address) => type switch
    {
        ComputeType.Float32 => new DevicePtr<float>(address),
        ComputeType.Float16 => new DevicePtr<Half>(address),
        _ => new DevicePtr<BFloat16>(address),
    };

    public float[] Read() => Numbers.Decode(memory.Read(), type);

    public byte[] ReadBytes() => memory.Read();

    public void Dispose() => memory.Dispose();
}
