using SlttEngine.Device;
using SlttEngine.Planning;

namespace SlttEngine.Layers;

/// <summary>branch + identity, with the biases of the convolutions that made them.</summary>
public sealed class ResidualAdd : Layer
{
    private readonly Value branch;
    private readonly Value identity;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="branch">The block's own path.</param>
    /// <param name="identity">The skip path.</param>
    public ResidualAdd(string name, Value branch, Value identity)
        : base(name)
    {
        (this.branch, this.identity) = (branch, identity);
        Output = new Value(name, branch.Height, branch.Width, branch.Channels, dependsOnInputOnly: false);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Value> Inputs => [branch, identity];

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        long rows = (long)b.Shape.Batch * Output.Height * Output.Width;
        (Tensor x, Tensor skip, Tensor y) = (b.Forward(branch), b.Forward(identity), b.NewOutput(Output));
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
            Tensor gradient = b.TakeGradient(Output);
            b.AddGradient(branch, gradient);
            b.AddGradient(identity, gradient);
        };
    }
}
