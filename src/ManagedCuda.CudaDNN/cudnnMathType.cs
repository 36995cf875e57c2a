namespace ManagedCuda.CudaDNN;

/// <summary>Which arithmetic a convolution may use.</summary>
public enum cudnnMathType
{
    /// <summary>Tensor cores, TF32 for float.</summary>
    Default = 0,

    /// <summary>Tensor cores.</summary>
    TensorOP = 1,

    /// <summary>Tensor cores, also with float rounded to half.</summary>
    TensorOPAllowConversion = 2,

    /// <summary>No tensor cores: float stays float.</summary>
    FMA = 3,
}
