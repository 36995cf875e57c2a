using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Names and meanings of driver errors, as C strings that stay valid.</summary>
    public static partial class ErrorHandling
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGetErrorString(CUResult error, ref IntPtr pStr);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGetErrorName(CUResult error, ref IntPtr pStr);
    }
}
