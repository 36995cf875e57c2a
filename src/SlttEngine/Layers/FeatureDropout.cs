using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Dropout of features, with one mask for all time steps of an iteration.</summary>
public sealed class FeatureDropout : Layer
{
    private readonly Edge input;
    private readonly float rate;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="rate">Part dropped, above 0.</param>
    public FeatureDropout(string name, Edge input, float rate)
        : base(name)
    {
        (this.input, this.rate) = (input, rate);
        Output = new Edge(name, input.Height, input.Width, input.Channels, dependsOnInputOnly: false);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override bool PassesSpikes => true;

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further) => further.ToArray();

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph) => graph.Alias(Output, graph.Value(input));

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        Dropout dropout = b.NewDropout(rate);
        long n = b.Count(Output);

        // A static input lies there once: it is masked for each step by itself.
        bool sideBySide = !b.IsStatic(input);
        Op Mask(string pass, DeviceBuffer<T> from, DeviceBuffer<T> to)
        {
            Op op = Op.ForSteps(
                Name + pass,
                [from],
                [to],
                s => b.Device.Kernels.Dropout(
                    b.Elementwise(n, s), to.At(s.First), from.At(s.First), dropout.Rate, dropout.Layer, b.RunState, s.Count, n));
            return sideBySide ? op : op with { LaunchSteps = null };
        }

        b.Add(Section.Forward, Mask(" forward", b.Activation(input), b.NewActivation(Output)));
        return () =>
        {
            DeviceBuffer<T> gradOutput = b.DrainGradient(Output);
            DeviceBuffer<T> gradInput = b.Scratch<T>(input.Name + " gradient from " + Name, b.Count(input));
            b.Add(Section.Backward, Mask(" backward", gradOutput, gradInput) with { InPlace = (gradInput, gradOutput) });
            b.AddGradient(input, gradInput);
        };
    }
}
