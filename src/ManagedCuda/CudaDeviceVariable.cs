using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>An array in device memory. Offsets and sizes in bytes are called so; the others are in elements.</summary>
/// <remarks>
/// Device pointers are handed out as plain numbers, so memory is freed by <see cref="Dispose()"/> alone, never by the
/// garbage collector: work on a stream may still use it.
/// </remarks>
/// <typeparam name="T">The element: a structure without references.</typeparam>
public class CudaDeviceVariable<T> : IDisposable
    where T : struct
{
    private bool disposed;

    /// <summary>Allocates <paramref name="size"/> elements; their values are undefined.</summary>
    public CudaDeviceVariable(SizeT size)
    {
        Size = size;
        DevicePointer = DeviceMemory.Allocate(SizeInBytes);
        IsOwner = true;
    }

    /// <summary>Allocates <paramref name="size"/> elements in a stream's order.</summary>
    public CudaDeviceVariable(SizeT size, CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Size = size;
        DevicePointer = DeviceMemory.Allocate(SizeInBytes, stream.Stream);
        IsOwner = true;
    }

    /// <summary>Wraps a whole allocation that belongs to someone else.</summary>
    public CudaDeviceVariable(CUdeviceptr devPtr)
        : this(devPtr, false)
    {
    }

    /// <summary>Wraps a whole allocation.</summary>
    public CudaDeviceVariable(CUdeviceptr devPtr, bool isOwner)
        : this(devPtr, isOwner, AllocationSize(devPtr))
    {
    }

    /// <summary>Wraps <paramref name="size"/> bytes that belong to someone else.</summary>
    public CudaDeviceVariable(CUdeviceptr devPtr, SizeT size)
        : this(devPtr, false, size)
    {
    }

    /// <summary>Wraps <paramref name="size"/> bytes.</summary>
    /// <exception cref="CudaException">That is not a whole number of elements.</exception>
    public CudaDeviceVariable(CUdeviceptr devPtr, bool isOwner, SizeT size)
    {
        DevicePointer = devPtr;
        Size = DeviceMemory.Elements(size, Unsafe.SizeOf<T>());
        IsOwner = isOwner;
    }

    /// <summary>A global variable of a module.</summary>
    public CudaDeviceVariable(CUmodule module, string name)
    {
        CUdeviceptr pointer = default;
        SizeT bytes = 0;
        CUResult result = DriverAPINativeMethods.ModuleManagement.cuModuleGetGlobal_v2(ref pointer, ref bytes, module, name);
        if (result != CUResult.Success)
        {
            throw Driver.Failure(result, "cuModuleGetGlobal_v2", name);
        }

        DevicePointer = pointer;
        Size = DeviceMemory.Elements(bytes, Unsafe.SizeOf<T>());
    }

    /// <summary>A global variable of a kernel's module.</summary>
    public CudaDeviceVariable(CudaKernel kernel, string name)
        : this(kernel?.CUModule ?? throw new ArgumentNullException(nameof(kernel)), name)
    {
    }

    /// <summary>The address.</summary>
    public CUdeviceptr DevicePointer { get; }

    /// <summary>Elements.</summary>
    public SizeT Size { get; }

    /// <summary>Bytes of all elements.</summary>
    public SizeT SizeInBytes => Size * TypeSize;

    /// <summary>Bytes of an element.</summary>
    public SizeT TypeSize => Unsafe.SizeOf<T>();

    /// <summary>True if <see cref="Dispose()"/> frees the memory.</summary>
    public bool IsOwner { get; private set; }

    /// <summary>One element; each access is a copy over the bus.</summary>
    public T this[SizeT index]
    {
        get
        {
            T value = default;
            CopyToHost(ref value, index * TypeSize);
            return value;
        }
        set => CopyToDevice(value, index * TypeSize);
    }

    /// <summary>A new host array with the values.</summary>
    public static implicit operator T[](CudaDeviceVariable<T> d)
    {
        ArgumentNullException.ThrowIfNull(d);
        T[] values = new T[(long)d.Size];
        d.CopyToHost(values);
        return values;
    }

    /// <summary>The first value.</summary>
    public static implicit operator T(CudaDeviceVariable<T> d)
    {
        ArgumentNullException.ThrowIfNull(d);
        T value = default;
        d.CopyToHost(ref value);
        return value;
    }

    /// <summary>New device memory with the values.</summary>
    public static implicit operator CudaDeviceVariable<T>(T[] d)
    {
        ArgumentNullException.ThrowIfNull(d);
        CudaDeviceVariable<T> variable = new(d.LongLength);
        variable.CopyToDevice(d);
        return variable;
    }

    /// <summary>New device memory with one value.</summary>
    public static implicit operator CudaDeviceVariable<T>(T d)
    {
        CudaDeviceVariable<T> variable = new(1);
        variable.CopyToDevice(d);
        return variable;
    }

    /// <summary>Fills this variable from device memory.</summary>
    public void CopyToDevice(CUdeviceptr source) => CopyToDevice(source, 0, 0, SizeInBytes);

    /// <summary>From device memory into this variable; offsets in bytes.</summary>
    public void CopyToDevice(CUdeviceptr source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoD_v2(DevicePointer + offsetDest, source + offsetSrc, sizeInBytes));
    }

    /// <summary>From another variable, as many elements as both have.</summary>
    public void CopyToDevice(CudaDeviceVariable<T> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        CopyToDevice(source.DevicePointer, 0, 0, Smaller(source.SizeInBytes));
    }

    /// <summary>From another variable; offsets in bytes.</summary>
    public void CopyToDevice(CudaDeviceVariable<T> source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes)
    {
        ArgumentNullException.ThrowIfNull(source);
        CopyToDevice(source.DevicePointer, offsetSrc, offsetDest, sizeInBytes);
    }

    /// <summary>From a host array, as many elements as both have.</summary>
    public void CopyToDevice(T[] source)
    {
        Alive();
        ArgumentNullException.ThrowIfNull(source);
        HostMemory.CopyToDevice(DevicePointer, new ReadOnlySpan<T>(source, 0, (int)Math.Min(source.Length, (long)Size)));
    }

    /// <summary>From a host array; offsets in bytes.</summary>
    public void CopyToDevice(T[] source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes)
    {
        Alive();
        ArgumentNullException.ThrowIfNull(source);
        HostMemory.CheckRange<T>(source.Length, offsetSrc, sizeInBytes);
        HostMemory.CopyToDevice(DevicePointer + offsetDest, new ReadOnlySpan<T>(source), offsetSrc, sizeInBytes);
    }

    /// <summary>Sets the first element.</summary>
    public void CopyToDevice(T source) => CopyToDevice(source, 0);

    /// <summary>Sets the element <paramref name="offsetDest"/> bytes in.</summary>
    public void CopyToDevice(T source, SizeT offsetDest)
    {
        Alive();
        HostMemory.CopyToDevice(DevicePointer + offsetDest, new ReadOnlySpan<T>(in source));
    }

    /// <summary>Fills this variable from host memory.</summary>
    public void CopyToDevice(IntPtr source) => CopyToDevice(source, 0, 0, SizeInBytes);

    /// <summary>From host memory to the variable's end, from <paramref name="offsetDest"/> bytes on.</summary>
    public void CopyToDevice(IntPtr source, SizeT offsetDest) => CopyToDevice(source, 0, offsetDest, SizeInBytes - offsetDest);

    /// <summary>From host memory; offsets in bytes.</summary>
    public void CopyToDevice(IntPtr source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(DevicePointer + offsetDest, source + (nint)offsetSrc, sizeInBytes));
    }

    /// <summary>To a host array, as many elements as both have.</summary>
    public void CopyToHost(T[] dest)
    {
        Alive();
        ArgumentNullException.ThrowIfNull(dest);
        HostMemory.CopyToHost(new Span<T>(dest, 0, (int)Math.Min(dest.Length, (long)Size)), DevicePointer);
    }

    /// <summary>To a host array; offsets in bytes.</summary>
    public void CopyToHost(T[] dest, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes)
    {
        Alive();
        ArgumentNullException.ThrowIfNull(dest);
        HostMemory.CheckRange<T>(dest.Length, offsetDest, sizeInBytes);
        HostMemory.CopyToHost(new Span<T>(dest), DevicePointer + offsetSrc, offsetDest, sizeInBytes);
    }

    /// <summary>The first element.</summary>
    public void CopyToHost(ref T dest) => CopyToHost(ref dest, 0);

    /// <summary>The element <paramref name="offsetSrc"/> bytes in.</summary>
    public void CopyToHost(ref T dest, SizeT offsetSrc)
    {
        Alive();
        HostMemory.CopyToHost(new Span<T>(ref dest), DevicePointer + offsetSrc);
    }

    /// <summary>All of it to host memory.</summary>
    public void CopyToHost(IntPtr dest) => CopyToHost(dest, 0, 0, SizeInBytes);

    /// <summary>To host memory, from <paramref name="offsetSrc"/> bytes on to the variable's end.</summary>
    public void CopyToHost(IntPtr dest, SizeT offsetSrc) => CopyToHost(dest, offsetSrc, 0, SizeInBytes - offsetSrc);

    /// <summary>To host memory; offsets in bytes.</summary>
    public void CopyToHost(IntPtr dest, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2(dest + (nint)offsetDest, DevicePointer + offsetSrc, sizeInBytes));
    }

    /// <summary>Fills this variable from device memory, in a stream.</summary>
    public void AsyncCopyToDevice(CUdeviceptr source, CUstream stream) => AsyncCopyToDevice(source, 0, 0, SizeInBytes, stream);

    /// <summary>From device memory into this variable, in a stream; offsets in bytes.</summary>
    public void AsyncCopyToDevice(CUdeviceptr source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.AsynchronousMemcpy_v2.cuMemcpyDtoDAsync_v2(DevicePointer + offsetDest, source + offsetSrc, sizeInBytes, stream));
    }

    /// <summary>From another variable, as many elements as both have, in a stream.</summary>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> source, CUstream stream)
    {
        ArgumentNullException.ThrowIfNull(source);
        AsyncCopyToDevice(source.DevicePointer, 0, 0, Smaller(source.SizeInBytes), stream);
    }

    /// <summary>From another variable, in a stream; offsets in bytes.</summary>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes, CUstream stream)
    {
        ArgumentNullException.ThrowIfNull(source);
        AsyncCopyToDevice(source.DevicePointer, offsetSrc, offsetDest, sizeInBytes, stream);
    }

    /// <summary>Fills this variable from device memory, in a stream.</summary>
    public void AsyncCopyToDevice(CUdeviceptr source, CudaStream stream) => AsyncCopyToDevice(source, Native(stream));

    /// <summary>From device memory into this variable, in a stream; offsets in bytes.</summary>
    public void AsyncCopyToDevice(CUdeviceptr source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes, CudaStream stream) =>
        AsyncCopyToDevice(source, offsetSrc, offsetDest, sizeInBytes, Native(stream));

    /// <summary>From another variable, as many elements as both have, in a stream.</summary>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> source, CudaStream stream) => AsyncCopyToDevice(source, Native(stream));

    /// <summary>From another variable, in a stream; offsets in bytes.</summary>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> source, SizeT offsetSrc, SizeT offsetDest, SizeT sizeInBytes, CudaStream stream) =>
        AsyncCopyToDevice(source, offsetSrc, offsetDest, sizeInBytes, Native(stream));

    /// <summary>Fills all with a byte.</summary>
    public void Memset(byte aValue)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Memset.cuMemsetD8_v2(DevicePointer, aValue, SizeInBytes));
    }

    /// <summary>Fills all with a 16-bit number.</summary>
    public void Memset(ushort aValue)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Memset.cuMemsetD16_v2(DevicePointer, aValue, SizeInBytes / sizeof(ushort)));
    }

    /// <summary>Fills all with a 32-bit number.</summary>
    public void Memset(uint aValue)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Memset.cuMemsetD32_v2(DevicePointer, aValue, SizeInBytes / sizeof(uint)));
    }

    /// <summary>Fills all with a byte, in a stream.</summary>
    public void MemsetAsync(byte aValue, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD8Async(DevicePointer, aValue, SizeInBytes, stream));
    }

    /// <summary>Fills all with a 16-bit number, in a stream.</summary>
    public void MemsetAsync(ushort aValue, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD16Async(DevicePointer, aValue, SizeInBytes / sizeof(ushort), stream));
    }

    /// <summary>Fills all with a 32-bit number, in a stream.</summary>
    public void MemsetAsync(uint aValue, CUstream stream)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.MemsetAsync.cuMemsetD32Async(DevicePointer, aValue, SizeInBytes / sizeof(uint), stream));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory in a stream's order.</summary>
    public void Dispose(CudaStream stream)
    {
        if (IsOwner && !disposed)
        {
            Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemFreeAsync(DevicePointer, Native(stream)));
            IsOwner = false;
        }

        Dispose();
    }

    /// <summary>Frees the memory if it is owned.</summary>
    protected virtual void Dispose(bool fDisposing)
    {
        if (fDisposing && !disposed)
        {
            disposed = true;
            if (IsOwner)
            {
                DriverAPINativeMethods.MemoryManagement.cuMemFree_v2(DevicePointer);
            }
        }
    }

    private static SizeT AllocationSize(CUdeviceptr pointer)
    {
        CUdeviceptr start = default;
        SizeT bytes = 0;
        Driver.Check(DriverAPINativeMethods.MemoryManagement.cuMemGetAddressRange_v2(ref start, ref bytes, pointer));
        return bytes;
    }

    private static CUstream Native(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.Stream;
    }

    private SizeT Smaller(SizeT bytes) => bytes < SizeInBytes ? bytes : SizeInBytes;

    private void Alive() => ObjectDisposedException.ThrowIf(disposed, this);
}
