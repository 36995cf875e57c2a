using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Fills N elements on a stream.</summary>
    public static partial class MemsetAsync
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD8Async(CUdeviceptr dstDevice, byte b, SizeT N, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD16Async(CUdeviceptr dstDevice, ushort us, SizeT N, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD32Async(CUdeviceptr dstDevice, uint ui, SizeT N, CUstream hStream);
    }
}
