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
    public override Action Emit(ProgramBuilder b)
    {
        float dropRate = b.Shape.Training ? rate : 0;
        uint layer = dropRate > 0 ? b.DropoutLayers++ : 0;
        long n = Output.Elements * b.Shape.Batch;

        Op Mask(string pass, DeviceBuffer from, DeviceBuffer to) => new(
            Name + pass,
            [from],
            [to],
            t => b.Device.Launch("dropout_" + b.Suffix, SpikeOps.Elements(b, n), to.At(t), from.At(t), dropRate, layer, b.RunState, n));

        b.Add(Section.Forward, Mask(" forward", b.Forward(input), b.NewOutput(Output)));
        return () =>
        {
            DeviceBuffer gradOutput = b.TakeGradient(Output);
            DeviceBuffer gradInput = ProgramBuilder.Scratch(input.Name + " gradient from " + Name, b.BytesOf(input));
            b.Add(Section.Backward, Mask(" backward", gradOutput, gradInput) with { InPlace = (gradInput, gradOutput) });
            b.AddGradient(input, gradInput);
        };
    }
}
