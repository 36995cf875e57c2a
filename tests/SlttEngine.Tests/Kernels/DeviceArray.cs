using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Device memory between two guards that a kernel must leave alone.</summary>
internal sealed class DeviceArray<T> : IDisposable
    where T : unmanaged
{
    private const int Guard = 256;
    private const byte Sentinel = 0xa5;
    private const byte Poison = 0xff; // NaN in every number type

    private readonly ComputeDevice device;
    private readonly CudaDeviceVariable<byte> memory;
    private readonly int bytes;

    /// <summary>Poisoned memory for so many elements: a kernel must write every one that it owes.</summary>
    public DeviceArray(ComputeDevice device, int count)
        : this(device, count, [])
    {
    }

    /// <summary>Memory that holds these elements.</summary>
    public DeviceArray(ComputeDevice device, T[] values)
        : this(device, values.Length, values)
    {
    }

    private DeviceArray(ComputeDevice device, int count, T[] values)
    {
        this.device = device;
        bytes = count * Marshal.SizeOf<T>();
        byte[] all = new byte[Guard + bytes + Guard];
        all.AsSpan().Fill(Sentinel);
        all.AsSpan(Guard, bytes).Fill(Poison);
        MemoryMarshal.AsBytes<T>(values).CopyTo(all.AsSpan(Guard));
        memory = new CudaDeviceVariable<byte>(all.Length);
        HostCopy.ToDevice<byte>(device, memory.DevicePointer, all);
    }

    /// <summary>The first element.</summary>
    public DevicePtr<T> Pointer => new(memory.DevicePointer + Guard);

    /// <summary>The elements, once the device is idle; fails if a guard was written to.</summary>
    public T[] Read()
    {
        byte[] all = new byte[Guard + bytes + Guard];
        HostCopy.ToHost<byte>(device, memory.DevicePointer, all);
        Assert.That(all.AsSpan(0, Guard).IndexOfAnyExcept(Sentinel), Is.EqualTo(-1), "written in front of the array");
        Assert.That(all.AsSpan(Guard + bytes).IndexOfAnyExcept(Sentinel), Is.EqualTo(-1), "written behind the array");
        return MemoryMarshal.Cast<byte, T>(all.AsSpan(Guard, bytes)).ToArray();
    }

    public void Dispose() => memory.Dispose();
}
