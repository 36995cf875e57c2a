using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>
/// Average pooling over windows (AvgPool2d: padding counts as zeros); it adds the bias that its input still lacks.
/// </summary>
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
    /// <param name="padding">Zero padding on each side, at most half a window.</param>
    /// <exception cref="SlttException">The window is larger than the map, or the padding than half a window.</exception>
    public AvgPool(string name, Edge input, int kernel, int stride, int padding = 0)
        : base(name)
    {
        (this.input, this.kernel, this.stride, this.padding) = (input, kernel, stride, padding);
        GraphError.CheckWindow(name, input, kernel, stride, padding);
        if (padding > kernel / 2)
        {
            throw GraphError.Of($"{name}: padding {padding} is more than half of a window of {kernel}", "take less padding");
        }

        Output = new Edge(name, Size(input.Height), Size(input.Width), input.Channels, input.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override bool PassesSpikes => true;

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => AdaptiveAvgPool.FanOut(input, Output, further, Window, Window);

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph) => graph.Set(
        Output, new InferenceNode.AvgPool(Name, InferenceGraph.ShapeOf(Output), graph.Value(input), (kernel, stride, padding)));

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        (DeviceBuffer<T> activation, DeviceBuffer<float>? bias) = b.ActivationAndBias(input);
        b.AddRecomputable(Output, input, activation, (x, y) => Op.ForSteps(
            Name + " forward",
            [x, .. OptionalBuffers.Present(bias)],
            [y],
            s => b.Device.Kernels.BiasAvgPool(
                b.Elementwise(s.Count * b.Count(Output)),
                y.At(s.First),
                x.At(s.First),
                bias.AtOrNull(0),
                s.Count * b.Shape.Batch,
                input.Height,
                input.Width,
                input.Channels,
                Output.Height,
                Output.Width,
                kernel,
                stride,
                padding)));
        return () =>
        {
            Section section = b.BackwardOf(Output);
            DeviceBuffer<T> gradOutput = b.DrainGradient(Output);
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Name + " gradient from " + Name, b.Count(input), section);
            b.Add(section, Op.ForSteps(
                Name + " backward",
                [gradOutput],
                [gradInput],
                s => b.Device.Kernels.AvgPoolBackward<T>(
                    b.Elementwise(s.Count * b.Count(input)),
                    gradInput.At(s.First),
                    gradOutput.At(s.First),
                    s.Count * b.Shape.Batch,
                    input.Height,
                    input.Width,
                    input.Channels,
                    Output.Height,
                    Output.Width,
                    kernel,
                    stride,
                    padding)));
            b.AddGradient(input, gradInput);
        };
    }

    private (int From, int To) Window(int o) => ((o * stride) - padding, (o * stride) - padding + kernel);

    private int Size(int size) => ((size + (2 * padding) - kernel) / stride) + 1;
}
