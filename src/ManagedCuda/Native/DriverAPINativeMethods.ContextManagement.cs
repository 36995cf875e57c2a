using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Contexts; a device's primary context.</summary>
    public static partial class ContextManagement
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxCreate_v2(ref CUcontext pctx, CUCtxFlags flags, CUdevice dev);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxDestroy_v2(CUcontext ctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxPushCurrent_v2(CUcontext ctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxPopCurrent_v2(ref CUcontext pctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxSetCurrent(CUcontext ctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxGetCurrent(ref CUcontext pctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxGetDevice(ref CUdevice device);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxSynchronize();

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxGetApiVersion(CUcontext ctx, ref uint version);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxGetStreamPriorityRange(ref int leastPriority, ref int greatestPriority);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDevicePrimaryCtxRetain(ref CUcontext pctx, CUdevice dev);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
        public static partial CUResult cuDevicePrimaryCtxRelease(CUdevice dev);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuDevicePrimaryCtxSetFlags_v2")]
        public static partial CUResult cuDevicePrimaryCtxSetFlags(CUdevice dev, CUCtxFlags flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDevicePrimaryCtxGetState(CUdevice dev, ref CUCtxFlags flags, ref int active);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuDevicePrimaryCtxReset_v2")]
        public static partial CUResult cuDevicePrimaryCtxReset(CUdevice dev);
    }
}
