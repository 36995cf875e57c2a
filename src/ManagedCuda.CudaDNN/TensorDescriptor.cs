namespace ManagedCuda.CudaDNN;

/// <summary>Shape, number type and layout of a tensor.</summary>
public class TensorDescriptor : IDisposable
{
    private readonly DescriptorHandle handle;

    /// <summary>Creates an empty descriptor.</summary>
    public TensorDescriptor()
    {
        cudnnTensorDescriptor desc = default;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnCreateTensorDescriptor(ref desc));
        handle = new DescriptorHandle(
            desc.Pointer, static p => CudaDNNNativeMethods.cudnnDestroyTensorDescriptor(new cudnnTensorDescriptor { Pointer = p }));
        Desc = desc;
    }

    /// <summary>The native handle.</summary>
    public cudnnTensorDescriptor Desc { get; }

    /// <summary>Sets shape, type and layout; elements are packed.</summary>
    public void SetTensor4dDescriptor(cudnnTensorFormat format, cudnnDataType dataType, int n, int c, int h, int w) =>
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnSetTensor4dDescriptor(Desc, format, dataType, n, c, h, w), [$"{n}x{c}x{h}x{w} {dataType} {format}"]);

    /// <summary>Shape, type and strides in words, as "32x64x16x16 Half (16384, 1, 1024, 64)".</summary>
    public override string ToString()
    {
        cudnnDataType type = default;
        int n = 0, c = 0, h = 0, w = 0, ns = 0, cs = 0, hs = 0, ws = 0;
        cudnnStatus status = CudaDNNNativeMethods.cudnnGetTensor4dDescriptor(
            Desc, ref type, ref n, ref c, ref h, ref w, ref ns, ref cs, ref hs, ref ws);
        return status == cudnnStatus.Success ? $"{n}x{c}x{h}x{w} {type} ({ns}, {cs}, {hs}, {ws})" : "tensor not set";
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
