using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

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

/// <summary>Algorithms of the gradient of the input.</summary>
public enum cudnnConvolutionBwdDataAlgo
{
    /// <summary>Sums by atomics: not deterministic.</summary>
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

/// <summary>Algorithms of the gradient of the filter.</summary>
public enum cudnnConvolutionBwdFilterAlgo
{
    /// <summary>Sums by atomics: not deterministic.</summary>
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

/// <summary>Whether an algorithm gives the same bits each time.</summary>
public enum cudnnDeterminism
{
    /// <summary>The bits may differ from run to run.</summary>
    NonDeterministic = 0,

    /// <summary>The same bits each time.</summary>
    Deterministic = 1,
}

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

/// <summary>cuDNN's report on an algorithm of the forward convolution. 48 bytes, in cuDNN 9's layout.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnConvolutionFwdAlgoPerf
{
    /// <summary>The algorithm.</summary>
    public cudnnConvolutionFwdAlgo algo;

    /// <summary>Success, or the reason why the algorithm can't be used here.</summary>
    public cudnnStatus status;

    /// <summary>Milliseconds; −1 if it was not measured.</summary>
    public float time;

    /// <summary>Workspace, bytes.</summary>
    public SizeT memory;

    /// <summary>Whether the algorithm gives the same bits each time.</summary>
    public cudnnDeterminism determinism;

    /// <summary>The arithmetic that the algorithm uses. cuDNN rejects the algorithm unless the descriptor has this mathType.</summary>
    public cudnnMathType mathType;

    private readonly int reserved1;
    private readonly int reserved2;
    private readonly int reserved3;
}

/// <summary>cuDNN's report on an algorithm of the gradient of the input. 48 bytes, in cuDNN 9's layout.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnConvolutionBwdDataAlgoPerf
{
    /// <summary>The algorithm.</summary>
    public cudnnConvolutionBwdDataAlgo algo;

    /// <summary>Success, or the reason why the algorithm can't be used here.</summary>
    public cudnnStatus status;

    /// <summary>Milliseconds; −1 if it was not measured.</summary>
    public float time;

    /// <summary>Workspace, bytes.</summary>
    public SizeT memory;

    /// <summary>Whether the algorithm gives the same bits each time.</summary>
    public cudnnDeterminism determinism;

    /// <summary>The arithmetic that the algorithm uses. cuDNN rejects the algorithm unless the descriptor has this mathType.</summary>
    public cudnnMathType mathType;

    private readonly int reserved1;
    private readonly int reserved2;
    private readonly int reserved3;
}

/// <summary>cuDNN's report on an algorithm of the gradient of the filter. 48 bytes, in cuDNN 9's layout.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnConvolutionBwdFilterAlgoPerf
{
    /// <summary>The algorithm.</summary>
    public cudnnConvolutionBwdFilterAlgo algo;

    /// <summary>Success, or the reason why the algorithm can't be used here.</summary>
    public cudnnStatus status;

    /// <summary>Milliseconds; −1 if it was not measured.</summary>
    public float time;

    /// <summary>Workspace, bytes.</summary>
    public SizeT memory;

    /// <summary>Whether the algorithm gives the same bits each time.</summary>
    public cudnnDeterminism determinism;

    /// <summary>The arithmetic that the algorithm uses. cuDNN rejects the algorithm unless the descriptor has this mathType.</summary>
    public cudnnMathType mathType;

    private readonly int reserved1;
    private readonly int reserved2;
    private readonly int reserved3;
}
