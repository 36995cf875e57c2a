using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Events.</summary>
    public static partial class Events
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventCreate(ref CUevent phEvent, CUEventFlags Flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventRecord(CUevent hEvent, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventRecordWithFlags(CUevent hEvent, CUstream hStream, CUEventRecordFlags flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventQuery(CUevent hEvent);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventSynchronize(CUevent hEvent);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventDestroy_v2(CUevent hEvent);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventElapsedTime(ref float pMilliseconds, CUevent hStart, CUevent hEnd);
    }
}
