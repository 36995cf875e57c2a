namespace ManagedCuda.CudaDNN;

/// <summary>Number types.</summary>
public enum cudnnDataType
{
    /// <summary>32-bit float.</summary>
    Float = 0,

    /// <summary>16-bit float (IEEE half).</summary>
    Half = 2,

    /// <summary>bfloat16.</summary>
    BFloat16 = 9,
}

/// <summary>Order of a tensor's dimensions in memory.</summary>
public enum cudnnTensorFormat
{
    /// <summary>Width is contiguous.</summary>
    NCHW = 0,

    /// <summary>Channels are contiguous.</summary>
    NHWC = 1,
}

/// <summary>Whether a convolution mirrors the filter.</summary>
public enum cudnnConvolutionMode
{
    /// <summary>Mirrored.</summary>
    Convolution = 0,

    /// <summary>Not mirrored. Deep learning calls this a convolution.</summary>
    CrossCorrelation = 1,
}

/// <summary>How a pool reduces its window.</summary>
public enum cudnnPoolingMode
{
    /// <summary>The maximum. Its gradient may differ from run to run.</summary>
    Max = 0,

    /// <summary>The mean, with padding counted as zeros.</summary>
    AverageCountIncludePadding = 1,

    /// <summary>The mean, with padding not counted.</summary>
    AverageCountExcludePadding = 2,

    /// <summary>The maximum, deterministic.</summary>
    MaxDeterministic = 3,
}

/// <summary>Whether a maximum keeps a NaN of its window.</summary>
public enum cudnnNanPropagation
{
    /// <summary>A NaN may be dropped.</summary>
    NotPropagateNan = 0,

    /// <summary>A NaN is the maximum.</summary>
    PropagateNan = 1,
}

/// <summary>The elements that batch norm computes its statistics over.</summary>
public enum cudnnBatchNormMode
{
    /// <summary>The batch.</summary>
    BatchNormPerActivation = 0,

    /// <summary>Batch, height and width: one number a channel.</summary>
    BatchNormSpatial = 1,
}
