using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Limits of the current context.</summary>
    public static partial class Limits
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxSetLimit(CULimit limit, SizeT value);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxGetLimit(ref SizeT pvalue, CULimit limit);
    }
}
