using ManagedCuda.CudaDNN;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Average pooling over windows (AvgPool2d: padding counts as zeros), by cuDNN; where the input still lacks a bias, by a kernel that adds it.</summary>
public sealed class AvgPool : Layer
{
    private readonly Edge input;
    private readonly int kernel;
    private readonly int stride;
    private readonly int padding;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="kernel">Window size.</param>
    /// <param name="stride">Stride.</param>
    /// <param name="padding">Zero padding on each side.</param>
    public AvgPool(string name, Edge input, int kernel, int stride, int padding = 0)
        : base(name)
    {
        (this.input, this.kernel, this.stride, this.padding) = (input, kernel, stride, padding);
        Output = new Edge(name, Size(input.Height), Size(input.Width), input.Channels, input.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override bool PassesSpikes => true;

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => AdaptiveAvgPool.FanOut(
        input, Output, further, o => ((o * stride) - padding, (o * stride) - padding + kernel), o => ((o * stride) - padding, (o * stride) - padding + kernel));

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        CudaDNNContext dnn = b.Device.Dnn;
        TensorDescriptor x = b.Own(new TensorDescriptor());
        TensorDescriptor y = b.Own(new TensorDescriptor());
        PoolingDescriptor pooling = b.Own(new PoolingDescriptor());
        cudnnDataType type = b.Shape.Type.Dnn();
        x.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, b.Shape.Batch, input.Channels, input.Height, input.Width);
        y.SetTensor4dDescriptor(cudnnTensorFormat.NHWC, type, b.Shape.Batch, Output.Channels, Output.Height, Output.Width);
        pooling.SetPooling2dDescriptor(
            cudnnPoolingMode.AverageCountIncludePadding, cudnnNanPropagation.PropagateNan, kernel, kernel, padding, padding, stride, stride);

        bool lacksBias = b.LacksBias(input);

        Op Forward(DeviceBuffer from, DeviceBuffer to) => new(
            Name + " forward",
            [from],
            [to],
            lacksBias
                ? t => b.Device.Launch(
                    "bias_avg_pool_" + b.Suffix,
                    SpikeOps.Elements(b, Output.Elements * b.Shape.Batch),
                    to.At(t),
                    from.At(t),
                    b.Bias(input),
                    b.Shape.Batch,
                    input.Height,
                    input.Width,
                    input.Channels,
                    Output.Height,
                    Output.Width,
                    kernel,
                    stride,
                    padding)
                : t => dnn.PoolingForward(pooling, 1f, x, from.At(t), 0f, y, to.At(t)));

        b.AddForward(Output, input, Forward);
        return () =>
        {
            DeviceBuffer gradOutput = b.TakeGradient(Output);
            DeviceBuffer gradInput = ProgramBuilder.Scratch(input.Name + " gradient from " + Name, b.BytesOf(input));

            // An average's backward reads neither x nor y, but cuDNN wants pointers: the gradients stand in for them.
            b.Add(b.BackwardOf(Output), new Op(
                Name + " backward",
                [gradOutput],
                [gradInput],
                t => dnn.PoolingBackward(pooling, 1f, y, gradOutput.At(t), y, gradOutput.At(t), x, gradInput.At(t), 0f, x, gradInput.At(t))));
            b.AddGradient(input, gradInput);
        };
    }

    private int Size(int size) => ((size + (2 * padding) - kernel) / stride) + 1;
}
