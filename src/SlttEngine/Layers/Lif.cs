using ManagedCuda.BasicTypes;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>LIF neuron without batch norm in it, as the normaliser-free networks use it: spikes · spikeScale of u(t) = λ v(t−1) + inputScale · (x(t) + bias).</summary>
/// <remarks>Keeps the membrane potential u alone.</remarks>
public sealed class Lif : Layer
{
    private readonly Edge input;
    private readonly float inputScale;
    private readonly float spikeScale;
    private readonly float rate;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">PyTorch's name of the neuron.</param>
    /// <param name="input">What it reads; a convolution's bias is added here.</param>
    /// <param name="inputScale">1/β.</param>
    /// <param name="spikeScale">What a spike counts for.</param>
    /// <param name="dropRate">Part of the spikes dropped, with one mask for all steps.</param>
    public Lif(string name, Edge input, float inputScale, float spikeScale, float dropRate = 0)
        : base(name)
    {
        (this.input, this.inputScale, this.spikeScale, rate) = (input, inputScale, spikeScale, dropRate);
        Output = new Edge(name, input.Height, input.Width, input.Channels, dependsOnInputOnly: false);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override Edge Spikes => Output;

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        long rows = (long)b.Shape.Batch * input.Height * input.Width;
        long n = rows * input.Channels;
        int copies = b.Shape.Training ? b.Copies : 1;
        float dropRate = b.Shape.Training ? rate : 0;
        uint dropLayer = dropRate > 0 ? b.DropoutLayers++ : 0;
        DeviceBuffer x = b.Forward(input);
        DeviceBuffer u = b.Keep(Name + " u", BufferKind.State, b.BytesOf(Output), copies);
        DeviceBuffer spikes = b.NewOutput(Output);
        b.Add(Section.Forward, new Op(
            Name + " fire",
            [x, u],
            [spikes, u],
            t => b.Device.Launch(
                "lif_forward_" + b.Suffix,
                SpikeOps.Elements(b, n),
                spikes.At(t),
                u.At(t),
                u.Before(t),
                x.At(t),
                b.Bias(input),
                inputScale,
                spikeScale,
                b.Neuron.Lambda,
                b.Neuron.Threshold,
                dropRate,
                dropLayer,
                b.RunState,
                rows,
                input.Channels)));
        SpikeOps.Count(b, Output, u);
        if (spikes.IsScratch)
        {
            b.SetRegenerator(Output, () => SpikeOps.Regenerate(b, Output, u, spikeScale, dropRate, dropLayer));
        }

        return () => Backward(b, u, n, dropRate, dropLayer);
    }

    private void Backward(ProgramBuilder b, DeviceBuffer u, long n, float dropRate, uint dropLayer)
    {
        IReadOnlyList<DeviceBuffer> gradients = b.TakeGradients(Output);
        IReadOnlyList<DeviceBuffer> skips = b.TakeGradients(input);
        if (gradients.Count is 0 or > 2 || skips.Count > 1 || (gradients.Count > 1 && dropRate > 0))
        {
            throw new InvalidOperationException(
                $"{Name}: {gradients.Count} gradients of its output and {skips.Count} of its input with drop rate {dropRate} can't be added up");
        }

        DeviceBuffer gradSpikes = gradients[0];
        DeviceBuffer? gradResidual = gradients.Count > 1 ? gradients[1] : null;
        DeviceBuffer? gradSkip = skips.Count > 0 ? skips[0] : null;
        DeviceBuffer? carried = SpikeOps.Carried(b, Output);
        DeviceBuffer gradInput = ProgramBuilder.Scratch(input.Name + " gradient from " + Name, b.BytesOf(input));
        if (b.IsStatic(input))
        {
            DeviceBuffer sum = SpikeOps.AccumulateOverTime(b, Output, input, u, gradSpikes, gradResidual, gradSkip, carried, inputScale, spikeScale, dropRate, dropLayer);
            b.Add(Section.End, new Op(
                Name + " gradient cast",
                [sum],
                [gradInput],
                t => b.Device.Launch("cast_" + b.Suffix, SpikeOps.Elements(b, n), gradInput.At(t), sum.At(t), n)));
        }
        else
        {
            DeviceBuffer[] optional = [.. new[] { gradResidual, gradSkip, carried }.OfType<DeviceBuffer>()];
            b.Add(Section.Backward, new Op(
                Name + " backward",
                [gradSpikes, u, .. optional],
                [gradInput, .. carried is null ? Array.Empty<DeviceBuffer>() : [carried]],
                t => b.Device.Launch(
                    "lif_backward_" + b.Suffix,
                    SpikeOps.Elements(b, n),
                    gradInput.At(t),
                    gradSpikes.At(t),
                    gradResidual?.At(t) ?? default(CUdeviceptr),
                    gradSkip?.At(t) ?? default(CUdeviceptr),
                    u.At(t),
                    carried?.At(t) ?? default(CUdeviceptr),
                    inputScale,
                    spikeScale,
                    b.Neuron.Lambda,
                    b.Neuron.Threshold,
                    (int)b.Neuron.Surrogate,
                    dropRate,
                    dropLayer,
                    b.RunState,
                    n),
                InPlace: (gradInput, gradSpikes)));
        }

        b.AddGradient(input, gradInput);
    }
}
