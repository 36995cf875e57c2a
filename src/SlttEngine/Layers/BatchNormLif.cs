using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Batch norm, LIF neuron, dropout and average pool in one: spikes of u(t) = λ v(t−1) + BN(x(t) + residual(t)).</summary>
/// <remarks>
/// Keeps, for each neuron, the membrane potential u and batch norm's input x, and nothing else. Spikes are recomputed from u when a weight
/// gradient needs them. Where spikes are pooled, only the pooled ones are made. The biases of the convolutions in front go into the running
/// mean alone.
/// </remarks>
public sealed class BatchNormLif : Layer
{
    private const int LargestWindow = 8; // of the kernels

    private readonly BatchNormModule norm;
    private readonly ConvolutionSum input;
    private readonly float dropRate;
    private readonly int pool;
    private readonly NeuronOverrides? overrides;
    private readonly Edge spikes;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">PyTorch's name of the neuron.</param>
    /// <param name="norm">Batch norm's parameters.</param>
    /// <param name="input">What is normalised: a convolution's output x, with a residual or without.</param>
    /// <param name="dropRate">Part of the spikes dropped, with one mask for all steps.</param>
    /// <param name="pool">Windows of pool × pool pixels are averaged, after the dropout; it divides height and width
    /// (<see cref="CanPool"/>).</param>
    /// <param name="neuron">Constants in which its neurons differ from the run's; null: none.</param>
    /// <exception cref="SlttException">Shapes, channels or the pool's windows do not fit.</exception>
    public BatchNormLif(
        string name, BatchNormModule norm, ConvolutionSum input, float dropRate = 0, int pool = 1, NeuronOverrides? neuron = null)
        : base(name)
    {
        neuron?.Validate(name);
        (this.norm, this.input, this.dropRate, this.pool, overrides) = (norm, input, dropRate, pool, neuron);
        input.Check(name, norm);
        Edge x = input.Main;
        if (!CanPool(x, pool))
        {
            throw GraphError.Of(
                $"{name}: {x.Height}×{x.Width} pixels can't be pooled by windows of {pool}",
                $"take a window of 1 to {LargestWindow} that divides height and width, or an AvgPool behind the neurons");
        }

        x.SavedForBackward = true;
        spikes = new Edge(name, x.Height, x.Width, x.Channels, dependsOnInputOnly: false);
        Output = pool == 1 ? spikes : new Edge(name, x.Height / pool, x.Width / pool, x.Channels, dependsOnInputOnly: false);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => input.Edges;

    /// <inheritdoc/>
    public override Edge Spikes => spikes;

    /// <summary>True if the layer can pool by itself: windows of this size leave no pixel over.</summary>
    /// <param name="input">A convolution's output.</param>
    /// <param name="window">Pixels in a line of a window.</param>
    public static bool CanPool(Edge input, int window) =>
        window is >= 1 and <= LargestWindow && input.Height % window == 0 && input.Width % window == 0;

    /// <inheritdoc/>
    public override long[] FanOutOfSpikes(ReadOnlySpan<long> further) => AdaptiveAvgPool.FanOut(
        spikes, Output, further, o => (o * pool, (o + 1) * pool), o => (o * pool, (o + 1) * pool));

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        BatchNormOps<T> batchNorm = new(b, Name, norm, input);
        DeviceBuffer<T> u = b.Keep<T>(Name + " u", BufferKind.State, b.Count(spikes), b.Shape.Training ? b.Copies : 1);
        Neurons<T> neurons = new(this, b, batchNorm, u, b.NewDropout(dropRate));
        batchNorm.EmitStatistics();
        neurons.EmitFire();
        return neurons.EmitBackward;
    }

