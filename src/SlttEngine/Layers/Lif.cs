using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>
/// LIF neuron without batch norm in it, as the normaliser-free networks use it: spikes · spikeScale of u(t) = λ v(t−1) + inputScale ·
/// (x(t) + bias).
/// </summary>
/// <remarks>Keeps the membrane potential u alone.</remarks>
public sealed class Lif : Layer
{
    private readonly Edge input;
    private readonly float inputScale;
    private readonly float spikeScale;
    private readonly float rate;
    private readonly NeuronOverrides? overrides;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">PyTorch's name of the neuron.</param>
    /// <param name="input">What it reads; a convolution's bias is added here.</param>
    /// <param name="inputScale">1/β.</param>
    /// <param name="spikeScale">What a spike counts for.</param>
    /// <param name="dropRate">Part of the spikes dropped, with one mask for all steps.</param>
    /// <param name="neuron">Constants in which its neurons differ from the run's; null: none.</param>
    public Lif(string name, Edge input, float inputScale, float spikeScale, float dropRate = 0, NeuronOverrides? neuron = null)
        : base(name)
    {
        neuron?.Validate(name);
        (this.input, this.inputScale, this.spikeScale, rate, overrides) = (input, inputScale, spikeScale, dropRate, neuron);
        Output = new Edge(name, input.Height, input.Width, input.Channels, dependsOnInputOnly: false);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override Edge Spikes => Output;

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        NeuronOptions neuron = overrides?.Over(b.Neuron) ?? b.Neuron;
        Dropout dropout = b.NewDropout(rate);
        (DeviceBuffer<T> x, DeviceBuffer<float>? bias) = b.ActivationAndBias(input);
        DeviceBuffer<T> u = b.Keep<T>(Name + " u", BufferKind.State, b.Count(Output), b.Shape.Training ? b.Copies : 1);
        DeviceBuffer<T> spikes = b.NewActivation(Output);
        b.Add(Section.Forward, new Op(
            Name + " fire",
            [x, u, .. OptionalBuffers.Present(bias)],
            [spikes, u],
            t => b.Device.Kernels.LifForward(
                b.Elementwise(b.Count(Output)),
                spikes.At(t),
                u.At(t),
                u.Before(t),
                x.At(t),
                bias.AtOrNull(0),
                inputScale,
                spikeScale,
                neuron.Lambda,
                neuron.Threshold,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                b.Rows(input),
                input.Channels)));
        SpikeOps.Observe(b, Output, u, neuron.Threshold, (Output, spikes), spikeScale);
        if (spikes.IsScratch)
        {
            b.SetRecompute(Output, () => SpikeOps.Recompute(b, Output, u, neuron.Threshold, spikeScale, dropout));
        }

        return () => EmitBackward(b, u, neuron, dropout);
    }

    private void EmitBackward<T>(ProgramBuilder<T> b, DeviceBuffer<T> u, NeuronOptions neuron, Dropout dropout)
        where T : unmanaged
    {
        // The kernel adds up two gradients of the spikes, which dropout must then leave alone, and one that reaches the input past the
        // neuron.
        (DeviceBuffer<T> gradSpikes, DeviceBuffer<T>? gradResidual) = b.DrainSum(Output, max: dropout.Rate > 0 ? 1 : 2);
        DeviceBuffer<T>? gradSkip = b.IsStatic(input) ? b.DrainStepGradient(input)
            : b.DrainGradients(input, max: 1) is [DeviceBuffer<T> skip] ? skip : null;
        SpikeGradients<T> gradients = new(gradSpikes, gradResidual, gradSkip, SpikeOps.Carried(b, Output));
        DeviceBuffer<T> gradInput = b.Scratch<T>(
            input.Name + " gradient from " + Name, b.Count(input), b.IsStatic(input) ? Section.End : Section.Backward);
        b.AddGradient(input, gradInput);
        long n = b.Count(Output);
        if (b.IsStatic(input))
        {
            DeviceBuffer<float> sum = SpikeOps.AccumulateOverTime(
                b, Output, input, u, neuron, gradients, (inputScale, spikeScale), dropout);
            b.Add(Section.End, new Op(
                Name + " gradient cast", [sum], [gradInput], t => b.Device.Kernels.Cast(b.Elementwise(n), gradInput.At(t), sum.At(t), n)));
            return;
        }

        b.Add(Section.Backward, new Op(
            Name + " backward",
            [u, .. gradients.Present],
            [gradInput, .. gradients.Updated],
            t => b.Device.Kernels.LifBackward(
                b.Elementwise(n),
                gradInput.At(t),
                gradSpikes.At(t),
                gradResidual.AtOrNull(t),
                gradSkip.AtOrNull(t),
                u.At(t),
                gradients.Carried.AtOrNull(t),
                inputScale,
                spikeScale,
                neuron.Lambda,
                neuron.Threshold,
                (int)neuron.Surrogate,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                n),
            InPlace: (gradInput, gradSpikes)));
    }
}
