using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>A map (H, W, C) seen as 1×1 pixels of H·W·C channels, in the same memory: what a hidden linear layer reads.</summary>
/// <remarks>Launches nothing. A filter over it keeps PyTorch's order (C, H, W) by its <see cref="Parameter.Layout"/>.</remarks>
public sealed class Flatten : Layer
{
    private readonly Edge input;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="input">What it reads.</param>
    public Flatten(string name, Edge input)
        : base(name)
    {
        this.input = input;
        Output = new Edge(name, 1, 1, checked((int)input.Elements), input.DependsOnInputOnly) { IsExactInTf32 = input.IsExactInTf32 };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override bool PassesSpikes => true;

    /// <inheritdoc/>
    public override long[] FanOut(ReadOnlySpan<long> further)
    {
        long[] fanOut = new long[input.Height * input.Width];
        Array.Fill(fanOut, further[0]);
        return fanOut;
    }

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph)
    {
        // Its pixels come first here and its channels in PyTorch: only a hidden linear layer's filter knows of both orders.
        Layer? reader = graph.ReadersOf(Output).FirstOrDefault(l => l is not Convolution { IsLinear: true });
        if (reader is not null && (input.Height, input.Width) != (1, 1))
        {
            throw GraphError.Of(
                $"{Name}: {reader.Name} reads its numbers in the order H, W, C: that can't be exported",
                "let a hidden linear layer (NetworkBuilder.Linear) read the map itself");
        }

        graph.Alias(Output, graph.Value(input));
    }

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        DeviceBuffer<T> x = b.Activation(input);
        b.SetActivation(Output, x);
        if (x.IsScratch)
        {
            b.SetRecompute(Output, () => b.ActivationForBackward(input));
        }

        return () => b.AddGradient(input, b.DrainGradient(Output));
    }
}
