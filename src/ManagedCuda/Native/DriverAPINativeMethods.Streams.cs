using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Streams and their capture.</summary>
    public static partial class Streams
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamCreate(ref CUstream phStream, CUStreamFlags Flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamCreateWithPriority(ref CUstream phStream, CUStreamFlags flags, int priority);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamDestroy_v2(CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamQuery(CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamSynchronize(CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, uint Flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamGetPriority(CUstream hStream, ref int priority);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamGetFlags(CUstream hStream, ref CUStreamFlags flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamGetCtx(CUstream hStream, ref CUcontext pctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuStreamBeginCapture_v2")]
        public static partial CUResult cuStreamBeginCapture(CUstream hStream, CUstreamCaptureMode mode);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamEndCapture(CUstream hStream, ref CUgraph phGraph);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamIsCapturing(CUstream hStream, ref CUstreamCaptureStatus captureStatus);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuThreadExchangeStreamCaptureMode(ref CUstreamCaptureMode mode);

        /// <summary>Calls back when the stream has done its work so far; the caller keeps the delegate alive until then.</summary>
        public static CUResult cuStreamAddCallback(CUstream hStream, CUstreamCallback callback, IntPtr userData, CUStreamAddCallbackFlags flags) =>
            cuStreamAddCallback(hStream, Marshal.GetFunctionPointerForDelegate(callback), userData, flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        private static partial CUResult cuStreamAddCallback(CUstream hStream, IntPtr callback, IntPtr userData, CUStreamAddCallbackFlags flags);
    }
}
