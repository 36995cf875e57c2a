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
        Output = new Edge(name, input.Height, input.Width, input.Channels, dependsOnInputOnly: false)
        {
            Origin = Origin.Neurons,
            IsExactInTf32 = IsExactInTf32(spikeScale, dropRate),
        };
    }

    /// <summary>True if TF32 holds what a spike counts for: a power of two.</summary>
    /// <param name="spikeScale">What it counts for without dropout.</param>
    /// <param name="dropRate">Dropout divides that by 1 − rate.</param>
    internal static bool IsExactInTf32(float spikeScale, float dropRate) => spikeScale == 1 && (dropRate == 0 || dropRate == 0.5f);

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => [input];

    /// <inheritdoc/>
    public override Edge Spikes => Output;

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph) => graph.Set(
        Output,
        new InferenceNode.Neurons(Name, graph.Value(input), overrides?.Over(graph.Neuron) ?? graph.Neuron)
        {
            InputScale = inputScale,
            SpikeScale = spikeScale,
        });

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        NeuronOptions neuron = overrides?.Over(b.Neuron) ?? b.Neuron;
        Dropout dropout = b.NewDropout(rate);
        (DeviceBuffer<T> x, DeviceBuffer<float>? bias) = b.ActivationAndBias(input);
        DeviceBuffer<T> u = SpikeOps.Potential(b, Output);
        DeviceBuffer<T> spikes = b.NewActivation(Output);
        int sharesInput = b.IsStatic(input) ? 1 : 0;
        b.Add(Section.Forward, Op.ForSteps(
            Name + " fire",
            [x, .. SpikeOps.Read(u), .. OptionalBuffers.Present(bias)],
            [spikes, u],
            s => b.Device.Kernels.LifForward(
                b.Elementwise(b.Count(Output)),
                spikes.At(s.First),
                u.At(s.First),
                u.Before(s.First),
                x.At(s.First),
                bias.AtOrNull(0),
                inputScale,
                spikeScale,
                neuron.Lambda,
                neuron.Threshold,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                sharesInput,
                SpikeOps.KeepsLastOnly(b, u),
                s.Count,
                b.Rows(input),
                input.Channels))
        with
        { CarriedBytes = SpikeOps.CarriedBytes(u) + (sharesInput * x.Bytes) });
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

        b.Add(Section.Backward, Op.ForSteps(
            Name + " backward",
            [u, .. gradients.Present],
            [gradInput, .. gradients.Updated],
            s => b.Device.Kernels.LifBackward(
                gradients.Carried is null ? b.Elementwise(n, s) : b.Elementwise(n),
                gradInput.At(s.First),
                gradSpikes.At(s.First),
                gradResidual.AtOrNull(s.First),
                gradSkip.AtOrNull(s.First),
                u.At(s.First),
                gradients.Carried.AtOrNull(s.First),
                inputScale,
                spikeScale,
                neuron.Lambda,
                neuron.Threshold,
                (int)neuron.Surrogate,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                s.Count,
                n),
            inPlace: (gradInput, gradSpikes))
        with
        { CarriedBytes = 2 * SpikeOps.CarriedBytes(gradients.Carried) });
    }
}
