using ManagedCuda.CudaBlas;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>The classifier: logits (N, classes), in float, of features (N, H, W, C) taken in PyTorch's order (C, H, W).</summary>
public sealed class Linear : Layer
{
    private readonly Edge input;
    private readonly Parameter weight;
    private readonly Parameter bias;

    /// <summary>Creates the layer and declares its parameters.</summary>
    /// <param name="network">The network.</param>
    /// <param name="name">PyTorch's module name.</param>
    /// <param name="input">Features.</param>
    /// <param name="weight">How the weights start.</param>
    public Linear(Network network, string name, Edge input, Initializer weight)
        : base(name)
    {
        this.input = input;
        input.SavedForBackward = true;
        this.weight = network.Declare(
            name + ".weight", [network.Classes, (int)input.Elements], weight, [network.Classes, input.Channels, input.Height, input.Width]);
        bias = network.Declare(name + ".bias", [network.Classes], new Initializer.Constant(0));
        Output = new Edge(name, 1, 1, network.Classes, dependsOnInputOnly: false);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override long MultiplyAdds => input.Elements * Output.Channels;

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => [.. Enumerable.Repeat((long)Output.Channels, input.Height * input.Width)];

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        (int n, int classes, int features) = (b.Shape.Batch, Output.Channels, (int)input.Elements);
        CudaBlas blas = b.Device.Blas;
        long multiplyAdds = (long)n * classes * features;
        DataType type = b.Shape.Type.Blas();
        DeviceBuffer<T> x = b.Activation(input);
        DeviceBuffer<float> logits = b.Keep<float>(Name + " logits", BufferKind.Batch, (long)n * classes);
        b.SetActivation(Output, logits);
        b.Add(Section.Forward, new Op(
            Name + " bias",
            [],
            [logits],
            t => b.Device.Kernels.BiasBroadcast(
                LaunchShape.Elements(b.Device, (long)n * classes, 4), logits.At(t), b.Store.Weight(bias), n, classes)));

        // Row-major matrices are cuBLAS's transposed: logitsᵀ (classes, N) += W xᵀ.
        b.Add(Section.Forward, new Op(
            Name + " forward",
            [x, logits],
            [logits],
            t => blas.GemmEx(
                Operation.Transpose,
                Operation.NonTranspose,
                classes,
                n,
                features,
                1f,
                b.WorkingWeight(weight).Pointer,
                type,
                features,
                x.Address(t),
                type,
                features,
                1f,
                logits.Address(t),
                DataType.CUDA_R_32F,
                classes))
        { MultiplyAdds = multiplyAdds, ParameterBytes = b.WorkingBytes(weight) });
        return () =>
        {
            DeviceBuffer<T> gradLogits = b.DrainGradient(Output);
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Name + " gradient", b.Count(input));
            b.Add(Section.Backward, new Op(
                Name + " backward bias",
                [gradLogits],
                [],
                t => b.Device.Kernels.ColumnSum<T>(LaunchShape.Channels(classes), b.Store.Gradient(bias), gradLogits.At(t), n, classes)));
            b.Add(Section.Backward, new Op(
                Name + " backward weight",
                [x, gradLogits],
                [],
                t => blas.GemmEx(
                    Operation.NonTranspose,
                    Operation.Transpose,
                    features,
                    classes,
                    n,
                    1f,
                    x.Address(t),
                    type,
                    features,
                    gradLogits.Address(t),
                    type,
                    classes,
                    1f,
                    b.Store.Gradient(weight).Pointer,
                    DataType.CUDA_R_32F,
                    features))
            { MultiplyAdds = multiplyAdds, ParameterBytes = 8L * weight.Count });
            b.Add(Section.Backward, new Op(
                Name + " backward data",
                [gradLogits],
                [gradInput],
                t => blas.GemmEx(
                    Operation.NonTranspose,
                    Operation.NonTranspose,
                    features,
                    n,
                    classes,
                    1f,
                    b.WorkingWeight(weight).Pointer,
                    type,
                    features,
                    gradLogits.Address(t),
                    type,
                    classes,
                    0f,
                    gradInput.Address(t),
                    type,
                    features))
            { MultiplyAdds = multiplyAdds, ParameterBytes = b.WorkingBytes(weight) });
            b.AddGradient(input, gradInput);
        };
    }
}
