using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>The CUDA driver's C functions, by name. cuda.h says what each does. Each returns a status that the caller checks.</summary>
/// <remarks>
/// The library has its Windows name on every system. The host decides which file that is
/// (<see cref="NativeLibrary.SetDllImportResolver"/>).
/// </remarks>
public static partial class DriverAPINativeMethods
{
    internal const string CUDA_DRIVER_API_DLL_NAME = "nvcuda";

    /// <summary>Starts the driver. Every other call needs it first; a second call does nothing.</summary>
    [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
    public static partial CUResult cuInit(CUInitializationFlags Flags);

    /// <summary>Devices and their properties.</summary>
    public static partial class DeviceManagement
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDeviceGet(ref CUdevice device, int ordinal);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDeviceGetCount(ref int count);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDeviceGetName([Out] byte[] name, int len, CUdevice dev);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDeviceTotalMem_v2(ref SizeT bytes, CUdevice dev);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDeviceGetAttribute(ref int pi, CUDeviceAttribute attrib, CUdevice dev);
    }

    /// <summary>A device's primary context, and the calling thread's current context.</summary>
    public static partial class ContextManagement
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuDevicePrimaryCtxRetain(ref CUcontext pctx, CUdevice dev);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
        public static partial CUResult cuDevicePrimaryCtxRelease(CUdevice dev);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxSetCurrent(CUcontext ctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxGetCurrent(ref CUcontext pctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxPushCurrent_v2(CUcontext ctx);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuCtxPopCurrent_v2(ref CUcontext pctx);
    }

    /// <summary>Modules and the kernels in them.</summary>
    public static partial class ModuleManagement
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuModuleLoadFatBinary(ref CUmodule module, byte[] fatCubin);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, StringMarshalling = StringMarshalling.Utf8)]
        public static partial CUResult cuModuleGetFunction(ref CUfunction hfunc, CUmodule hmod, string name);
    }

    /// <summary>Kernel launches.</summary>
    public static partial class Launch
    {
        /// <summary>Launches a kernel. kernelParams holds the address of each argument; extra is null.</summary>
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuLaunchKernel(
            CUfunction f,
            uint gridDimX, uint gridDimY, uint gridDimZ,
            uint blockDimX, uint blockDimY, uint blockDimZ,
            uint sharedMemBytes, CUstream hStream, IntPtr[] kernelParams, IntPtr[] extra);
    }

    /// <summary>Device memory and page-locked host memory.</summary>
    public static partial class MemoryManagement
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemGetInfo_v2(ref SizeT free, ref SizeT total);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemAlloc_v2(ref CUdeviceptr dptr, SizeT bytesize);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemFree_v2(CUdeviceptr dptr);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemHostAlloc(ref IntPtr pp, SizeT bytesize, CUMemHostAllocFlags Flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemFreeHost(IntPtr p);
    }

    /// <summary>Copies that are done when the call returns.</summary>
    public static partial class SynchronousMemcpy_v2
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, IntPtr srcHost, SizeT ByteCount);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyDtoH_v2(IntPtr dstHost, CUdeviceptr srcDevice, SizeT ByteCount);
    }

    /// <summary>Copies on a stream. The driver copies host memory that is not page-locked before the call returns.</summary>
    public static partial class AsynchronousMemcpy_v2
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyHtoDAsync_v2(CUdeviceptr dstDevice, IntPtr srcHost, SizeT ByteCount, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyDtoHAsync_v2(IntPtr dstHost, CUdeviceptr srcDevice, SizeT ByteCount, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyDtoDAsync_v2(
            CUdeviceptr dstDevice, CUdeviceptr srcDevice, SizeT ByteCount, CUstream hStream);
    }

    /// <summary>Fills N elements on a stream.</summary>
    public static partial class MemsetAsync
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD8Async(CUdeviceptr dstDevice, byte b, SizeT N, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemsetD32Async(CUdeviceptr dstDevice, uint ui, SizeT N, CUstream hStream);
    }

    /// <summary>Streams, and recording their work as a graph.</summary>
    public static partial class Streams
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamCreate(ref CUstream phStream, CUStreamFlags Flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamDestroy_v2(CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamSynchronize(CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, uint Flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuStreamBeginCapture_v2")]
        public static partial CUResult cuStreamBeginCapture(CUstream hStream, CUstreamCaptureMode mode);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuStreamEndCapture(CUstream hStream, ref CUgraph phGraph);
    }

    /// <summary>Events.</summary>
    public static partial class Events
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventCreate(ref CUevent phEvent, CUEventFlags Flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventRecord(CUevent hEvent, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventSynchronize(CUevent hEvent);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventDestroy_v2(CUevent hEvent);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuEventElapsedTime(ref float pMilliseconds, CUevent hStart, CUevent hEnd);
    }

    /// <summary>Graphs of recorded work.</summary>
    public static partial class GraphManagment
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphDestroy(CUgraph hGraph);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuGraphInstantiateWithFlags")]
        public static partial CUResult cuGraphInstantiate(ref CUgraphExec phGraphExec, CUgraph hGraph, CUgraphInstantiate_flags flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphExecDestroy(CUgraphExec hGraphExec);
    }
}
