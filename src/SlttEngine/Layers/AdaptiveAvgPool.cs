using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>AdaptiveAvgPool2d: any size to any size, also from smaller maps.</summary>
public sealed class AdaptiveAvgPool : Layer
{
    private readonly Edge input;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="size">Output height and width.</param>
    public AdaptiveAvgPool(string name, Edge input, int size)
        : base(name)
    {
        this.input = input;
        Output = new Edge(name, size, size, input.Channels, input.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override bool PassesSpikes => true;

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => FanOut(
        input, Output, further, o => Window(o, input.Height, Output.Height), o => Window(o, input.Width, Output.Width));

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph) =>
        graph.Set(Output, new InferenceNode.AdaptiveAvgPool(Name, Output.Height, graph.Value(input)));

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        (int n, int channels) = (b.Shape.Batch, input.Channels);
        (int h, int w, int outH, int outW) = (input.Height, input.Width, Output.Height, Output.Width);
        b.AddRecomputable(Output, input, b.Activation(input), (x, y) => Op.ForSteps(
            Name + " forward",
            [x],
            [y],
            s => b.Device.Kernels.AdaptiveAvgPoolForward(
                b.Elementwise(s.Count * b.Count(Output)), y.At(s.First), x.At(s.First), s.Count * n, h, w, channels, outH, outW)));
        return () =>
        {
            DeviceBuffer<T> gradOutput = b.DrainGradient(Output);
            Section section = b.BackwardOf(Output);
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Name + " gradient from " + Name, b.Count(input), section);
            b.Add(section, Op.ForSteps(
                Name + " backward",
                [gradOutput],
                [gradInput],
                s => b.Device.Kernels.AdaptiveAvgPoolBackward(
                    b.Elementwise(s.Count * b.Count(input)),
                    gradInput.At(s.First),
                    gradOutput.At(s.First),
                    s.Count * n,
                    h,
                    w,
                    channels,
                    outH,
                    outW)));
            b.AddGradient(input, gradInput);
        };
    }

    /// <summary>A spike causes what each average that it goes into causes.</summary>
    /// <param name="input">What is pooled.</param>
    /// <param name="output">The averages.</param>
    /// <param name="further">Fan-out of each average.</param>
    /// <param name="rows">The rows that a row of averages covers, from and up to; rows beyond the input are padding.</param>
    /// <param name="columns">The same for columns.</param>
    internal static long[] FanOut(
        Edge input, Edge output, ReadOnlySpan<long> further, Func<int, (int From, int To)> rows, Func<int, (int From, int To)> columns)
    {
        long[] fanOut = new long[input.Height * input.Width];
        for (int oy = 0; oy < output.Height; oy++)
        {
            for (int ox = 0; ox < output.Width; ox++)
            {
                ((int top, int bottom), (int left, int right)) = (rows(oy), columns(ox));
                for (int y = Math.Max(top, 0); y < Math.Min(bottom, input.Height); y++)
                {
                    for (int x = Math.Max(left, 0); x < Math.Min(right, input.Width); x++)
                    {
                        fanOut[(y * input.Width) + x] += further[(oy * output.Width) + ox];
                    }
                }
            }
        }

        return fanOut;
    }

    /// <summary>What AdaptiveAvgPool2d averages: from ⌊o · size / outputs⌋ up to ⌈(o + 1) · size / outputs⌉.</summary>
    private static (int From, int To) Window(int o, int size, int outputs) =>
        (o * size / outputs, (((o + 1) * size) + outputs - 1) / outputs);
}
