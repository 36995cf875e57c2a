namespace ManagedCuda.CudaDNN;

/// <summary>Algorithms of the forward convolution.</summary>
public enum cudnnConvolutionFwdAlgo
{
    /// <summary>Matrix product without a workspace.</summary>
    ImplicitGEMM = 0,

    /// <summary>Matrix product with precomputed indices.</summary>
    ImplicitPrecompGEMM = 1,

    /// <summary>Matrix product of an explicit matrix.</summary>
    GEMM = 2,

    /// <summary>By definition.</summary>
    Direct = 3,

    /// <summary>Fourier transform.</summary>
    FFT = 4,

    /// <summary>Fourier transform of tiles.</summary>
    FFTWithTiling = 5,

    /// <summary>Winograd.</summary>
    Winograd = 6,

    /// <summary>Winograd in several kernels.</summary>
    WinogradNonFused = 7,
}
