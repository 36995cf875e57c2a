using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A driver context on a device: memory, modules and streams belong to it. Copies are done when they return.</summary>
public class CudaContext : IDisposable
{
    private bool disposed;

    /// <summary>Creates a context on device 0 and makes it current.</summary>
    public CudaContext()
        : this(0, CUCtxFlags.SchedAuto, true)
    {
    }

    /// <summary>Creates a context on a device and makes it current.</summary>
    public CudaContext(int deviceId)
        : this(deviceId, CUCtxFlags.SchedAuto, true)
    {
    }

    /// <summary>Takes the current context if it is on the device, else creates one.</summary>
    public CudaContext(int deviceId, bool createNew)
        : this(deviceId, CUCtxFlags.SchedAuto, createNew)
    {
    }

    /// <summary>Creates a context on a device and makes it current.</summary>
    public CudaContext(int deviceId, CUCtxFlags flags)
        : this(deviceId, flags, true)
    {
    }

    /// <summary>Creates a context on a device and makes it current.</summary>
    /// <param name="deviceId">The device's ordinal.</param>
    /// <param name="flags">How the host waits.</param>
    /// <param name="createNew">False: take the current context if it is on the device.</param>
    public CudaContext(int deviceId, CUCtxFlags flags, bool createNew)
        : this(FindDevice(deviceId), deviceId)
    {
        CUcontext context = default;
        if (!createNew)
        {
            Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxGetCurrent(ref context));
            CUdevice current = default;
            if (context.Pointer != 0)
            {
                Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxGetDevice(ref current));
                if (current == Device)
                {
                    Context = context;
                    return;
                }
            }
        }

        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxCreate_v2(ref context, flags, Device));
        Context = context;
        IsContextOwner = true;
    }

    /// <summary>For contexts that are not made by this class.</summary>
    private protected CudaContext(CUdevice device, int deviceId)
    {
        Device = device;
        DeviceId = deviceId;
    }

    /// <summary>The native handle.</summary>
    public CUcontext Context { get; private protected init; }

    /// <summary>The device's native handle.</summary>
    public CUdevice Device { get; }

    /// <summary>The device's ordinal.</summary>
    public int DeviceId { get; }

    /// <summary>True if <see cref="Dispose()"/> destroys the context.</summary>
    public bool IsContextOwner { get; }

    /// <summary>The number of devices.</summary>
    public static int GetDeviceCount()
    {
        Driver.Start();
        int count = 0;
        Driver.Check(DriverAPINativeMethods.DeviceManagement.cuDeviceGetCount(ref count));
        return count;
    }

    /// <summary>A device's native handle.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such device.</exception>
    public static CUdevice GetCUdevice(int deviceId)
    {
        int count = GetDeviceCount();
        return deviceId >= 0 && deviceId < count
            ? FindDevice(deviceId)
            : throw new ArgumentOutOfRangeException(nameof(deviceId), deviceId, $"there are {count} devices, numbered from 0");
    }

    /// <summary>A device's properties.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such device.</exception>
    public static CudaDeviceProperties GetDeviceInfo(int deviceId) => new(GetCUdevice(deviceId));

    /// <summary>A device's name.</summary>
    public static string GetDeviceName(int deviceID) => GetDeviceInfo(deviceID).DeviceName;

    /// <summary>A device's compute capability.</summary>
    public static Version GetDeviceComputeCapability(int deviceID) => GetDeviceInfo(deviceID).ComputeCapability;

    /// <summary>The newest CUDA version that the driver supports; its minor number is the driver's last two digits (12.80).</summary>
    public static Version GetDriverVersion()
    {
        int version = 0;
        Driver.Check(DriverAPINativeMethods.cuDriverGetVersion(ref version));
        return new Version(version / 1000, version % 100);
    }

    /// <summary>The API version that the context was made with.</summary>
    public Version GetAPIVersionOfCurrentContext()
    {
        Alive();
        uint version = 0;
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxGetApiVersion(Context, ref version));
        return new Version((int)version / 1000, (int)version % 100);
    }

    /// <summary>This context's device's properties.</summary>
    public CudaDeviceProperties GetDeviceInfo()
    {
        Alive();
        return new CudaDeviceProperties(Device);
    }

    /// <summary>This context's device's name.</summary>
    public string GetDeviceName() => GetDeviceInfo().DeviceName;

    /// <summary>This context's device's compute capability.</summary>
    public Version GetDeviceComputeCapability() => GetDeviceInfo().ComputeCapability;

    /// <summary>Makes the context current on the calling thread.</summary>
    public void SetCurrent()
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxSetCurrent(Context));
    }

    /// <summary>Makes the context current on the calling thread until <see cref="PopContext"/>.</summary>
    public void PushContext()
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxPushCurrent_v2(Context));
    }

    /// <summary>Takes back <see cref="PushContext"/>.</summary>
    public void PopContext()
    {
        Alive();
        CUcontext popped = default;
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxPopCurrent_v2(ref popped));
    }

    /// <summary>Waits until all work in the current context is done.</summary>
    public void Synchronize()
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxSynchronize());
    }

    /// <summary>A limit of the current context.</summary>
    public SizeT GetLimit(CULimit limit)
    {
        Alive();
        SizeT value = 0;
        Driver.Check(DriverAPINativeMethods.Limits.cuCtxGetLimit(ref value, limit));
        return value;
    }

    /// <summary>Sets a limit of the current context.</summary>
    public void SetLimit(CULimit limit, SizeT value)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Limits.cuCtxSetLimit(limit, value));
    }

    /// <summary>The range of stream priorities; lower numbers come first.</summary>
    public void GetStreamPriorityRange(ref int leastPriority, ref int greatestPriority)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxGetStreamPriorityRange(ref leastPriority, ref greatestPriority));
    }

    /// <summary>Loads a module (PTX, cubin or fatbin) from a file.</summary>
    public CUmodule LoadModule(string modulePath)
    {
        Alive();
        CUmodule module = default;
        Driver.Check(DriverAPINativeMethods.ModuleManagement.cuModuleLoad(ref module, modulePath));
        return module;
    }

    /// <summary>Loads a module from PTX text that ends in a zero byte.</summary>
    public CUmodule LoadModulePTX(byte[] moduleImage)
    {
        Alive();
        CUmodule module = default;
        Driver.Check(DriverAPINativeMethods.ModuleManagement.cuModuleLoadData(ref module, moduleImage));
        return module;
    }

    /// <summary>Loads a module from PTX text that ends in a zero byte.</summary>
    public CUmodule LoadModulePTX(Stream moduleImage) => LoadModulePTX(ReadAll(moduleImage));

    /// <summary>Loads a module from a fatbin.</summary>
    public CUmodule LoadModuleFatBin(byte[] moduleImage)
    {
        Alive();
        CUmodule module = default;
        Driver.Check(DriverAPINativeMethods.ModuleManagement.cuModuleLoadFatBinary(ref module, moduleImage));
        return module;
    }

    /// <summary>Loads a module from a fatbin.</summary>
    public CUmodule LoadModuleFatBin(Stream moduleImage) => LoadModuleFatBin(ReadAll(moduleImage));

    /// <summary>Loads a module from a fatbin and takes a kernel from it.</summary>
    public CudaKernel LoadKernelFatBin(byte[] moduleImage, string kernelName) => new(kernelName, LoadModuleFatBin(moduleImage), this);

    /// <summary>Loads a module from PTX and takes a kernel from it.</summary>
    public CudaKernel LoadKernelPTX(byte[] moduleImage, string kernelName) => new(kernelName, LoadModulePTX(moduleImage), this);

    /// <summary>Unloads a module; its kernels can't be used any more.</summary>
    public void UnloadModule(CUmodule aModule)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.ModuleManagement.cuModuleUnload(aModule));
    }

    /// <summary>Unloads a kernel's module.</summary>
    public void UnloadKernel(CudaKernel aKernel)
    {
        ArgumentNullException.ThrowIfNull(aKernel);
        UnloadModule(aKernel.CUModule);
    }

    /// <summary>Device memory in all, bytes.</summary>
    public SizeT GetTotalDeviceMemorySize() => MemoryInfo().Total;

    /// <summary>Device memory that is free, bytes.</summary>
    public SizeT GetFreeDeviceMemorySize() => MemoryInfo().Free;

    /// <summary>Allocates device memory.</summary>
    /// <exception cref="CudaException">There is not enough; the message says how much was asked for.</exception>
    public CUdeviceptr AllocateMemory(SizeT aSizeInBytes)
    {
        Alive();
        return DeviceMemory.Allocate(aSizeInBytes);
    }

    /// <summary>Frees device memory.</summary>
    public void FreeMemory(CUdeviceptr dBuffer)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemFree_v2(dBuffer));
    }

    /// <summary>Frees device memory in a stream's order.</summary>
    public void FreeMemoryAsync(CUdeviceptr dBuffer, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemFreeAsync(dBuffer, stream));
    }

    /// <summary>Fills memory with a byte.</summary>
    public void ClearMemory(CUdeviceptr aPtr, byte aValue, SizeT aSizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Memset.cuMemsetD8_v2(aPtr, aValue, aSizeInBytes));
    }

    /// <summary>Fills memory with a 16-bit number.</summary>
    public void ClearMemory(CUdeviceptr aPtr, ushort aValue, SizeT aSizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Memset.cuMemsetD16_v2(aPtr, aValue, aSizeInBytes / sizeof(ushort)));
    }

    /// <summary>Fills memory with a 32-bit number.</summary>
    public void ClearMemory(CUdeviceptr aPtr, uint aValue, SizeT aSizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Memset.cuMemsetD32_v2(aPtr, aValue, aSizeInBytes / sizeof(uint)));
    }

    /// <summary>Fills memory with a byte, in a stream.</summary>
    public void ClearMemoryAsync(CUdeviceptr aPtr, byte aValue, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD8Async(aPtr, aValue, aSizeInBytes, stream));
    }

    /// <summary>Fills memory with a 16-bit number, in a stream.</summary>
    public void ClearMemoryAsync(CUdeviceptr aPtr, ushort aValue, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD16Async(aPtr, aValue, aSizeInBytes / sizeof(ushort), stream));
    }

    /// <summary>Fills memory with a 32-bit number, in a stream.</summary>
    public void ClearMemoryAsync(CUdeviceptr aPtr, uint aValue, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD32Async(aPtr, aValue, aSizeInBytes / sizeof(uint), stream));
    }

    /// <summary>From host memory to the device.</summary>
    public void CopyToDevice(CUdeviceptr aDest, IntPtr aSource, SizeT aSizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(aDest, aSource, aSizeInBytes));
    }

    /// <summary>From a host array, all of it, to the device.</summary>
    public void CopyToDevice<T>(CUdeviceptr aDest, T[] aSource)
        where T : struct
    {
        Alive();
        ArgumentNullException.ThrowIfNull(aSource);
        HostMemory.CopyToDevice(aDest, new ReadOnlySpan<T>(aSource));
    }

    /// <summary>From a host value to the device.</summary>
    public void CopyToDevice<T>(CUdeviceptr aDest, T aSource)
        where T : struct
    {
        Alive();
        HostMemory.CopyToDevice(aDest, new ReadOnlySpan<T>(in aSource));
    }

    /// <summary>From the device to host memory.</summary>
    public void CopyToHost(IntPtr aDest, CUdeviceptr aSource, uint aSizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2(aDest, aSource, aSizeInBytes));
    }

    /// <summary>From the device to a host array, all of it.</summary>
    public void CopyToHost<T>(T[] aDest, CUdeviceptr aSource)
        where T : struct
    {
        Alive();
        ArgumentNullException.ThrowIfNull(aDest);
        HostMemory.CopyToHost(new Span<T>(aDest), aSource);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the context if it is owned; a context that is not disposed of lives as long as the process.</summary>
    protected virtual void Dispose(bool fDisposing)
    {
        if (fDisposing && !disposed)
        {
            disposed = true;
            if (IsContextOwner)
            {
                DriverAPINativeMethods.ContextManagement.cuCtxDestroy_v2(Context);
            }
        }
    }

    private protected static CUdevice FindDevice(int deviceId)
    {
        int count = GetDeviceCount();
        if (count == 0)
        {
            throw new CudaException(CUResult.ErrorNoDevice, "cuDeviceGetCount: there is no CUDA device", null);
        }

        CUdevice device = default;
        CUResult result = DriverAPINativeMethods.DeviceManagement.cuDeviceGet(ref device, deviceId);
        return result == CUResult.Success ? device : throw Driver.Failure(result, "cuDeviceGet", $"{deviceId} of {count} devices");
    }

    private void Alive() => ObjectDisposedException.ThrowIf(disposed, this);

    private (SizeT Free, SizeT Total) MemoryInfo()
    {
        Alive();
        SizeT free = 0;
        SizeT total = 0;
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemGetInfo_v2(ref free, ref total));
        return (free, total);
    }

    private static byte[] ReadAll(Stream image)
    {
        ArgumentNullException.ThrowIfNull(image);
        byte[] bytes = new byte[image.Length];
        image.Position = 0;
        image.ReadExactly(bytes);
        return bytes;
    }
}
