using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>An array in device memory.</summary>
/// <remarks>
/// Only <see cref="Dispose()"/> frees the memory. The garbage collector must not: the address is handed out as a plain number,
/// and work on a stream may still use it.
/// </remarks>
/// <typeparam name="T">The element: a structure without references.</typeparam>
public class CudaDeviceVariable<T> : IDisposable
    where T : struct
{
    private bool disposed;

    /// <summary>Allocates <paramref name="size"/> elements. Their values are undefined.</summary>
    /// <exception cref="CudaException">There is not enough memory. The message has the number of bytes.</exception>
    public CudaDeviceVariable(SizeT size)
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
        {
            throw new ArgumentException($"{typeof(T)} holds references and can't be copied to a device");
        }

        SizeInBytes = (ulong)size * (ulong)Unsafe.SizeOf<T>();
        CUdeviceptr pointer = default;
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemAlloc_v2(ref pointer, SizeInBytes), $"{SizeInBytes} bytes");
        DevicePointer = pointer;
    }

    /// <summary>The address.</summary>
    public CUdeviceptr DevicePointer { get; }

    /// <summary>Bytes of all elements.</summary>
    public SizeT SizeInBytes { get; }

    /// <summary>Copies from a host array, as many elements as both have.</summary>
    public unsafe void CopyToDevice(T[] source)
    {
        Alive();
        ArgumentNullException.ThrowIfNull(source);
        fixed (byte* host = MemoryMarshal.AsBytes(source.AsSpan()))
        {
            Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(DevicePointer, (nint)host, BytesToCopy(source)));
        }
    }

    /// <summary>Copies to a host array, as many elements as both have.</summary>
    public unsafe void CopyToHost(T[] dest)
    {
        Alive();
        ArgumentNullException.ThrowIfNull(dest);
        fixed (byte* host = MemoryMarshal.AsBytes(dest.AsSpan()))
        {
            Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2((nint)host, DevicePointer, BytesToCopy(dest)));
        }
    }

    /// <summary>Copies from device memory in a stream. Offsets and size are in bytes.</summary>
    public void AsyncCopyToDevice(CUdeviceptr source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes, CudaStream stream)
    {
        Alive();
        ArgumentNullException.ThrowIfNull(stream);
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyDtoDAsync_v2(
            DevicePointer + offsetDest, source + offsetSrc, sizeInBytes, stream.Stream));
    }

    /// <summary>Copies from another array in a stream, as many elements as both have.</summary>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> source, CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(source);
        AsyncCopyToDevice(source.DevicePointer, 0, 0, Math.Min((ulong)source.SizeInBytes, (ulong)SizeInBytes), stream);
    }

    /// <summary>Fills the array with a byte, in a stream.</summary>
    public void MemsetAsync(byte aValue, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD8Async(DevicePointer, aValue, SizeInBytes, stream));
    }

    /// <summary>Fills the array with a 32-bit number, in a stream.</summary>
    public void MemsetAsync(uint aValue, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD32Async(DevicePointer, aValue, (ulong)SizeInBytes / sizeof(uint), stream));
    }

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
            DriverAPINativeMethods.MemoryManagement.cuMemFree_v2(DevicePointer);
        }
    }

    private ulong BytesToCopy(T[] host) => Math.Min((ulong)host.LongLength * (ulong)Unsafe.SizeOf<T>(), (ulong)SizeInBytes);

    private void Alive() => ObjectDisposedException.ThrowIf(disposed, this);
}
