using System.Collections;
using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>An array in page-locked host memory. Copies from it and to it run while the host works.</summary>
/// <remarks>Only <see cref="Dispose()"/> frees the memory. The garbage collector must not: a copy may still run.</remarks>
/// <typeparam name="T">The element: a structure without references.</typeparam>
public class CudaPageLockedHostMemory<T> : IDisposable, IEnumerable<T>
    where T : struct
{
    private readonly ulong size;
    private bool disposed;

    /// <summary>Allocates <paramref name="size"/> elements. Their values are undefined.</summary>
    /// <exception cref="CudaException">There is not enough memory. The message has the number of bytes.</exception>
    public CudaPageLockedHostMemory(SizeT size)
    {
        this.size = size;
        ulong bytes = this.size * (ulong)Unsafe.SizeOf<T>();
        IntPtr pointer = 0;
        Driver.Check(
            DriverAPINativeMethods.MemoryManagement.cuMemHostAlloc(ref pointer, bytes, CUMemHostAllocFlags.None), $"{bytes} bytes");
        PinnedHostPointer = pointer;
    }

    /// <summary>The address.</summary>
    public IntPtr PinnedHostPointer { get; }

    /// <summary>One element.</summary>
    public unsafe T this[SizeT index] => Unsafe.ReadUnaligned<T>((byte*)PinnedHostPointer + ((long)index * Unsafe.SizeOf<T>()));

    /// <summary>Copies to the device in a stream. Offsets and size are in bytes.</summary>
    public void AsyncCopyToDevice(CUdeviceptr devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(
            devicePtr + offsetDest, PinnedHostPointer + (nint)(long)offsetSrc, aSizeInBytes, stream));
    }

    /// <summary>Copies from the device in a stream. Offsets and size are in bytes.</summary>
    public void AsyncCopyFromDevice(CUdeviceptr devicePtr, SizeT offsetSrc, SizeT offsetDest, SizeT aSizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2(
            PinnedHostPointer + (nint)(long)offsetDest, devicePtr + offsetSrc, aSizeInBytes, stream));
    }

    /// <inheritdoc/>
    IEnumerator<T> IEnumerable<T>.GetEnumerator()
    {
        for (ulong i = 0; i < size; i++)
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

    /// <summary>Frees the memory.</summary>
    protected virtual void Dispose(bool fDisposing)
    {
        if (fDisposing && !disposed)
        {
            disposed = true;
            DriverAPINativeMethods.MemoryManagement.cuMemFreeHost(PinnedHostPointer);
        }
    }

    private void Alive() => ObjectDisposedException.ThrowIf(disposed, this);
}
