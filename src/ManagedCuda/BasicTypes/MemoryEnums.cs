namespace ManagedCuda.BasicTypes;

/// <summary>How page-locked host memory is made.</summary>
[Flags]
public enum CUMemHostAllocFlags
{
    None = 0,
    Portable = 1,
    DeviceMap = 2,
    WriteCombined = 4,
}

/// <summary>How host memory is page-locked afterwards.</summary>
[Flags]
public enum CUMemHostRegisterFlags
{
    None = 0,
    Portable = 1,
    DeviceMap = 2,
    IOMemory = 4,
    ReadOnly = 8,
}

/// <summary>Where memory is.</summary>
public enum CUMemoryType : uint
{
    Host = 1,
    Device = 2,
    Array = 3,
    Unified = 4,
}

/// <summary>What cuPointerGetAttribute can be asked for: cuda.h's CUpointer_attribute.</summary>
public enum CUPointerAttribute
{
    Context = 1,
    MemoryType = 2,
    DevicePointer = 3,
    HostPointer = 4,
    P2PTokens = 5,
    SyncMemops = 6,
    BufferID = 7,
    IsManaged = 8,
    DeviceOrdinal = 9,
    IsLegacyCudaIPCCapable = 10,
    RangeStartAddr = 11,
    RangeSize = 12,
    Mapped = 13,
    AllowedHandleTypes = 14,
    IsGPUDirectRDMACapable = 15,
    AccessFlags = 16,
    MempoolHandle = 17,
    MappingSize = 18,
    BaseAddr = 19,
    MemoryBlockID = 20,
    IsHWDecompressCapable = 21,
}
