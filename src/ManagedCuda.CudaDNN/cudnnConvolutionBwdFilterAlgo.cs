namespace ManagedCuda.CudaDNN;

/// <summary>Algorithms of the gradient of the filter.</summary>
public enum cudnnConvolutionBwdFilterAlgo
{
    /// <summary>Sum by atomics: not deterministic.</summary>
    Algo0 = 0,

    /// <summary>Matrix product: deterministic.</summary>
    Algo1 = 1,

    /// <summary>Fourier transform.</summary>
    AlgoFFT = 2,

    /// <summary>As Algo0, with a workspace.</summary>
    Algo3 = 3,

    /// <summary>Winograd.</summary>
    AlgoWinograd = 4,

    /// <summary>Winograd in several kernels.</summary>
    AlgoWinogradNonFused = 5,

    /// <summary>Fourier transform of tiles.</summary>
    AlgoFFTTiling = 6,
}
