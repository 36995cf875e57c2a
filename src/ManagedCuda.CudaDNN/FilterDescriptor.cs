namespace ManagedCuda.CudaDNN;

/// <summary>Shape, number type and layout of a filter.</summary>
public class FilterDescriptor : IDisposable
{
    private readonly DescriptorHandle handle;

    /// <summary>Creates an empty descriptor.</summary>
    public FilterDescriptor()
    {
        cudnnFilterDescriptor desc = default;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnCreateFilterDescriptor(ref desc));
        handle = new DescriptorHandle(
            desc.Pointer, static p => CudaDNNNativeMethods.cudnnDestroyFilterDescriptor(new cudnnFilterDescriptor { Pointer = p }));
        Desc = desc;
    }

    /// <summary>The native handle.</summary>
    public cudnnFilterDescriptor Desc { get; }

    /// <summary>Sets type, layout and shape.</summary>
    /// <param name="dataType">Number type.</param>
    /// <param name="format">NHWC: memory order (k, h, w, c).</param>
    /// <param name="k">Output channels.</param>
    /// <param name="c">Input channels.</param>
    /// <param name="h">Height.</param>
    /// <param name="w">Width.</param>
    public void SetFilter4dDescriptor(cudnnDataType dataType, cudnnTensorFormat format, int k, int c, int h, int w) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnSetFilter4dDescriptor(Desc, dataType, format, k, c, h, w), [$"{k}x{c}x{h}x{w} {dataType} {format}"]);

    /// <summary>Shape, type and layout in words, as "filter 64x3x3x3 Float NHWC".</summary>
    public override string ToString()
    {
        cudnnDataType type = default;
        cudnnTensorFormat format = default;
        int k = 0, c = 0, h = 0, w = 0;
        cudnnStatus status = CudaDNNNativeMethods.cudnnGetFilter4dDescriptor(Desc, ref type, ref format, ref k, ref c, ref h, ref w);
        return status == cudnnStatus.Success ? $"filter {k}x{c}x{h}x{w} {type} {format}" : "filter not set";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the descriptor.</summary>
    protected virtual void Dispose(bool fDisposing) => handle.Dispose();
}
