namespace ManagedCuda.CudaBlas;

/// <summary>How a matrix is read.</summary>
public enum Operation
{
    NonTranspose = 0,
    Transpose = 1,
    ConjugateTranspose = 2,
    Hermitan = 2,
    Conjugate = 3,
}

/// <summary>Number types of cublasSgemmEx: library_types.h; bfloat16, which the published package does not name here, is 14.</summary>
public enum DataType
{
    CUDA_R_16F = 2,
    CUDA_C_16F = 6,
    CUDA_R_32F = 0,
    CUDA_C_32F = 4,
    CUDA_R_64F = 1,
    CUDA_C_64F = 5,
    CUDA_R_8I = 3,
    CUDA_C_8I = 7,
    CUDA_R_8U = 8,
    CUDA_C_8U = 9,
}

/// <summary>Where the scalars alpha and beta are.</summary>
public enum PointerMode
{
    Host = 0,
    Device = 1,
}

/// <summary>Whether a routine may use atomics, and so differ from run to run.</summary>
public enum AtomicsMode
{
    NotAllowed = 0,
    Allowed = 1,
}

/// <summary>Which arithmetic a routine may use.</summary>
public enum Math
{
    DefaultMath = 0,
    [Obsolete("Deprecated by CUDA.")]
    TensorOpMath = 1,
    PedanticMath = 2,
    TF32TensorOpMath = 3,
    DisallowReducedPrecisionReduction = 16,
}

/// <summary>Arithmetic of cublasGemmEx.</summary>
public enum ComputeType
{
    Compute16F = 64,
    Compute16FPedantic = 65,
    Compute32F = 68,
    Compute32FPedantic = 69,
    Compute32FFast16F = 74,
    Compute32FFast16BF = 75,
    Compute32FFastTF32 = 77,
    Compute64F = 70,
    Compute64FPedantic = 71,
    Compute32I = 72,
    Compute32IPedantic = 73,
}

/// <summary>Algorithm of cublasGemmEx; ignored by recent GPUs.</summary>
public enum GemmAlgo
{
    Default = -1,
    Algo0 = 0,
    Algo1 = 1,
    Algo2 = 2,
    Algo3 = 3,
    Algo4 = 4,
    Algo5 = 5,
    Algo6 = 6,
    Algo7 = 7,
    Algo8 = 8,
    Algo9 = 9,
    Algo10 = 10,
    Algo11 = 11,
    Algo12 = 12,
    Algo13 = 13,
    Algo14 = 14,
    Algo15 = 15,
    Algo16 = 16,
    Algo17 = 17,
    Algo18 = 18,
    Algo19 = 19,
    Algo20 = 20,
    Algo21 = 21,
    Algo22 = 22,
    Algo23 = 23,
    DefaultTensorOp = 99,
    Algo0TensorOp = 100,
    Algo1TensorOp = 101,
    Algo2TensorOp = 102,
    Algo3TensorOp = 103,
    Algo4TensorOp = 104,
    Algo5TensorOp = 105,
    Algo6TensorOp = 106,
    Algo7TensorOp = 107,
    Algo8TensorOp = 108,
    Algo9TensorOp = 109,
    Algo10TensorOp = 110,
    Algo11TensorOp = 111,
    Algo12TensorOp = 112,
    Algo13TensorOp = 113,
    Algo14TensorOp = 114,
    Algo15TensorOp = 115,
}
