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
