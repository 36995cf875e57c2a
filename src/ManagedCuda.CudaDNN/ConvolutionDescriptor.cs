namespace ManagedCuda.CudaDNN;

/// <summary>Padding, stride, dilation and arithmetic of a convolution.</summary>
public class ConvolutionDescriptor : IDisposable
{
    private readonly DescriptorHandle handle;
    private string shape = "convolution not set";
    private cudnnMathType mathType;

    /// <summary>Creates an empty descriptor.</summary>
    public ConvolutionDescriptor()
    {
        cudnnConvolutionDescriptor desc = default;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnCreateConvolutionDescriptor(ref desc));
        handle = new DescriptorHandle(
            desc.Pointer,
            static p => CudaDNNNativeMethods.cudnnDestroyConvolutionDescriptor(new cudnnConvolutionDescriptor { Pointer = p }));
        Desc = desc;
    }

    /// <summary>The native handle.</summary>
    public cudnnConvolutionDescriptor Desc { get; }

    /// <summary>The arithmetic that an algorithm may use.</summary>
    public cudnnMathType MathType
    {
        get => mathType;
        set
        {
            CudaDNNException.Check(CudaDNNNativeMethods.cudnnSetConvolutionMathType(Desc, value), [value]);
            mathType = value;
        }
    }

    /// <summary>Sets a two-dimensional convolution.</summary>
    /// <param name="pad_h">Padding above and below.</param>
    /// <param name="pad_w">Padding left and right.</param>
    /// <param name="u">Vertical stride.</param>
    /// <param name="v">Horizontal stride.</param>
    /// <param name="dilation_h">Vertical dilation.</param>
    /// <param name="dilation_w">Horizontal dilation.</param>
    /// <param name="mode">Whether the filter is mirrored.</param>
    /// <param name="dataType">The type of the sums.</param>
    public void SetConvolution2dDescriptor(
        int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, cudnnConvolutionMode mode, cudnnDataType dataType)
    {
        shape = $"padding {pad_h}x{pad_w} stride {u}x{v} dilation {dilation_h}x{dilation_w} in {dataType}";
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnSetConvolution2dDescriptor(Desc, pad_h, pad_w, u, v, dilation_h, dilation_w, mode, dataType),
            [shape]);
    }

    /// <summary>Padding, stride and dilation in words.</summary>
    public override string ToString() => shape;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the descriptor.</summary>
    protected virtual void Dispose(bool fDisposing) => handle.Dispose();
}
