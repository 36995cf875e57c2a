using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Host memory allocated elsewhere that is page-locked while it is registered.</summary>
/// <typeparam name="T">The element: a structure without references.</typeparam>
public class CudaRegisteredHostMemory<T> : IDisposable
    where T : struct
{
    /// <summary>Names host memory; <see cref="Register"/> page-locks it.</summary>
    /// <param name="hostPointer">The address.</param>
    /// <param name="size">Elements.</param>
    public CudaRegisteredHostMemory(IntPtr hostPointer, SizeT size)
    {
        PinnedHostPointer = hostPointer;
        Size = size;
    }

    /// <summary>The address.</summary>
    public IntPtr PinnedHostPointer { get; }

    /// <summary>Elements.</summary>
    public SizeT Size { get; }

    /// <summary>Bytes of all elements.</summary>
    public SizeT SizeInBytes => Size * Unsafe.SizeOf<T>();

    /// <summary>True while the memory is page-locked.</summary>
    public bool IsRegisterd { get; private set; }

    /// <summary>Page-locks the memory.</summary>
    public void Register(CUMemHostRegisterFlags flags)
    {
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemHostRegister(PinnedHostPointer, SizeInBytes, flags));
        IsRegisterd = true;
    }

    /// <summary>Takes back <see cref="Register"/>.</summary>
    public void Unregister()
    {
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemHostUnregister(PinnedHostPointer));
        IsRegisterd = false;
    }

    /// <summary>Copies all to the device.</summary>
    public void SynchronCopyToDevice(CUdeviceptr devicePtr) =>
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(devicePtr, PinnedHostPointer, SizeInBytes));

    /// <summary>Fills all from the device.</summary>
    public void SynchronCopyToHost(CUdeviceptr devicePtr) =>
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2(PinnedHostPointer, devicePtr, SizeInBytes));

    /// <summary>Copies all to the device, in a stream.</summary>
    public void AsyncCopyToDevice(CUdeviceptr devicePtr, CUstream stream) =>
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(devicePtr, PinnedHostPointer, SizeInBytes, stream));

    /// <summary>Fills all from the device, in a stream.</summary>
    public void AsyncCopyFromDevice(CUdeviceptr devicePtr, CUstream stream) =>
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2(PinnedHostPointer, devicePtr, SizeInBytes, stream));

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes back <see cref="Register"/>.</summary>
    protected virtual void Dispose(bool fDisposing)
    {
        if (fDisposing && IsRegisterd)
        {
            IsRegisterd = false;
            DriverAPINativeMethods.MemoryManagement.cuMemHostUnregister(PinnedHostPointer);
        }
    }
}
