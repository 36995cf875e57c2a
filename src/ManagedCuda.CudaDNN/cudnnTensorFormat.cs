namespace ManagedCuda.CudaDNN;

/// <summary>Order of a tensor's dimensions in memory.</summary>
public enum cudnnTensorFormat
{
    /// <summary>Width is contiguous.</summary>
    NCHW = 0,

    /// <summary>Channels are contiguous.</summary>
    NHWC = 1,

    /// <summary>Vectors of channels.</summary>
    NCHW_VECT_C = 2,
}
