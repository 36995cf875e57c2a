namespace ManagedCuda.BasicTypes;

/// <summary>Flags of cuGraphInstantiateWithFlags.</summary>
[Flags]
public enum CUgraphInstantiate_flags : ulong
{
    None = 0,
    AutoFreeOnLaunch = 1,
    Upload = 2,
    DeviceLaunch = 4,
    UseNodePriority = 8,
}

/// <summary>Why a graph can't be instantiated.</summary>
public enum CUgraphInstantiateResult
{
    Success = 0,
    Error = 1,
    InvalidStructure = 2,
    NodeOperationNotSupported = 3,
    MultipleCtxsNotSupported = 4,
    ConditionalHandleUnused = 5,
}

/// <summary>What a graph's node does.</summary>
public enum CUgraphNodeType
{
    Kernel = 0,
    Memcpy = 1,
    Memset = 2,
    Host = 3,
    Graph = 4,
    Empty = 5,
    WaitEvent = 6,
    EventRecord = 7,
    ExtSemasSignal = 8,
    ExtSemasWait = 9,
    MemAlloc = 10,
    MemFree = 11,
    BatchMemOp = 12,
    Conditional = 13,
}

/// <summary>What cuGraphDebugDotPrint writes.</summary>
[Flags]
public enum CUgraphDebugDot_flags
{
    None = 0,
    Verbose = 1,
    RuntimeTypes = 2,
    KernelNodeParams = 4,
    MemcpyNodeParams = 8,
    MemsetNodeParams = 0x10,
    HostNodeParams = 0x20,
    EventNodeParams = 0x40,
    ExtSemasSignalNodeParams = 0x80,
    ExtSemasWaitNodeParams = 0x100,
    KernelNodeAttributes = 0x200,
    Handles = 0x400,
    MemAllocNodeParams = 0x800,
    MemFreeNodeParams = 0x1000,
    BatchMemOpNodeParams = 0x2000,
    ExtraTopoInfo = 0x4000,
    ConditionalNodeParams = 0x8000,
}
