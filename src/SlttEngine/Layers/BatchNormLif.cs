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
        MarkRecomputable();
        spikes = new Edge(name, x.Height, x.Width, x.Channels, dependsOnInputOnly: false)
        {
            Origin = Origin.Neurons,
            IsExactInTf32 = Lif.IsExactInTf32(1, dropRate),
        };
        Output = pool == 1 ? spikes : new Edge(name, x.Height / pool, x.Width / pool, x.Channels, dependsOnInputOnly: false)
        {
            Origin = Origin.Neurons,
            IsExactInTf32 = spikes.IsExactInTf32 && int.IsPow2(pool),
        };
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
    internal override bool AllowsStepsSideBySide(bool staticInput) =>
        !staticInput || input.Residual is null || input.Residual.DependsOnInputOnly == input.Main.DependsOnInputOnly;

    /// <inheritdoc/>
    internal override void Describe(InferenceGraph graph)
    {
        InferenceNode.BatchNorm normalised = graph.Add(input.Describe(graph, norm));
        NeuronOptions constants = overrides?.Over(graph.Neuron) ?? graph.Neuron;
        InferenceNode.Neurons neurons = new(Name, normalised, constants);
        graph.Set(spikes, neurons);
        if (pool > 1)
        {
            graph.Set(Output, new InferenceNode.AvgPool(Name + ".pool", InferenceGraph.ShapeOf(Output), neurons, (pool, pool, 0)));
        }
    }

    /// <inheritdoc/>
    public override Action Emit<T>(ProgramBuilder<T> b)
    {
        BatchNormOps<T> batchNorm = new(b, Name, norm, input);
        DeviceBuffer<T> u = SpikeOps.Potential(b, spikes);
        Neurons<T> neurons = new(this, b, batchNorm, u, b.NewDropout(dropRate));
        batchNorm.EmitStatistics();
        neurons.EmitFire();
        return neurons.EmitBackward;
    }

    /// <summary>Backward can make x + residual again if x is a convolution's output, and the residual that or spikes.</summary>
    private void MarkRecomputable()
    {
        bool makesResidual = input.Residual is null
            || (input.Residual.Origin != Origin.Other && input.Residual.DependsOnInputOnly == input.Main.DependsOnInputOnly);
        if (input.Main.Origin != Origin.Convolution || !makesResidual)
        {
            return;
        }

        input.Main.CanBeRecomputed = true;
        if (input.Residual is { Origin: Origin.Convolution } residual)
        {
            residual.CanBeRecomputed = true;
            input.Main.RecomputedResidual = residual;
        }
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

        /// <summary>1 where all steps read the same input.</summary>
        private int SharesInput => b.IsStatic(layer.input.Main) ? 1 : 0;

        /// <summary>1 where all steps are normalised alike.</summary>
        private int SharesNorm => batchNorm.Mean.Copies == 1 ? 1 : 0;

        /// <summary>Emits spikes, or their averages, of u = λ v + BN(x).</summary>
        public void EmitFire()
        {
            DeviceBuffer<T> output = b.NewActivation(layer.Output);
            DeviceBuffer[] reads = [batchNorm.X, batchNorm.Mean, batchNorm.Scale, .. SpikeOps.Read(u)];
            DeviceBuffer[] writes = [output, u];
            b.Add(Section.Forward, (window == 1
                ? Op.ForSteps(Name + " normalise and fire", reads, writes, s => Fire(output, s))
                : Op.ForSteps(Name + " normalise, fire and pool", reads, writes, s => FireAndPool(output, s)))
            with
            { CarriedBytes = SpikeOps.CarriedBytes(u) + (SharesInput * batchNorm.X.Bytes) });
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

        private void Fire(DeviceBuffer<T> output, StepRange s) => Kernels.BatchNormLifForward(
            Elementwise,
            output.At(s.First),
            u.At(s.First),
            u.Before(s.First),
            batchNorm.X.At(s.First),
            batchNorm.Mean.At(s.First),
            batchNorm.Scale.At(s.First),
            b.Store.Weight(layer.norm.Bias),
            neuron.Lambda,
            neuron.Threshold,
            dropout.Rate,
            dropout.Layer,
            b.RunState,
            SharesInput,
            SharesNorm,
            SpikeOps.KeepsLastOnly(b, u),
            s.Count,
            rows,
            channels);

        private void FireAndPool(DeviceBuffer<T> output, StepRange s) => Kernels.BatchNormLifPoolForward(
            Elementwise,
            output.At(s.First),
            u.At(s.First),
            u.Before(s.First),
            batchNorm.X.At(s.First),
            batchNorm.Mean.At(s.First),
            batchNorm.Scale.At(s.First),
            b.Store.Weight(layer.norm.Bias),
            neuron.Lambda,
            neuron.Threshold,
            dropout.Rate,
            dropout.Layer,
            b.RunState,
            SharesInput,
            SharesNorm,
            SpikeOps.KeepsLastOnly(b, u),
            s.Count,
            rows,
            channels,
            width,
            window);

        private DeviceBuffer<T> RecomputeSpikes() => SpikeOps.Recompute(b, layer.Output, u, neuron.Threshold, 1f, dropout);

        /// <summary>Recomputes the pooled spikes of a step from u, in the backward section.</summary>
        private DeviceBuffer<T> RecomputePooled()
        {
            DeviceBuffer<T> recomputed = b.Scratch<T>(Name + " recomputed", b.Count(layer.Output));
            b.Add(Section.Backward, Op.ForSteps(
                Name + " pooled spikes recomputed",
                [u],
                [recomputed],
                s => Kernels.SpikesPool(
                    b.Elementwise(rows * channels, s),
                    recomputed.At(s.First),
                    u.At(s.First),
                    neuron.Threshold,
                    dropout.Rate,
                    dropout.Layer,
                    b.RunState,
                    s.Count,
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
            BatchNormSums sums = batchNorm.NewSums(Section.Backward);
            DeviceBuffer<T> x = batchNorm.EmitXForBackward();
            DeviceBuffer[] reads = [u, x, batchNorm.Mean, batchNorm.Invstd, .. gradients.Present];
            DeviceBuffer[] writes = [gradNorm, sums.Partials, sums.Coefficients, .. gradients.Updated];
            string op = Name + " backward";
            b.Add(Section.Backward, (window == 1
                ? Op.ForSteps(op, reads, writes, s => Backward(gradients, x, gradNorm, sums, s), inPlace: (gradNorm, gradients.Spikes))
                : Op.ForSteps(op, reads, writes, s => BackwardOfPooled(gradients, x, gradNorm, sums, s)))
            with
            { CarriedBytes = 2 * SpikeOps.CarriedBytes(gradients.Carried) });
            return batchNorm.EmitBackward(x, gradNorm, sums.Coefficients);
        }

        /// <summary>Backward through time walks back through the steps; without it they are side by side.</summary>
        private LaunchShape Sums(SpikeGradients<T> gradients, StepRange s) => batchNorm.Sums(gradients.Carried is null ? s.Count : 1);

        private void Backward(
            SpikeGradients<T> gradients, DeviceBuffer<T> x, DeviceBuffer<T> gradNorm, BatchNormSums sums, StepRange s) =>
            Kernels.BatchNormLifBackward(
                Sums(gradients, s),
                gradNorm.At(s.First),
                sums.Partials.At(s.First),
                batchNorm.Arrived,
                batchNorm.GradWeight,
                batchNorm.GradBias,
                sums.Coefficients.At(s.First),
                gradients.Spikes.At(s.First),
                gradients.Residual.AtOrNull(s.First),
                u.At(s.First),
                gradients.Carried.AtOrNull(s.First),
                x.At(s.First),
                batchNorm.Mean.At(s.First),
                batchNorm.Invstd.At(s.First),
                neuron.Lambda,
                neuron.Threshold,
                (int)neuron.Surrogate,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                s.Count,
                rows,
                channels);

        private void BackwardOfPooled(
            SpikeGradients<T> gradients, DeviceBuffer<T> x, DeviceBuffer<T> gradNorm, BatchNormSums sums, StepRange s) =>
            Kernels.BatchNormLifPoolBackward(
                Sums(gradients, s),
                gradNorm.At(s.First),
                sums.Partials.At(s.First),
                batchNorm.Arrived,
                batchNorm.GradWeight,
                batchNorm.GradBias,
                sums.Coefficients.At(s.First),
                gradients.Spikes.At(s.First),
                u.At(s.First),
                gradients.Carried.AtOrNull(s.First),
                x.At(s.First),
                batchNorm.Mean.At(s.First),
                batchNorm.Invstd.At(s.First),
                neuron.Lambda,
                neuron.Threshold,
                (int)neuron.Surrogate,
                dropout.Rate,
                dropout.Layer,
                b.RunState,
                s.Count,
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
            b.Add(Section.Backward, Op.ForSteps(
                Name + " backward",
                [u, sum, .. gradients.Present],
                [sum, .. gradients.Updated],
                s => Kernels.LifPoolBackwardAccumulate(
                    Elementwise,
                    sum.At(s.First),
                    gradients.Spikes.At(s.First),
                    u.At(s.First),
                    gradients.Carried.AtOrNull(s.First),
                    neuron.Lambda,
                    neuron.Threshold,
                    (int)neuron.Surrogate,
                    dropout.Rate,
                    dropout.Layer,
                    b.RunState,
                    s.Count,
                    rows,
                    channels,
                    width,
                    window))
            with
            { CarriedBytes = 2 * (sum.Bytes + SpikeOps.CarriedBytes(gradients.Carried)) });
            return sum;
        }
    }
}
