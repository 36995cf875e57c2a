using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>x + bias by channel: the bias of a convolution that no batch norm follows.</summary>
public sealed class BiasAdd : Layer
{
    private readonly Edge input;
    private readonly Parameter bias;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="input">A convolution's output, which only this layer reads.</param>
    /// <param name="bias">The bias (C).</param>
    /// <exception cref="SlttException">The bias is for other channels.</exception>
    public BiasAdd(string name, Edge input, Parameter bias)
        : base(name)
    {
        (this.input, this.bias) = (input, bias);
        GraphError.CheckChannels(name, input, bias.Count);
        Output = new Edge(name, input.Height, input.Width, input.Channels, input.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph) => graph.Alias(Output, graph.WithBias(input, bias));

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        DeviceBuffer<T> x = b.Activation(input);
        DeviceBuffer<T> y = b.NewActivation(Output);
        b.Add(b.ForwardOf(Output), Op.ForSteps(
            Name,
            [x],
            [y],
            s => b.Device.Kernels.BiasAdd(
                b.Elementwise(s.Count * b.Count(Output)),
                y.At(s.First),
                x.At(s.First),
                b.Store.Weight(bias),
                s.Count * b.Rows(Output),
                Output.Channels),
            inPlace: (y, x)));
        return () =>
        {
            DeviceBuffer<T> gradient = b.DrainGradient(Output);
            GradientOps.AddBiasGradient(b, b.BackwardOf(Output), Name, gradient, bias, b.Rows(Output));
            b.AddGradient(input, gradient);
        };
    }
}