    /// <summary>The neurons' operations in one program, with a pool behind them or without.</summary>
    /// <typeparam name="T">Compute type.</typeparam>
    private sealed class Neurons<T>(BatchNormLif layer, ProgramBuilder<T> b, BatchNormOps<T> batchNorm, DeviceBuffer<T> u, Dropout dropout)
        where T : unmanaged
    {
        private readonly long rows = b.Rows(layer.spikes);
        private readonly int channels = layer.spikes.Channels;
        private readonly int width = layer.spikes.Width;
        private readonly int window = layer.pool;
        private readonly NeuronOptions neuron = layer.overrides?.Over(b.Neuron) ?? b.Neuron;

        private string Name => layer.Name;

        private Kernels Kernels => b.Device.Kernels;

        private LaunchShape Elementwise => b.Elementwise(rows * channels);

        /// <summary>Emits spikes, or their averages, of u = λ v + BN(x).</summary>
        public void EmitFire()
        {
            DeviceBuffer<T> output = b.NewActivation(layer.Output);
            DeviceBuffer[] reads = [batchNorm.X, batchNorm.Mean, batchNorm.Scale, u];
            b.Add(Section.Forward, window == 1
                ? new Op(Name + " normalise and fire", reads, [output, u], t => Fire(output, t))
                : new Op(Name + " normalise, fire and pool", reads, [output, u], t => FireAndPool(output, t)));
            SpikeOps.Observe(b, layer.spikes, u, neuron.Threshold, (layer.Output, output), spikeScale: 1);
            if (window == 1 && dropout.Rate == 0)
            {
                b.SetPotential(layer.Output, u, neuron.Threshold);
            }

            if (output.IsScratch)
            {
                b.SetRecompute(layer.Output, window == 1 ? RecomputeSpikes : RecomputePooled);
            }
        }

        /// <summary>Emits the gradient of the batch norm's input, of the gradient of the spikes or of their averages.</summary>
        public void EmitBackward()
        {
            // Dropout would have to mask the sum of two gradients, a pool to spread it: the kernels do so with one.
            (DeviceBuffer<T> gradOutput, DeviceBuffer<T>? gradResidual) = b.DrainSum(
                layer.Output, max: dropout.Rate > 0 || window > 1 ? 1 : 2);
            SpikeGradients<T> gradients = new(gradOutput, gradResidual, Skip: null, SpikeOps.Carried(b, layer.spikes));
            DeviceBuffer<T> gradInput = b.IsStatic(layer.input.Main)
                ? batchNorm.EmitStaticBackward(AccumulateOverTime(gradients))
                : EmitStepBackward(gradients);
            foreach (Edge edge in layer.Inputs)
            {
                b.AddGradient(edge, gradInput);
            }
        }

        private void Fire(DeviceBuffer<T> output, int t) => Kernels.BatchNormLifForward(
            Elementwise,
            output.At(t),
            u.At(t),
            u.Before(t),
            batchNorm.X.At(t),
            batchNorm.Mean.At(t),
            batchNorm.Scale.At(t),
            b.Store.Weight(layer.norm.Bias),
            neuron.Lambda,
            neuron.Threshold,
            dropout.Rate,
            dropout.Layer,
            b.RunState,
            rows,
            channels);

        private void FireAndPool(DeviceBuffer<T> output, int t) => Kernels.BatchNormLifPoolForward(
            Elementwise,
            output.At(t),
            u.At(t),
            u.Before(t),
            batchNorm.X.At(t),
            batchNorm.Mean.At(t),
            batchNorm.Scale.At(t),
            b.Store.Weight(layer.norm.Bias),
            neuron.Lambda,
            neuron.Threshold,
            dropout.Rate,
            dropout.Layer,
            b.RunState,
            rows,
            channels,
            width,
            window);

        private DeviceBuffer<T> RecomputeSpikes() => SpikeOps.Recompute(b, layer.Output, u, neuron.Threshold, 1f, dropout);

        /// <summary>Recomputes the pooled spikes of a step from u, in the backward section.</summary>
        private DeviceBuffer<T> RecomputePooled()
        {
            DeviceBuffer<T> recomputed = b.Scratch<T>(Name + " recomputed", b.Count(layer.Output));
            b.Add(Section.Backward, new Op(
                Name + " pooled spikes recomputed",
                [u],
                [recomputed],
                t => Kernels.SpikesPool(
                    Elementwise,
                    recomputed.At(t),
                    u.At(t),
                    neuron.Threshold,
                    dropout.Rate,
                    dropout.Layer,
                    b.RunState,
                    rows,
                    channels,
                    width,
                    window)));
            return recomputed;
        }

        /// <summary>
        /// An input that changes from step to step: the gradient of the normalised value and its sums, then batch norm's backward.
        /// </summary>
        private DeviceBuffer<T> EmitStepBackward(SpikeGradients<T> gradients)
        {
            DeviceBuffer<T> gradNorm = b.Scratch<T>(Name + " gradient", b.Count(layer.spikes));
            DeviceBuffer<double> partials = batchNorm.Partials("backward", Section.Backward);
            DeviceBuffer[] reads = [u, batchNorm.X, batchNorm.Mean, batchNorm.Invstd, .. gradients.Present];
            DeviceBuffer[] writes = [gradNorm, partials, .. gradients.Updated];
            string op = Name + " backward";
            b.Add(Section.Backward, window == 1
                ? new Op(op, reads, writes, t => Backward(gradients, gradNorm, partials, t), InPlace: (gradNorm, gradients.Spikes))
                : new Op(op, reads, writes, t => BackwardOfPooled(gradients, gradNorm, partials, t)));
            return batchNorm.EmitBackward(gradNorm, partials);
        }

        private void Backward(SpikeGradients<T> gradients, DeviceBuffer<T> gradNorm, DeviceBuffer<double> partials, int t) =>
            Kernels.BatchNormLifBackward(
                batchNorm.Sums,
                gradNorm.At(t),
                partials.At(t),
                gradients.Spikes.At(t),
                gradients.Residual.AtOrNull(t),
                u.At(t),
                gradients.Carried.AtOrNull(t),
                batchNorm.X.At(t),
                batchNorm.Mean.At(t),
                batchNorm.Invstd.At(t),
                neuron.Lambda,
                neuron.Threshold,
                (int)neuron.Surrogate,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                rows,
                channels);

        private void BackwardOfPooled(SpikeGradients<T> gradients, DeviceBuffer<T> gradNorm, DeviceBuffer<double> partials, int t) =>
            Kernels.BatchNormLifPoolBackward(
                batchNorm.Sums,
                gradNorm.At(t),
                partials.At(t),
                gradients.Spikes.At(t),
                u.At(t),
                gradients.Carried.AtOrNull(t),
                batchNorm.X.At(t),
                batchNorm.Mean.At(t),
                batchNorm.Invstd.At(t),
                neuron.Lambda,
                neuron.Threshold,
                (int)neuron.Surrogate,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                rows,
                channels,
                width,
                window);

        /// <summary>An input that is the same at every step: the gradient of the normalised value is added up over the steps.</summary>
        private DeviceBuffer<float> AccumulateOverTime(SpikeGradients<T> gradients)
        {
            if (window == 1)
            {
                return SpikeOps.AccumulateOverTime(b, layer.Output, layer.input.Main, u, neuron, gradients, (1f, 1f), dropout);
            }

            DeviceBuffer<float> sum = SpikeOps.SumOverTime(b, layer.input.Main);
            b.Add(Section.Backward, new Op(
                Name + " backward",
                [u, sum, .. gradients.Present],
                [sum, .. gradients.Updated],
                t => Kernels.LifPoolBackwardAccumulate(
                    Elementwise,
                    sum.At(t),
                    gradients.Spikes.At(t),
                    u.At(t),
                    gradients.Carried.AtOrNull(t),
                    neuron.Lambda,
                    neuron.Threshold,
                    (int)neuron.Surrogate,
                    dropout.Rate,
                    dropout.Layer,
                    b.RunState,
                    rows,
                    channels,
                    width,
                    window)));
            return sum;
        }
    }
}
