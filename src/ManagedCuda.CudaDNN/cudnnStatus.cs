namespace ManagedCuda.CudaDNN;

/// <summary>
/// Status of a cuDNN 9 call. 1000s: state, 2000s: arguments, 3000s: not supported, 4000s: internal, 5000s: execution.
/// </summary>
public enum cudnnStatus
{
    /// <summary>No error.</summary>
    Success = 0,

    /// <summary>The handle was not created, or the library did not start.</summary>
    NotInitialized = 1001,

    /// <summary>The parts of cuDNN are of different versions.</summary>
    SublibraryVersionMismatch = 1002,

    /// <summary>Something serialised by another version.</summary>
    SerializationVersionMismatch = 1003,

    /// <summary>The feature is no longer offered.</summary>
    Deprecated = 1004,

    /// <summary>Licence check failed.</summary>
    LicenseError = 1005,

    /// <summary>The work is not done yet.</summary>
    RuntimeInProgress = 1006,

    /// <summary>A number overflowed on the device.</summary>
    RuntimeFPOverflow = 1007,

    /// <summary>A part of cuDNN does not load.</summary>
    SublibraryLoadingFailed = 1008,

    /// <summary>An argument is wrong.</summary>
    BadParam = 2000,

    /// <summary>An argument is wrong (old name).</summary>
    InvalidValue = 2001,

    /// <summary>A pointer is null.</summary>
    BadParamNullPointer = 2002,

    /// <summary>A pointer is not aligned.</summary>
    BadParamMisalignedPointer = 2003,

    /// <summary>A descriptor is not finished.</summary>
    BadParamNotFinalized = 2004,

    /// <summary>An argument is out of its range.</summary>
    BadParamOutOfBound = 2005,

    /// <summary>A buffer is too small.</summary>
    BadParamSizeInsufficient = 2006,

    /// <summary>The stream is not the handle's.</summary>
    BadParamStreamMismatch = 2007,

    /// <summary>Shapes do not fit together.</summary>
    BadParamShapeMismatch = 2008,

    /// <summary>Something is given twice.</summary>
    BadParamDuplicatedEntries = 2009,

    /// <summary>An attribute is of the wrong type.</summary>
    BadParamAttributeType = 2010,

    /// <summary>The CUDA graph is another one.</summary>
    BadParamCudaGraphMismatch = 2011,

    /// <summary>A descriptor is of the wrong type.</summary>
    BadParamDescriptorType = 2012,

    /// <summary>Not supported.</summary>
    NotSupported = 3000,

    /// <summary>The pattern of operations is not supported.</summary>
    NotSupportedGraphPattern = 3001,

    /// <summary>The shape is not supported.</summary>
    NotSupportedShape = 3002,

    /// <summary>The number type is not supported.</summary>
    NotSupportedDataType = 3003,

    /// <summary>The layout is not supported.</summary>
    NotSupportedLayout = 3004,

    /// <summary>The driver is too old.</summary>
    NotSupportedIncompatibleCudaDriver = 3005,

    /// <summary>The CUDA runtime is too old.</summary>
    NotSupportedIncompatibleCudart = 3006,

    /// <summary>The GPU lacks what the call needs.</summary>
    NotSupportedArchMismatch = 3007,

    /// <summary>A library that the call needs is missing.</summary>
    NotSupportedRuntimePrerequisiteMissing = 3008,

    /// <summary>A part of cuDNN is missing.</summary>
    NotSupportedSublibraryUnavailable = 3009,

    /// <summary>Too little shared memory.</summary>
    NotSupportedSharedMemoryInsufficient = 3010,

    /// <summary>The padding is not supported.</summary>
    NotSupportedPadding = 3011,

    /// <summary>The launch is not possible.</summary>
    NotSupportedBadLaunchParam = 3012,

    /// <summary>Not possible as a CUDA graph.</summary>
    NotSupportedCudaGraphNativeApi = 3013,

    /// <summary>An error inside cuDNN.</summary>
    InternalError = 4000,

    /// <summary>A kernel does not compile.</summary>
    InternalErrorCompilationFailed = 4001,

    /// <summary>An unexpected value inside cuDNN.</summary>
    InternalErrorUnexpectedValue = 4002,

    /// <summary>Not enough host memory.</summary>
    InternalErrorHostAllocationFailed = 4003,

    /// <summary>Not enough device memory.</summary>
    InternalErrorDeviceAllocationFailed = 4004,

    /// <summary>A wrong launch inside cuDNN.</summary>
    InternalErrorBadLaunchParam = 4005,

    /// <summary>A texture can't be made.</summary>
    InternalErrorTextureCreationFailed = 4006,

    /// <summary>A kernel failed.</summary>
    ExecutionFailed = 5000,

    /// <summary>A driver call failed.</summary>
    ExecutionFailedCudaDriver = 5001,

    /// <summary>A cuBLAS call failed.</summary>
    ExecutionFailedCublas = 5002,

    /// <summary>A CUDA runtime call failed.</summary>
    ExecutionFailedCudart = 5003,

    /// <summary>A cuRAND call failed.</summary>
    ExecutionFailedCurand = 5004,
}
