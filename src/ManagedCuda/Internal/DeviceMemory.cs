using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Allocations whose failure says how much was asked for.</summary>
internal static class DeviceMemory
{
    /// <summary>Allocates device memory.</summary>
    public static CUdeviceptr Allocate(SizeT bytes)
    {
        CUdeviceptr pointer = default;
        CUResult result = DriverAPINativeMethods.MemoryManagement.cuMemAlloc_v2(ref pointer, bytes);
        return result == CUResult.Success ? pointer : throw Driver.Failure(result, "cuMemAlloc_v2", $"{bytes} bytes");
    }

    /// <summary>Allocates device memory in a stream's order.</summary>
    public static CUdeviceptr Allocate(SizeT bytes, CUstream stream)
    {
        CUdeviceptr pointer = default;
        CUResult result = DriverAPINativeMethods.MemoryManagement.cuMemAllocAsync(ref pointer, bytes, stream);
        return result == CUResult.Success ? pointer : throw Driver.Failure(result, "cuMemAllocAsync", $"{bytes} bytes");
    }

    /// <summary>Allocates page-locked host memory.</summary>
    public static IntPtr AllocateHost(SizeT bytes, CUMemHostAllocFlags flags)
    {
        IntPtr pointer = 0;
        CUResult result = DriverAPINativeMethods.MemoryManagement.cuMemHostAlloc(ref pointer, bytes, flags);
        return result == CUResult.Success ? pointer : throw Driver.Failure(result, "cuMemHostAlloc", $"{bytes} bytes");
    }

    /// <summary>Elements in a number of bytes.</summary>
    /// <exception cref="CudaException">The last one would not be whole.</exception>
    public static SizeT Elements(SizeT bytes, int elementSize) => (ulong)bytes % (uint)elementSize == 0
        ? bytes / elementSize
        : throw new CudaException($"{bytes} bytes are not a whole number of elements of {elementSize} bytes");
}
