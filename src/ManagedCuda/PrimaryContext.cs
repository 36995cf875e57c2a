using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A device's primary context, which the CUDA libraries share; not made current by its creation.</summary>
public class PrimaryContext : CudaContext
{
    private readonly bool retained;
    private bool released;

    /// <summary>The primary context of device 0.</summary>
    public PrimaryContext()
        : this(0)
    {
    }

    /// <summary>The primary context of a device.</summary>
    /// <exception cref="CudaException">There is no such device.</exception>
    public PrimaryContext(int deviceId)
        : base(FindDevice(deviceId), deviceId)
    {
        CUcontext context = default;
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxRetain(ref context, Device));
        Context = context;
        retained = true;
    }

    /// <summary>The primary context of a device.</summary>
    public PrimaryContext(CUdevice device)
        : this(Ordinal(device))
    {
    }

    /// <summary>Wraps a primary context that was retained elsewhere; <see cref="CudaContext.Dispose()"/> releases it.</summary>
    public PrimaryContext(CUcontext ctx, CUdevice device, int deviceID)
        : base(device, deviceID)
    {
        Context = ctx;
        retained = true;
    }

    /// <summary>How the host waits in a device's primary context, from its next creation on.</summary>
    public static void SetFlags(int deviceID, CUCtxFlags flags) => SetFlags(GetCUdevice(deviceID), flags);

    /// <summary>How the host waits in a device's primary context, from its next creation on.</summary>
    public static void SetFlags(CUdevice device, CUCtxFlags flags) =>
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxSetFlags(device, flags));

    /// <summary>Flags of a device's primary context, and whether it is in use.</summary>
    public static void GetState(int deviceID, out CUCtxFlags flags, out bool active) => GetState(GetCUdevice(deviceID), out flags, out active);

    /// <summary>Flags of a device's primary context, and whether it is in use.</summary>
    public static void GetState(CUdevice device, out CUCtxFlags flags, out bool active)
    {
        CUCtxFlags state = default;
        int inUse = 0;
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxGetState(device, ref state, ref inUse));
        flags = state;
        active = inUse != 0;
    }

    /// <summary>Destroys all that a device's primary context holds.</summary>
    public static void Reset(int deviceID) => Reset(GetCUdevice(deviceID));

    /// <summary>Destroys all that a device's primary context holds.</summary>
    public static void Reset(CUdevice device) => Driver.Check(DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxReset(device));

    /// <inheritdoc/>
    protected override void Dispose(bool fDisposing)
    {
        if (fDisposing && retained && !released)
        {
            released = true;
            DriverAPINativeMethods.ContextManagement.cuDevicePrimaryCtxRelease(Device);
        }

        base.Dispose(fDisposing);
    }

    private static int Ordinal(CUdevice device)
    {
        int count = GetDeviceCount();
        for (int i = 0; i < count; i++)
        {
            if (GetCUdevice(i) == device)
            {
                return i;
            }
        }

        throw new CudaException(CUResult.ErrorInvalidDevice, $"device {device}: there is no such device", null);
    }
}
