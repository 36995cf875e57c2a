using SlttEngine.Device;
using SlttEngine.Planning;

namespace SlttEngine.Layers;

/// <summary>AdaptiveAvgPool2d: any size to any size, also from smaller maps.</summary>
public sealed class AdaptiveAvgPool : Layer
{
    private readonly Value input;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">Name.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="size">Output height and width.</param>
    public AdaptiveAvgPool(string name, Value input, int size)
        : base(name)
    {
        this.input = input;
        Output = new Value(name, size, size, input.Channels, input.DependsOnInputOnly);
    }

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        Op Forward(Tensor from, Tensor to) => new(
            Name + " forward",
            [from],
            [to],
            t => b.Device.Launch(
                "adaptive_avg_pool_forward_" + b.Suffix,
                SpikeOps.Elements(b, Output.Elements * b.Shape.Batch),
                to.At(t),
                from.At(t),
                b.Shape.Batch,
                input.Height,
                input.Width,
                input.Channels,
                Output.Height,
                Output.Width));

        Tensor output = b.NewOutput(Output);
        b.Add(b.ForwardOf(Output), Forward(b.Forward(input), output));
        if (output.IsScratch)
        {
            b.SetRegenerator(Output, () =>
            {
                Tensor again = ProgramBuilder.Scratch(Name + " again", b.BytesOf(Output));
                b.Add(Section.Backward, Forward(b.ForBackward(input), again));
                return again;
            });
        }

        return () =>
        {
            Tensor gradOutput = b.TakeGradient(Output);
            Tensor gradInput = ProgramBuilder.Scratch(input.Name + " gradient from " + Name, b.BytesOf(input));
            b.Add(b.BackwardOf(Output), new Op(
                Name + " backward",
                [gradOutput],
                [gradInput],
                t => b.Device.Launch(
                    "adaptive_avg_pool_backward_" + b.Suffix,
                    SpikeOps.Elements(b, input.Elements * b.Shape.Batch),
                    gradInput.At(t),
                    gradOutput.At(t),
                    b.Shape.Batch,
                    input.Height,
                    input.Width,
                    input.Channels,
                    Output.Height,
                    Output.Width)));
            b.AddGradient(input, gradInput);
        };
    }
}
