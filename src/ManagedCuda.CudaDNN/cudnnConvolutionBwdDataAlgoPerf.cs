using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaDNN;

/// <summary>What cuDNN says of an algorithm of the gradient of the input; 48 bytes, as cuDNN 9 lays it out.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnConvolutionBwdDataAlgoPerf
{
    /// <summary>The algorithm.</summary>
    public cudnnConvolutionBwdDataAlgo algo;

    /// <summary>Success, or why the algorithm can't be used here.</summary>
    public cudnnStatus status;

    /// <summary>Milliseconds; −1 if it was not measured.</summary>
    public float time;

    /// <summary>Workspace, bytes.</summary>
    public SizeT memory;

    /// <summary>Whether it gives the same bits each time.</summary>
    public cudnnDeterminism determinism;

    /// <summary>The arithmetic it uses; set it on the convolution's descriptor.</summary>
    public cudnnMathType mathType;

    private readonly int reserved1;
    private readonly int reserved2;
    private readonly int reserved3;
}
