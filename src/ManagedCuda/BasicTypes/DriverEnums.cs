namespace ManagedCuda.BasicTypes;

/// <summary>Flags of cuInit.</summary>
[Flags]
public enum CUInitializationFlags : uint
{
    None = 0,
}

/// <summary>Properties of a device that the host asks for: a part of cuda.h's CUdevice_attribute.</summary>
public enum CUDeviceAttribute
{
    MultiProcessorCount = 16,
    L2CacheSize = 38,
}

/// <summary>How page-locked host memory is made.</summary>
[Flags]
public enum CUMemHostAllocFlags
{
    None = 0,
}

/// <summary>Whether a stream waits for the default stream.</summary>
[Flags]
public enum CUStreamFlags : uint
{
    None = 0,
    NonBlocking = 1,
}

/// <summary>How the host waits for an event, and whether the event keeps the time.</summary>
[Flags]
public enum CUEventFlags
{
    Default = 0,
    BlockingSync = 1,
    DisableTiming = 2,
}

/// <summary>Which threads a capture forbids calls that could break it.</summary>
public enum CUstreamCaptureMode
{
    Global = 0,
    Local = 1,
    Relaxed = 2,
}

/// <summary>Flags of cuGraphInstantiateWithFlags.</summary>
[Flags]
public enum CUgraphInstantiate_flags : ulong
{
    None = 0,
}
