namespace ManagedCuda.CudaDNN;

/// <summary>Whether the filter is mirrored.</summary>
public enum cudnnConvolutionMode
{
    /// <summary>Mirrored.</summary>
    Convolution = 0,

    /// <summary>Not mirrored: what deep learning calls convolution.</summary>
    CrossCorrelation = 1,
}
