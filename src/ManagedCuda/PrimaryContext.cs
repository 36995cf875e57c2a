using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A device's primary context, which the CUDA libraries share. <see cref="CudaContext.SetCurrent"/> makes it current.</summary>
public class PrimaryContext : CudaContext
{
    private bool released;

    /// <summary>Retains the primary context of a device.</summary>
    /// <param name="deviceId">The device's number, from 0.</param>
    /// <exception cref="CudaException">There is no such device.</exception>
    public PrimaryContext(int deviceId)
        : this(FindDevice(deviceId))
    {
    }

    private PrimaryContext(CUdevice device)
        : base(device, Retain(device))
    {
    }

    /// <summary>Releases the context. The driver destroys it when nobody retains it any more.</summary>
    protected override void Dispose(bool fDisposing)
    {
        if (fDisposing && !released)
        {
            released = true;
            DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxRelease(Device);
        }

        base.Dispose(fDisposing);
    }

    private static CUdevice FindDevice(int deviceId)
    {
        Driver.Check(DriverAPINativeMethods.cuInit(CUInitializationFlags.None));
        int count = 0;
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGetCount(ref count));
        if (count == 0)
        {
            throw new CudaException(CUResult.ErrorNoDevice, "cuDeviceGetCount: there is no CUDA device", null);
        }

        CUdevice device = default;
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGet(ref device, deviceId), $"{deviceId} of {count} devices");
        return device;
    }

    private static CUcontext Retain(CUdevice device)
    {
        CUcontext context = default;
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxRetain(ref context, device));
        return context;
    }
}
