using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A driver context on a device. Memory, modules and streams belong to it.</summary>
public class CudaContext : IDisposable
{
    private bool disposed;

    private protected CudaContext(CUdevice device, CUcontext context)
    {
        Device = device;
        Context = context;
    }

    /// <summary>The native handle.</summary>
    public CUcontext Context { get; }

    /// <summary>The device's native handle.</summary>
    public CUdevice Device { get; }

    /// <summary>This context's device's properties.</summary>
    public CudaDeviceProperties GetDeviceInfo()
    {
        Alive();
        return new CudaDeviceProperties(Device);
    }

    /// <summary>Makes the context current on the calling thread.</summary>
    public void SetCurrent()
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxSetCurrent(Context));
    }

    /// <summary>Loads a module from a fatbin.</summary>
    public CUmodule LoadModuleFatBin(byte[] moduleImage)
    {
        Alive();
        CUmodule module = default;
        Driver.Check(DriverAPINativeMethods.ModuleManagement.cuModuleLoadFatBinary(ref module, moduleImage));
        return module;
    }

    /// <summary>All memory of the current context's device, in bytes.</summary>
    public SizeT GetTotalDeviceMemorySize() => MemoryInfo().Total;

    /// <summary>Free memory of the current context's device, in bytes.</summary>
    public SizeT GetFreeDeviceMemorySize() => MemoryInfo().Free;

    /// <summary>Fills memory with a byte, in a stream.</summary>
    public void ClearMemoryAsync(CUdeviceptr aPtr, byte aValue, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD8Async(aPtr, aValue, aSizeInBytes, stream));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Marks the context as disposed of.</summary>
    protected virtual void Dispose(bool fDisposing) => disposed = true;

    private void Alive() => ObjectDisposedException.ThrowIf(disposed, this);

    private (SizeT Free, SizeT Total) MemoryInfo()
    {
        Alive();
        SizeT free = 0;
        SizeT total = 0;
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemGetInfo_v2(ref free, ref total));
        return (free, total);
    }
}
