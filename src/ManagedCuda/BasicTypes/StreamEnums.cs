namespace ManagedCuda.BasicTypes;

/// <summary>How a stream works together with the null stream.</summary>
[Flags]
public enum CUStreamFlags : uint
{
    None = 0,
    Default = 0,
    NonBlocking = 1,
}

/// <summary>Flags of cuStreamAddCallback.</summary>
[Flags]
public enum CUStreamAddCallbackFlags
{
    None = 0,
}

/// <summary>How an event is waited for, and whether it keeps the time.</summary>
[Flags]
public enum CUEventFlags
{
    Default = 0,
    BlockingSync = 1,
    DisableTiming = 2,
    InterProcess = 4,
}

/// <summary>Flags of cuEventRecordWithFlags.</summary>
[Flags]
public enum CUEventRecordFlags : uint
{
    Default = 0,
    External = 1,
}

/// <summary>Which calls are forbidden on which threads while a stream is captured.</summary>
public enum CUstreamCaptureMode
{
    Global = 0,
    Local = 1,
    Relaxed = 2,
}

/// <summary>Whether a stream is being captured.</summary>
public enum CUstreamCaptureStatus
{
    None = 0,
    Active = 1,
    Invalidated = 2,
}
