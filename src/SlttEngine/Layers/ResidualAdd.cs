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
    /// <exception cref="SlttException">Their shapes differ.</exception>
    public ResidualAdd(string name, Edge branch, Edge identity)
        : base(name)
    {
        (this.branch, this.identity) = (branch, identity);
        GraphError.CheckSameShape(name, branch, identity);
        Output = new Edge(name, branch.Height, branch.Width, branch.Channels, branch.DependsOnInputOnly && identity.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [branch, identity];

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph) =>
        graph.Set(Output, new InferenceNode.Sum(Name, graph.Value(branch), graph.Value(identity)));

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        (DeviceBuffer<T> x, DeviceBuffer<float>? bias) = b.ActivationAndBias(branch);
        (DeviceBuffer<T> skip, DeviceBuffer<float>? skipBias) = b.ActivationAndBias(identity);
        DeviceBuffer<T> y = b.NewActivation(Output);
        Op add = Op.ForSteps(
            Name,
            [x, skip, .. OptionalBuffers.Present(bias, skipBias)],
            [y],
            s => b.Device.Kernels.ResidualAdd(
                b.Elementwise(s.Count * b.Count(Output)),
                y.At(s.First),
                x.At(s.First),
                skip.At(s.First),
                bias.AtOrNull(0),
                skipBias.AtOrNull(0),
                s.Count * b.Rows(Output),
                Output.Channels),
            inPlace: (y, x));

        // What is the same at every step lies there once: it is added to each step by itself.
        bool sameLayout = b.IsStatic(branch) == b.IsStatic(identity);
        b.Add(b.ForwardOf(Output), sameLayout ? add : add with { LaunchSteps = null, InPlace = b.IsStatic(branch) ? null : add.InPlace });
        return () =>
        {
            DeviceBuffer<T> gradient = b.DrainGradient(Output);
            b.AddGradient(branch, gradient);
            b.AddGradient(identity, gradient);
        };
    }
}
