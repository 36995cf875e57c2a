namespace ManagedCuda.BasicTypes;

/// <summary>What cuFuncGetAttribute can be asked for: cuda.h's CUfunction_attribute.</summary>
public enum CUFunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedSizeBytes = 1,
    ConstSizeBytes = 2,
    LocalSizeBytes = 3,
    NumRegs = 4,
    PTXVersion = 5,
    BinaryVersion = 6,
    CacheModeCA = 7,
    MaxDynamicSharedSizeBytes = 8,
    PreferredSharedMemoryCarveout = 9,
    ClusterSizeMustBeSet = 10,
    RequiredClusterWidth = 11,
    RequiredClusterHeight = 12,
    RequiredClusterDepth = 13,
    NonPortableClusterSizeAllowed = 14,
    ClusterSchedulingPolicyPreference = 15,
    Max = 16,
}

/// <summary>Preferred share of on-chip memory used as shared memory, in per cent.</summary>
public enum CUshared_carveout
{
    Default = -1,
    MaxShared = 100,
    MaxL1 = 0,
}
