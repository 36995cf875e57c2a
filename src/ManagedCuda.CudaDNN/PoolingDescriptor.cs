namespace ManagedCuda.CudaDNN;

/// <summary>Mode, window, padding and stride of a pool.</summary>
public class PoolingDescriptor : IDisposable
{
    private readonly DescriptorHandle handle;
    private string shape = "pool not set";

    /// <summary>Creates an empty descriptor.</summary>
    public PoolingDescriptor()
    {
        cudnnPoolingDescriptor desc = default;
        CudaDNNException.Check(CudaDNNNativeMethods.cudnnCreatePoolingDescriptor(ref desc));
        handle = new DescriptorHandle(
            desc.Pointer, static p => CudaDNNNativeMethods.cudnnDestroyPoolingDescriptor(new cudnnPoolingDescriptor { Pointer = p }));
        Desc = desc;
    }

    /// <summary>The native handle.</summary>
    public cudnnPoolingDescriptor Desc { get; }

    /// <summary>Sets a two-dimensional pool.</summary>
    public void SetPooling2dDescriptor(
        cudnnPoolingMode mode, cudnnNanPropagation maxpoolingNanOpt, int windowHeight, int windowWidth,
        int verticalPadding, int horizontalPadding, int verticalStride, int horizontalStride)
    {
        shape = $"{mode} window {windowHeight}x{windowWidth} padding {verticalPadding}x{horizontalPadding} "
            + $"stride {verticalStride}x{horizontalStride}";
        CudaDNNException.Check(
            CudaDNNNativeMethods.cudnnSetPooling2dDescriptor(
                Desc, mode, maxpoolingNanOpt, windowHeight, windowWidth,
                verticalPadding, horizontalPadding, verticalStride, horizontalStride),
            [shape]);
    }

    /// <summary>Mode, window, padding and stride in words.</summary>
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
