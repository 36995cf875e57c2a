using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Fills N elements on the default stream.</summary>
    public static partial class Memset
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD8_v2(CUdeviceptr dstDevice, byte b, SizeT N);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD16_v2(CUdeviceptr dstDevice, ushort us, SizeT N);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD32_v2(CUdeviceptr dstDevice, uint ui, SizeT N);
    }
}
