using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>branch + identity, with the biases of the convolutions that made them.</summary>
public sealed class ResidualAdd : Layer
{
    private readonly Edge branch;
    private readonly Edge identity;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="branch">The block's own path.</param>
    /// <param name="identity">The skip path.</param>
    public ResidualAdd(string name, Edge branch, Edge identity)
        : base(name)
    {
        (this.branch, this.identity) = (branch, identity);
        Output = new Edge(name, branch.Height, branch.Width, branch.Channels, dependsOnInputOnly: false);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [branch, identity];

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        long rows = (long)b.Shape.Batch * Output.Height * Output.Width;
        (DeviceBuffer x, DeviceBuffer skip, DeviceBuffer y) = (b.Forward(branch), b.Forward(identity), b.NewOutput(Output));
        b.Add(Section.Forward, new Op(
            Name,
            [x, skip],
            [y],
            t => b.Device.Launch(
                "residual_add_" + b.Suffix,
                SpikeOps.Elements(b, rows * Output.Channels),
                y.At(t),
                x.At(t),
                skip.At(t),
                b.Bias(branch),
                b.Bias(identity),
                rows,
                Output.Channels),
            InPlace: (y, x)));
        return () =>
        {
            DeviceBuffer gradient = b.TakeGradient(Output);
            b.AddGradient(branch, gradient);
            b.AddGradient(identity, gradient);
        };
    }
}
