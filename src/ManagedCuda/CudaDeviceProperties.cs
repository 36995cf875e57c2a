using System.Text;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Properties of a device, read from the driver at creation.</summary>
public class CudaDeviceProperties
{
    internal CudaDeviceProperties(CUdevice device)
    {
        byte[] name = new byte[256];
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGetName(name, name.Length, device));
        DeviceName = Encoding.UTF8.GetString(name.AsSpan(0, Math.Max(0, Array.IndexOf(name, (byte)0))));
        SizeT bytes = 0;
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceTotalMem_v2(ref bytes, device));
        TotalGlobalMemory = bytes;
        MultiProcessorCount = Read(CUDeviceAttribute.MultiProcessorCount, device);
        L2CacheSize = Read(CUDeviceAttribute.L2CacheSize, device);
    }

    /// <summary>The device's name.</summary>
    public string DeviceName { get; }

    /// <summary>Device memory, bytes.</summary>
    public SizeT TotalGlobalMemory { get; }

    /// <summary>Multiprocessors.</summary>
    public int MultiProcessorCount { get; }

    /// <summary>L2 cache, bytes.</summary>
    public int L2CacheSize { get; }

    private static int Read(CUDeviceAttribute attribute, CUdevice device)
    {
        int value = 0;
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGetAttribute(ref value, attribute, device), $"{attribute}");
        return value;
    }
}
