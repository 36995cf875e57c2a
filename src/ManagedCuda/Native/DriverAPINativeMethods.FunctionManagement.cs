using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Properties of a kernel.</summary>
    public static partial class FunctionManagement
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuFuncGetAttribute(ref int pi, CUFunctionAttribute attrib, CUfunction hfunc);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuFuncSetAttribute(CUfunction hfunc, CUFunctionAttribute attrib, int value);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuFuncSetCacheConfig(CUfunction hfunc, CUFuncCache config);
    }
}
