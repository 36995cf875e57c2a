namespace ManagedCuda.CudaBlas;

/// <summary>Status of a cuBLAS call.</summary>
public enum CublasStatus
{
    Success = 0,
    NotInitialized = 1,
    AllocFailed = 3,
    InvalidValue = 7,
    ArchMismatch = 8,
    MappingError = 11,
    ExecutionFailed = 13,
    InternalError = 14,
    NotSupported = 15,
    LicenseError = 16,
}

/// <summary>How a matrix is read.</summary>
public enum Operation
{
    NonTranspose = 0,
    Transpose = 1,
}

/// <summary>Number types of cublasSgemmEx. The published package has no name for bfloat16, which is 14.</summary>
public enum DataType
{
    CUDA_R_32F = 0,
    CUDA_R_16F = 2,
}
