using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Launching kernels and host functions on a stream.</summary>
    public static partial class Launch
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuLaunchKernel(CUfunction f, uint gridDimX, uint gridDimY, uint gridDimZ, uint blockDimX, uint blockDimY, uint blockDimZ, uint sharedMemBytes, CUstream hStream, IntPtr[] kernelParams, IntPtr[] extra);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        internal static unsafe partial CUResult cuLaunchKernel(CUfunction f, uint gridDimX, uint gridDimY, uint gridDimZ, uint blockDimX, uint blockDimY, uint blockDimZ, uint sharedMemBytes, CUstream hStream, void** kernelParams, void** extra);

        /// <summary>Calls a host function in the stream's order; the caller keeps the delegate alive until it was called.</summary>
        public static CUResult cuLaunchHostFunc(CUstream hStream, CUhostFn fn, IntPtr userData) =>
            cuLaunchHostFunc(hStream, Marshal.GetFunctionPointerForDelegate(fn), userData);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        private static partial CUResult cuLaunchHostFunc(CUstream hStream, IntPtr fn, IntPtr userData);
    }
}
