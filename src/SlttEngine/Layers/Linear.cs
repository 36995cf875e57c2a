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
    internal override void Describe(InferenceGraph graph) => graph.Set(
        Output,
        new InferenceNode.Linear(Name, Output.Channels, graph.Value(input)) { Weight = graph.Weight(weight), Bias = graph.Weight(bias) });

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        (int n, int classes, int features) = (b.Shape.Batch, Output.Channels, (int)input.Elements);
        CudaBlas blas = b.Device.Blas;
        long multiplyAdds = (long)n * classes * features;
        DataType type = b.Shape.Type.Blas();
        DeviceBuffer<T> x = b.Activation(input);
        DeviceBuffer<float> logits = b.Keep<float>(Name + " logits", BufferKind.Batch, (long)n * classes, b.Shape.StepsAtOnce);
        b.SetActivation(Output, logits);
        b.Add(Section.Forward, Op.ForSteps(
            Name + " bias",
            [],
            [logits],
            s => b.Device.Kernels.BiasBroadcast(
                LaunchShape.Elements(b.Device, (long)s.Count * n * classes, 4),
                logits.At(s.First),
                b.Store.Weight(bias),
                s.Count * n,
                classes)));

        // Row-major matrices are cuBLAS's transposed: logitsᵀ (classes, N) += W xᵀ.
        b.Add(Section.Forward, SideBySide(
            b,
            Name + " forward",
            [x, logits],
            [logits],
            s => blas.GemmEx(
                Operation.Transpose,
                Operation.NonTranspose,
                classes,
                s.Count * n,
                features,
                1f,
                b.WorkingWeight(weight).Pointer,
                type,
                features,
                x.Address(s.First),
                type,
                features,
                1f,
                logits.Address(s.First),
                DataType.CUDA_R_32F,
                classes))
        with
        { MultiplyAdds = multiplyAdds, ParameterBytes = b.WorkingBytes(weight) });
        return () =>
        {
            DeviceBuffer<T> gradLogits = b.DrainGradient(Output);
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Name + " gradient", b.Count(input));
            b.Add(Section.Backward, SideBySide(
                b,
                Name + " backward bias",
                [gradLogits],
                [],
                s => b.Device.Kernels.ColumnSum<T>(
                    LaunchShape.Channels(classes), b.Store.Gradient(bias), gradLogits.At(s.First), s.Count * n, classes)));
            b.Add(Section.Backward, SideBySide(
                b,
                Name + " backward weight",
                [x, gradLogits],
                [],
                s => blas.GemmEx(
                    Operation.NonTranspose,
                    Operation.Transpose,
                    features,
                    classes,
                    s.Count * n,
                    1f,
                    x.Address(s.First),
                    type,
                    features,
                    gradLogits.Address(s.First),
                    type,
                    classes,
                    1f,
                    b.Store.Gradient(weight).Pointer,
                    DataType.CUDA_R_32F,
                    features))
            with
            { MultiplyAdds = multiplyAdds, ParameterBytes = 8L * weight.Count });
            b.Add(Section.Backward, SideBySide(
                b,
                Name + " backward data",
                [gradLogits],
                [gradInput],
                s => blas.GemmEx(
                    Operation.NonTranspose,
                    Operation.NonTranspose,
                    features,
                    s.Count * n,
                    classes,
                    1f,
                    b.WorkingWeight(weight).Pointer,
                    type,
                    features,
                    gradLogits.Address(s.First),
                    type,
                    classes,
                    0f,
                    gradInput.Address(s.First),
                    type,
                    features))
            with
            { MultiplyAdds = multiplyAdds, ParameterBytes = b.WorkingBytes(weight) });
            b.AddGradient(input, gradInput);
        };
    }

    /// <summary>An operation over the rows of all steps side by side; over each step's by itself if its features are the same in
    /// each.</summary>
    private Op SideBySide<T>(
        ProgramBuilder<T> b, string name, DeviceBuffer[] reads, DeviceBuffer[] writes, Action<StepRange> launch)
        where T : unmanaged
    {
        Op op = Op.ForSteps(name, reads, writes, launch);
        return b.IsStatic(input) ? op with { LaunchSteps = null } : op;
    }
}
