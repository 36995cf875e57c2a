namespace ManagedCuda.BasicTypes;

/// <summary>Flags of cuInit.</summary>
[Flags]
public enum CUInitializationFlags : uint
{
    None = 0,
}

/// <summary>How the host waits, and what a context does at creation.</summary>
[Flags]
public enum CUCtxFlags
{
    SchedAuto = 0,
    SchedSpin = 1,
    SchedYield = 2,
    BlockingSync = 4,
    SchedMask = 7,
    [Obsolete("Deprecated by CUDA.")]
    MapHost = 8,
    LMemResizeToMax = 0x10,
    CoreDumpEnable = 0x20,
    UserCoreDumpEnable = 0x40,
    SyncMemOps = 0x80,
    FlagsMask = 0xff,
}

/// <summary>Who may use a device.</summary>
public enum CUComputeMode
{
    Default = 0,
    Prohibited = 2,
}

/// <summary>Limits of a context.</summary>
public enum CULimit
{
    StackSize = 0,
    PrintfFIFOSize = 1,
    MallocHeapSize = 2,
    DevRuntimeSyncDepth = 3,
    DevRuntimePendingLaunchCount = 4,
    MaxL2FetchGranularity = 5,
    PersistingL2CacheSize = 6,
    SharedMemSize = 7,
    CigEnabled = 8,
    CigSharedMemFallbackEnabled = 9,
}

/// <summary>How on-chip memory is split between L1 cache and shared memory.</summary>
public enum CUFuncCache
{
    PreferNone = 0,
    PreferShared = 1,
    PreferL1 = 2,
    PreferEqual = 3,
}

/// <summary>Width of the shared memory's banks.</summary>
public enum CUsharedconfig
{
    DefaultBankSize = 0,
    FourByteBankSize = 1,
    EightByteBankSize = 2,
}
