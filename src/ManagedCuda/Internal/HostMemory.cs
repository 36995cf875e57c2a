using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Copies between device memory and managed memory, which stays pinned for the time of the copy.</summary>
internal static class HostMemory
{
    /// <summary>All of a span to the device.</summary>
    public static void CopyToDevice<T>(CUdeviceptr destination, ReadOnlySpan<T> source)
        where T : struct => CopyToDevice(destination, source, 0, (long)source.Length * Unsafe.SizeOf<T>());

    /// <summary>A part of a span, in bytes, to the device.</summary>
    public static unsafe void CopyToDevice<T>(CUdeviceptr destination, ReadOnlySpan<T> source, SizeT offset, SizeT bytes)
        where T : struct
    {
        CheckElement<T>();
        fixed (byte* host = &Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(source)))
        {
            Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(destination, (IntPtr)(host + (long)offset), bytes));
        }
    }

    /// <summary>Fills a span from the device.</summary>
    public static void CopyToHost<T>(Span<T> destination, CUdeviceptr source)
        where T : struct => CopyToHost(destination, source, 0, (long)destination.Length * Unsafe.SizeOf<T>());

    /// <summary>Fills a part of a span, in bytes, from the device.</summary>
    public static unsafe void CopyToHost<T>(Span<T> destination, CUdeviceptr source, SizeT offset, SizeT bytes)
        where T : struct
    {
        CheckElement<T>();
        fixed (byte* host = &Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(destination)))
        {
            Driver.Check(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2((IntPtr)(host + (long)offset), source, bytes));
        }
    }

    /// <summary>Refuses a range of bytes that leaves an array.</summary>
    public static void CheckRange<T>(long elements, SizeT offset, SizeT bytes)
        where T : struct
    {
        ulong size = (ulong)elements * (uint)Unsafe.SizeOf<T>();
        if ((ulong)offset > size || (ulong)bytes > size - (ulong)offset)
        {
            throw new ArgumentOutOfRangeException(nameof(bytes), $"bytes {offset} to {(ulong)offset + (ulong)bytes} of an array of {size} bytes");
        }
    }

    private static void CheckElement<T>()
        where T : struct
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
        {
            throw new ArgumentException($"{typeof(T)} holds references and can't be copied to a device");
        }
    }
}
