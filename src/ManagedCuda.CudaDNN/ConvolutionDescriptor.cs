namespace ManagedCuda.CudaDNN;

/// <summary>Padding, stride, dilation and arithmetic of a convolution.</summary>
public class ConvolutionDescriptor : IDisposable
{
    private readonly DescriptorHandle owned;
    private string shape = "convolution not set";

    /// <summary>Creates a descriptor that says nothing yet.</summary>
    public ConvolutionDescriptor()
    {
        cudnnConvolutionDescriptor desc = default;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnCreateConvolutionDescriptor(ref desc));
        owned = new DescriptorHandle(desc.Pointer, static p => CudaDNNNativeMethods.cudnnDestroyConvolutionDescriptor(new cudnnConvolutionDescriptor { Pointer = p }));
        Desc = desc;
    }

    /// <summary>The native handle.</summary>
    public cudnnConvolutionDescriptor Desc { get; }

    /// <summary>Which arithmetic may be used.</summary>
    public cudnnMathType MathType
    {
        get
        {
            cudnnMathType type = default;
            CudaDNNException.Check(CudaDNNNativeMethods.cudnnGetConvolutionMathType(Desc, ref type));
            return type;
        }
        set => CudaDNNException.Check(CudaDNNNativeMethods.cudnnSetConvolutionMathType(Desc, value), [value]);
    }

    /// <summary>Groups of channels.</summary>
    public int GroupCount
    {
        get
        {
            int groups = 0;
            CudaDNNException.Check(CudaDNNNativeMethods.cudnnGetConvolutionGroupCount(Desc, ref groups));
            return groups;
        }
        set => CudaDNNException.Check(CudaDNNNativeMethods.cudnnSetConvolutionGroupCount(Desc, value), [$"{value} groups"]);
    }

    /// <summary>Sets a two-dimensional convolution.</summary>
    /// <param name="pad_h">Padding above and below.</param>
    /// <param name="pad_w">Padding left and right.</param>
    /// <param name="u">Vertical stride.</param>
    /// <param name="v">Horizontal stride.</param>
    /// <param name="dilation_h">Vertical dilation.</param>
    /// <param name="dilation_w">Horizontal dilation.</param>
    /// <param name="mode">Mirrored or not.</param>
    /// <param name="dataType">The type that sums are kept in.</param>
    public void SetConvolution2dDescriptor(int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, cudnnConvolutionMode mode, cudnnDataType dataType)
    {
        shape = $"padding {pad_h}x{pad_w} stride {u}x{v} dilation {dilation_h}x{dilation_w} in {dataType}";
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnSetConvolution2dDescriptor(Desc, pad_h, pad_w, u, v, dilation_h, dilation_w, mode, dataType), [shape]);
    }

    /// <summary>The output's shape.</summary>
    public void GetConvolution2dForwardOutputDim(TensorDescriptor inputTensorDesc, FilterDescriptor filterDesc, ref int n, ref int c, ref int h, ref int w)
    {
        ArgumentNullException.ThrowIfNull(inputTensorDesc);
        ArgumentNullException.ThrowIfNull(filterDesc);
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnGetConvolution2dForwardOutputDim(Desc, inputTensorDesc.Desc, filterDesc.Desc, ref n, ref c, ref h, ref w),
            [inputTensorDesc, filterDesc, this]);
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
    protected virtual void Dispose(bool fDisposing) => owned.Dispose();
}
