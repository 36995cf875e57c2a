using System.Collections;
using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>An array in page-locked host memory, from which copies run beside the host's work. Offsets are in bytes.</summary>
/// <remarks>Freed by <see cref="Dispose()"/> alone, never by the garbage collector: a copy may still run.</remarks>
/// <typeparam name="T">The element: a structure without references.</typeparam>
public class CudaPageLockedHostMemory<T> : IDisposable, IEnumerable<T>
    where T : struct
{
    private bool disposed;

    /// <summary>Allocates <paramref name="size"/> elements; their values are undefined.</summary>
    public CudaPageLockedHostMemory(SizeT size)
        : this(size, CUMemHostAllocFlags.None)
    {
    }

    /// <summary>Allocates <paramref name="size"/> elements; their values are undefined.</summary>
    public CudaPageLockedHostMemory(SizeT size, CUMemHostAllocFlags allocFlags)
    {
        Size = size;
        PinnedHostPointer = DeviceMemory.AllocateHost(SizeInBytes, allocFlags);
        IsOwner = true;
    }

    /// <summary>Wraps page-locked memory that belongs to someone else.</summary>
    public CudaPageLockedHostMemory(IntPtr hostPointer, SizeT size)
    {
        Size = size;
        PinnedHostPointer = hostPointer;
    }

    /// <summary>The address.</summary>
    public IntPtr PinnedHostPointer { get; }

    /// <summary>Elements.</summary>
    public SizeT Size { get; }

    /// <summary>Bytes of all elements.</summary>
    public SizeT SizeInBytes => Size * Unsafe.SizeOf<T>();

    /// <summary>True if <see cref="Dispose()"/> frees the memory.</summary>
    public bool IsOwner { get; }

    /// <summary>One element.</summary>
    public unsafe T this[SizeT index]
    {
        get => Unsafe.ReadUnaligned<T>((byte*)PinnedHostPointer + ((long)index * Unsafe.SizeOf<T>()));
        set => Unsafe.WriteUnaligned((byte*)PinnedHostPointer + ((long)index * Unsafe.SizeOf<T>()), value);
    }

    /// <summary>Copies all to the device.</summary>
    public void SynchronCopyToDevice(CUdeviceptr devicePtr) => SynchronCopyToDevice(devicePtr, 0, 0, SizeInBytes);

    /// <summary>Copies all to the device.</summary>
    public void SynchronCopyToDevice(CudaDeviceVariable<T> devicePtr) => SynchronCopyToDevice(Native(devicePtr));

    /// <summary>Copies to the device.</summary>
    public void SynchronCopyToDevice(CUdeviceptr devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(devicePtr + offsetDest, PinnedHostPointer + (nint)offsetSrc, aSizeInBytes));
    }

    /// <summary>Copies to the device.</summary>
    public void SynchronCopyToDevice(CudaDeviceVariable<T> devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes) =>
        SynchronCopyToDevice(Native(devicePtr), offsetSrc, offsetDest, aSizeInBytes);

    /// <summary>Fills all from the device.</summary>
    public void SynchronCopyToHost(CUdeviceptr devicePtr) => SynchronCopyToHost(devicePtr, 0, 0, SizeInBytes);

    /// <summary>Fills all from the device.</summary>
    public void SynchronCopyToHost(CudaDeviceVariable<T> devicePtr) => SynchronCopyToHost(Native(devicePtr));

    /// <summary>Copies from the device.</summary>
    public void SynchronCopyToHost(CUdeviceptr devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2(PinnedHostPointer + (nint)offsetDest, devicePtr + offsetSrc, aSizeInBytes));
    }

    /// <summary>Copies from the device.</summary>
    public void SynchronCopyToHost(CudaDeviceVariable<T> devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes) =>
        SynchronCopyToHost(Native(devicePtr), offsetSrc, offsetDest, aSizeInBytes);

    /// <summary>Copies all to the device, in a stream.</summary>
    public void AsyncCopyToDevice(CUdeviceptr devicePtr, CUstream stream) => AsyncCopyToDevice(devicePtr, 0, 0, SizeInBytes, stream);

    /// <summary>Copies all to the device, in a stream.</summary>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> deviceVar, CUstream stream) => AsyncCopyToDevice(Native(deviceVar), stream);

    /// <summary>Copies to the device, in a stream.</summary>
    public void AsyncCopyToDevice(CUdeviceptr devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(devicePtr + offsetDest, PinnedHostPointer + (nint)offsetSrc, aSizeInBytes, stream));
    }

    /// <summary>Copies to the device, in a stream.</summary>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> deviceVar, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes, CUstream stream) =>
        AsyncCopyToDevice(Native(deviceVar), offsetSrc, offsetDest, aSizeInBytes, stream);

    /// <summary>Fills all from the device, in a stream.</summary>
    public void AsyncCopyFromDevice(CUdeviceptr devicePtr, CUstream stream) => AsyncCopyFromDevice(devicePtr, 0, 0, SizeInBytes, stream);

    /// <summary>Fills all from the device, in a stream.</summary>
    public void AsyncCopyFromDevice(CudaDeviceVariable<T> deviceVar, CUstream stream) => AsyncCopyFromDevice(Native(deviceVar), stream);

    /// <summary>Copies from the device, in a stream.</summary>
    public void AsyncCopyFromDevice(CUdeviceptr devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2(PinnedHostPointer + (nint)offsetDest, devicePtr + offsetSrc, aSizeInBytes, stream));
    }

    /// <summary>Copies from the device, in a stream.</summary>
    public void AsyncCopyFromDevice(CudaDeviceVariable<T> deviceVar, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes, CUstream stream) =>
        AsyncCopyFromDevice(Native(deviceVar), offsetSrc, offsetDest, aSizeInBytes, stream);

    /// <summary>The address under which kernels see memory made with <see cref="CUMemHostAllocFlags.DeviceMap"/>.</summary>
    public CUdeviceptr GetDevicePointer()
    {
        Alive();
        CUdeviceptr pointer = default;
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemHostGetDevicePointer_v2(ref pointer, PinnedHostPointer, 0));
        return pointer;
    }

    /// <summary>The flags that the memory was made with.</summary>
    public CUMemHostAllocFlags GetAllocFlags()
    {
        Alive();
        CUMemHostAllocFlags flags = default;
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemHostGetFlags(ref flags, PinnedHostPointer));
        return flags;
    }

    /// <inheritdoc/>
    IEnumerator<T> IEnumerable<T>.GetEnumerator()
    {
        for (long i = 0; i < (long)Size; i++)
        {
            yield return this[i];
        }
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<T>)this).GetEnumerator();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory if it is owned.</summary>
    protected virtual void Dispose(bool fDisposing)
    {
        if (fDisposing && !disposed)
        {
            disposed = true;
            if (IsOwner)
            {
                DriverAPINativeMethods.MemoryManagement.cuMemFreeHost(PinnedHostPointer);
            }
        }
    }

    private static CUdeviceptr Native(CudaDeviceVariable<T> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        return variable.DevicePointer;
    }

    private void Alive() => ObjectDisposedException.ThrowIf(disposed, this);
}
