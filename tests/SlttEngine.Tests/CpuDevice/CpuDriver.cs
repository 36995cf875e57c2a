using System.Runtime.InteropServices;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>The CPU device's driver API as C sees it, without any wrapper between: also wrong handles and sizes get through.</summary>
internal static unsafe partial class CpuDriver
{
    private const string Library = "sltt_cpu";

    [LibraryImport(Library)]
    internal static partial Result cuInit(uint flags);

    [LibraryImport(Library)]
    internal static partial Result cuDeviceGetCount(out int count);

    [LibraryImport(Library)]
    internal static partial Result cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    internal static partial Result cuDeviceGetName(byte* name, int length, int device);

    [LibraryImport(Library)]
    internal static partial Result cuDeviceGetAttribute(out int value, int which, int device);

    [LibraryImport(Library)]
    internal static partial Result cuDeviceTotalMem_v2(out nuint bytes, int device);

    [LibraryImport(Library)]
    internal static partial Result cuCtxCreate_v2(out nint context, uint flags, int device);

    [LibraryImport(Library)]
    internal static partial Result cuCtxDestroy_v2(nint context);

    [LibraryImport(Library)]
    internal static partial Result cuCtxSetCurrent(nint context);

    [LibraryImport(Library)]
    internal static partial Result cuCtxGetCurrent(out nint context);

    [LibraryImport(Library)]
    internal static partial Result cuCtxPushCurrent_v2(nint context);

    [LibraryImport(Library)]
    internal static partial Result cuCtxPopCurrent_v2(out nint context);

    [LibraryImport(Library)]
    internal static partial Result cuCtxSynchronize();

    [LibraryImport(Library)]
    internal static partial Result cuMemAlloc_v2(out ulong pointer, nuint bytes);

    [LibraryImport(Library)]
    internal static partial Result cuMemFree_v2(ulong pointer);

    [LibraryImport(Library)]
    internal static partial Result cuMemGetInfo_v2(out nuint free, out nuint total);

    [LibraryImport(Library)]
    internal static partial Result cuMemHostAlloc(out nint pointer, nuint bytes, uint flags);

    [LibraryImport(Library)]
    internal static partial Result cuMemFreeHost(nint pointer);

    [LibraryImport(Library)]
    internal static partial Result cuMemcpyHtoD_v2(ulong target, void* source, nuint bytes);

    [LibraryImport(Library)]
    internal static partial Result cuMemcpyDtoH_v2(void* target, ulong source, nuint bytes);

    [LibraryImport(Library)]
    internal static partial Result cuMemcpyHtoDAsync_v2(ulong target, void* source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuMemcpyDtoHAsync_v2(void* target, ulong source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuMemcpyDtoDAsync_v2(ulong target, ulong source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuMemsetD8Async(ulong target, byte value, nuint count, nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuMemsetD32Async(ulong target, uint value, nuint count, nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuModuleLoadFatBinary(out nint module, byte* image);

    [LibraryImport(Library)]
    internal static partial Result cuModuleUnload(nint module);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial Result cuModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(Library)]
    internal static partial Result cuLaunchKernel(nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ,
        uint sharedBytes, nint stream, void** arguments, void** extra);

    [LibraryImport(Library)]
    internal static partial Result cuStreamCreate(out nint stream, uint flags);

    [LibraryImport(Library)]
    internal static partial Result cuStreamDestroy_v2(nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuStreamSynchronize(nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuStreamWaitEvent(nint stream, nint waited, uint flags);

    [LibraryImport(Library)]
    internal static partial Result cuStreamBeginCapture_v2(nint stream, int mode);

    [LibraryImport(Library)]
    internal static partial Result cuStreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library)]
    internal static partial Result cuGraphInstantiateWithFlags(out nint exec, nint graph, ulong flags);

    [LibraryImport(Library)]
    internal static partial Result cuGraphLaunch(nint exec, nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuGraphExecDestroy(nint exec);

    [LibraryImport(Library)]
    internal static partial Result cuGraphDestroy(nint graph);

    [LibraryImport(Library)]
    internal static partial Result cuGraphGetNodes(nint graph, nint* nodes, ref nuint count);

    [LibraryImport(Library)]
    internal static partial Result cuGraphNodeGetType(nint node, out int type);

    [LibraryImport(Library)]
    internal static partial Result cuGraphMemsetNodeGetParams(nint node, ulong* values);

    [LibraryImport(Library)]
    internal static partial Result cuGraphNodeGetDependencies(nint node, nint* nodes, ref nuint count);

    [LibraryImport(Library)]
    internal static partial Result cuGraphNodeGetDependentNodes(nint node, nint* nodes, ref nuint count);

    [LibraryImport(Library)]
    internal static partial Result cuGraphAddDependencies(nint graph, nint* from, nint* to, nuint count);

    [LibraryImport(Library)]
    internal static partial Result cuGraphDestroyNode(nint node);

    [LibraryImport(Library)]
    internal static partial Result cuEventCreate(out nint made, uint flags);

    [LibraryImport(Library)]
    internal static partial Result cuEventDestroy_v2(nint handle);

    [LibraryImport(Library)]
    internal static partial Result cuEventRecord(nint handle, nint stream);

    [LibraryImport(Library)]
    internal static partial Result cuEventSynchronize(nint handle);

    [LibraryImport(Library)]
    internal static partial Result cuEventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(Library)]
    internal static partial ulong sltt_cpu_peak_memory(int device);

    [LibraryImport(Library)]
    internal static partial void sltt_cpu_reset_peak_memory(int device);

    [LibraryImport(Library)]
    internal static partial nint sltt_cpu_last_message();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int sltt_cpu_choose_convolution(string way, string? instructionSet, int threads);

    /// <summary>The device's latest line on stderr.</summary>
    internal static string LastMessage => Marshal.PtrToStringUTF8(sltt_cpu_last_message()) ?? "";
}

/// <summary>Results of the driver API, by cuda.h's values.</summary>
internal enum Result
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    InvalidDevice = 101,
    InvalidContext = 201,
    NoBinaryForGpu = 209,
    InvalidHandle = 400,
    IllegalState = 401,
    NotFound = 500,
    NotReady = 600,
    IllegalAddress = 700,
    LaunchFailed = 719,
    NotSupported = 801,
    CaptureUnsupported = 900,
    CaptureInvalidated = 901,
    CaptureUnmatched = 903,
    CaptureUnjoined = 904,
    CaptureIsolation = 905,
    CapturedEvent = 907,
}
