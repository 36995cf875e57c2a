namespace ManagedCuda.CudaDNN;

/// <summary>Algorithms of the gradient of the input.</summary>
public enum cudnnConvolutionBwdDataAlgo
{
    /// <summary>Sum by atomics: not deterministic.</summary>
    Algo0 = 0,

    /// <summary>Matrix product: deterministic.</summary>
    Algo1 = 1,

    /// <summary>Fourier transform.</summary>
    AlgoFFT = 2,

    /// <summary>Fourier transform of tiles.</summary>
    AlgoFFTTiling = 3,

    /// <summary>Winograd.</summary>
    AlgoWinograd = 4,

    /// <summary>Winograd in several kernels.</summary>
    AlgoWinogradNonFused = 5,
}
