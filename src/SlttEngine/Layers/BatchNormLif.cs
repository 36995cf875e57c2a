using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Batch norm, LIF neuron, dropout and average pool in one: spikes of u(t) = λ v(t−1) + BN(x(t) + residual(t)).</summary>
/// <remarks>
/// Keeps, for each neuron, the membrane potential u and batch norm's input x, and nothing else: spikes are made again from u
/// when a weight gradient needs them. Where they are pooled, only the pooled ones are ever made. The biases of the convolutions in front go into the running mean alone.
/// </remarks>
public sealed class BatchNormLif : Layer
{
    private const int LargestWindow = 8; // of the kernels

    private readonly BatchNormModule norm;
    private readonly Edge input;
    private readonly Parameter? inputBias;
    private readonly Edge? residual;
    private readonly Parameter? residualBias;
    private readonly float dropRate;
    private readonly int pool;
    private readonly Edge spikes;

    /// <summary>Creates the layer.</summary>
    /// <param name="name">PyTorch's name of the neuron.</param>
    /// <param name="norm">Batch norm's parameters.</param>
    /// <param name="input">A convolution's output x.</param>
    /// <param name="inputBias">That convolution's bias, or null.</param>
    /// <param name="residual">Added to x, or null.</param>
    /// <param name="residualBias">Bias of the convolution that made the residual, or null.</param>
    /// <param name="dropRate">Part of the spikes dropped, with one mask for all steps.</param>
    /// <param name="pool">Windows of pool × pixels on a side are averaged, after the dropout; it divides height and width (<see cref="CanPool"/>).</param>
    public BatchNormLif(
        string name, BatchNormModule norm, Edge input, Parameter? inputBias, Edge? residual = null, Parameter? residualBias = null, float dropRate = 0, int pool = 1)
        : base(name)
    {
        if (!CanPool(input, pool))
        {
            throw new ArgumentException($"{name}: {input.Height}×{input.Width} pixels can't be pooled by windows of {pool}");
        }

        this.norm = norm;
        this.input = input;
        this.inputBias = inputBias;
        this.residual = residual;
        this.residualBias = residualBias;
        this.dropRate = dropRate;
        this.pool = pool;
        input.SavedForBackward = true;
        spikes = new Edge(name, input.Height, input.Width, input.Channels, dependsOnInputOnly: false);
        Output = pool == 1 ? spikes : new Edge(name, input.Height / pool, input.Width / pool, input.Channels, dependsOnInputOnly: false);
    }

    /// <summary>True if the layer can pool by itself: windows of this size leave no pixel over.</summary>
    /// <param name="input">A convolution's output.</param>
    /// <param name="window">Pixels in a line of a window.</param>
    public static bool CanPool(Edge input, int window) => window <= LargestWindow && input.Height % window == 0 && input.Width % window == 0;

    /// <inheritdoc/>
    public override IReadOnlyList<Edge> Inputs => residual is null ? [input] : [input, residual];

    /// <inheritdoc/>
    public override Edge Spikes => spikes;

    /// <inheritdoc/>
    public override long[] FanOutOfSpikes(ReadOnlySpan<long> further) => AdaptiveAvgPool.FanOut(
        spikes, Output, further, o => (o * pool, (o + 1) * pool), o => (o * pool, (o + 1) * pool));

    /// <inheritdoc/>
    public override Action Emit(ProgramBuilder b)
    {
        Emission e = new(this, b);
        if (b.Shape.Training)
        {
            e.BatchStatistics();
        }
        else
        {
            e.RunningStatistics();
        }

        e.Fire();
        return e.Backward;
    }

    /// <summary>What one program holds of the layer.</summary>
    private sealed class Emission
    {
        private readonly BatchNormLif layer;
        private readonly ProgramBuilder b;
        private readonly ComputeDevice device;
        private readonly long rows;
        private readonly int channels;
        private readonly bool once;
        private readonly DeviceBuffer x;
        private readonly DeviceBuffer mean;
        private readonly DeviceBuffer invstd;
        private readonly DeviceBuffer scale;
        private readonly DeviceBuffer u;
        private readonly float dropRate;
        private readonly uint dropLayer;

        public Emission(BatchNormLif layer, ProgramBuilder b)
        {
            (this.layer, this.b, device) = (layer, b, b.Device);
            rows = (long)b.Shape.Batch * layer.input.Height * layer.input.Width;
            channels = layer.input.Channels;
            once = b.IsStatic(layer.input);
            x = b.Forward(layer.input);
            int copies = once || !b.Shape.Training ? 1 : b.Copies;
            mean = b.Keep(layer.Name + " mean", BufferKind.Saved, 4L * channels, copies);
            invstd = b.Keep(layer.Name + " invstd", BufferKind.Saved, 4L * channels, copies);
            scale = b.Keep(layer.Name + " scale", BufferKind.Saved, 4L * channels, copies);
            u = b.Keep(layer.Name + " u", BufferKind.State, b.BytesOf(layer.spikes), b.Shape.Training ? b.Copies : 1);
            dropRate = b.Shape.Training ? layer.dropRate : 0;
            dropLayer = dropRate > 0 ? b.DropoutLayers++ : 0;
        }

        private NeuronOptions Neuron => b.Neuron;

        private bool Pools => layer.pool > 1;

        /// <summary>The last arguments of the kernels that pool: pixels in a line, pixels in a window's line.</summary>
        private object[] Windows => Pools ? [layer.input.Width, layer.pool] : [];

        private LaunchShape Sums => LaunchShape.RowSums(device, rows, channels);

        private LaunchShape Elements => LaunchShape.Elements(device, rows * channels, b.Shape.Type.Size());

        private CUdeviceptr Weight => b.Store.Weight(layer.norm.Weight);

        private CUdeviceptr InputBias => layer.inputBias is { } bias ? b.Store.Weight(bias) : default;

        private CUdeviceptr ResidualBias => layer.residualBias is { } bias ? b.Store.Weight(bias) : default;

        private DeviceBuffer Partials(string pass) => ProgramBuilder.Scratch($"{layer.Name} {pass} partial sums", 8L * Sums.Blocks * 2 * channels);

        public void BatchStatistics()
        {
            DeviceBuffer partials = Partials("forward");
            DeviceBuffer? potential = layer.residual is { } r ? b.Membrane(r) : null;
            DeviceBuffer? added = layer.residual is { } s && potential is null ? b.Forward(s) : null;
            Section section = b.ForwardOf(layer.input);
            CUdeviceptr runningMean = b.Store.Statistic(layer.norm.RunningMean);
            b.Add(section, new Op(
                layer.Name + " statistics",
                [x, .. Present(potential, added)],
                layer.residual is null ? [partials] : [partials, x],
                t => device.Launch(
                    "batch_norm_statistics_" + b.Suffix, Sums, partials.At(t), x.At(t), At(added, t), At(potential, t), runningMean, Neuron.Threshold, rows, channels)));
            b.Add(section, new Op(
                layer.Name + " statistics finalize",
                [partials],
                [mean, invstd, scale],
                t => device.Launch(
                    "batch_norm_finalize",
                    LaunchShape.SecondStage(channels),
                    mean.At(t),
                    invstd.At(t),
                    scale.At(t),
                    runningMean,
                    b.Store.Statistic(layer.norm.RunningVar),
                    b.Store.Statistic(layer.norm.NumBatchesTracked),
                    partials.At(t),
                    Weight,
                    InputBias,
                    ResidualBias,
                    BatchNormModule.Momentum,
                    BatchNormModule.Epsilon,
                    Sums.Blocks,
                    rows,
                    channels,
                    once ? b.Shape.Steps : 1)));
        }

        public void RunningStatistics()
        {
            b.Add(Section.Begin, new Op(
                layer.Name + " running statistics",
                [],
                [mean, scale],
                t => device.Launch(
                    "batch_norm_inference",
                    LaunchShape.Channels(channels),
                    mean.At(t),
                    scale.At(t),
                    b.Store.Statistic(layer.norm.RunningMean),
                    b.Store.Statistic(layer.norm.RunningVar),
                    Weight,
                    InputBias,
                    ResidualBias,
                    BatchNormModule.Epsilon,
                    channels)));
            if (layer.residual is { } r)
            {
                DeviceBuffer added = b.Forward(r);
                b.Add(b.ForwardOf(layer.input), new Op(
                    layer.Name + " residual",
                    [x, added],
                    [x],
                    t => device.Launch(
                        "residual_add_" + b.Suffix, Elements, x.At(t), x.At(t), added.At(t), default(CUdeviceptr), default(CUdeviceptr), rows, channels)));
            }
        }

        public void Fire()
        {
            DeviceBuffer spikes = b.NewOutput(layer.Output);
            CUdeviceptr beta = b.Store.Weight(layer.norm.Bias);
            b.Add(Section.Forward, new Op(
                layer.Name + (Pools ? " normalise, fire and pool" : " normalise and fire"),
                [x, mean, scale, u],
                [spikes, u],
                t => device.Launch(
                    (Pools ? "batch_norm_lif_pool_forward_" : "batch_norm_lif_forward_") + b.Suffix,
                    Elements,
                    [
                        spikes.At(t),
                        u.At(t),
                        u.Before(t),
                        x.At(t),
                        mean.At(t),
                        scale.At(t),
                        beta,
                        Neuron.Lambda,
                        Neuron.Threshold,
                        dropRate,
                        dropLayer,
                        b.RunState,
                        rows,
                        channels,
                        .. Windows,
                    ])));
            SpikeOps.Count(b, layer.spikes, u);
            if (dropRate == 0 && !Pools)
            {
                b.SetMembrane(layer.Output, u);
            }

            if (spikes.IsScratch)
            {
                b.SetRegenerator(layer.Output, Pools ? PoolAgain : () => SpikeOps.Regenerate(b, layer.Output, u, 1f, dropRate, dropLayer));
            }
        }

        /// <summary>Makes the pooled spikes of a step again from u, in the backward section.</summary>
        private DeviceBuffer PoolAgain()
        {
            DeviceBuffer again = ProgramBuilder.Scratch(layer.Name + " again", b.BytesOf(layer.Output));
            b.Add(Section.Backward, new Op(
                layer.Name + " pooled spikes again",
                [u],
                [again],
                t => device.Launch(
                    "spikes_pool_" + b.Suffix, Elements, [again.At(t), u.At(t), Neuron.Threshold, dropRate, dropLayer, b.RunState, rows, channels, .. Windows])));
            return again;
        }

        public void Backward()
        {
            IReadOnlyList<DeviceBuffer> gradients = b.TakeGradients(layer.Output);
            DeviceBuffer gradSpikes = gradients[0];
            DeviceBuffer? gradResidual = gradients.Count > 1 ? gradients[1] : null;
            if (gradients.Count > 2 || (gradResidual is not null && (dropRate > 0 || Pools)))
            {
                throw new InvalidOperationException($"{layer.Name}: {gradients.Count} gradients with drop rate {dropRate} and windows of {layer.pool} can't be added up");
            }

            DeviceBuffer? carried = SpikeOps.Carried(b, layer.spikes);
            DeviceBuffer gradInput = once ? BackwardOnce(gradSpikes, gradResidual, carried) : BackwardStep(gradSpikes, gradResidual, carried);
            b.AddGradient(layer.input, gradInput);
            if (layer.residual is { } r)
            {
                b.AddGradient(r, gradInput);
            }
        }

        /// <summary>Input that changes from step to step: du and its sums, then batch norm's backward.</summary>
        private DeviceBuffer BackwardStep(DeviceBuffer gradSpikes, DeviceBuffer? gradResidual, DeviceBuffer? carried)
        {
            DeviceBuffer gradNorm = ProgramBuilder.Scratch(layer.Name + " gradient", b.BytesOf(layer.spikes));
            DeviceBuffer gradInput = x; // Nothing reads x once its own gradient is known, so that takes its place.
            DeviceBuffer partials = Partials("backward");
            DeviceBuffer coefficients = ProgramBuilder.Scratch(layer.Name + " coefficients", 8L * channels);
            b.Add(Section.Backward, new Op(
                layer.Name + " backward",
                [gradSpikes, u, x, mean, invstd, .. Present(gradResidual, carried)],
                [gradNorm, partials, .. Present(carried)],
                t => device.Launch(
                    (Pools ? "batch_norm_lif_pool_backward_" : "batch_norm_lif_backward_") + b.Suffix,
                    Sums,
                    [
                        gradNorm.At(t),
                        partials.At(t),
                        gradSpikes.At(t),
                        .. Pools ? Array.Empty<object>() : [At(gradResidual, t)],
                        u.At(t),
                        At(carried, t),
                        x.At(t),
                        mean.At(t),
                        invstd.At(t),
                        Neuron.Lambda,
                        Neuron.Threshold,
                        (int)Neuron.Surrogate,
                        dropRate,
                        dropLayer,
                        b.RunState,
                        rows,
                        channels,
                        .. Windows,
                    ]),
                InPlace: Pools ? null : (gradNorm, gradSpikes)));
            Finalize(Section.Backward, partials, coefficients);
            b.Add(Section.Backward, Apply("batch_norm_backward_apply_", gradInput, gradNorm, coefficients));
            return gradInput;
        }

        /// <summary>Input that is the same at every step: batch norm's backward is linear in the gradient, so du is added up over t first.</summary>
        private DeviceBuffer BackwardOnce(DeviceBuffer gradSpikes, DeviceBuffer? gradResidual, DeviceBuffer? carried)
        {
            DeviceBuffer sum = Pools
                ? AccumulatePooled(gradSpikes, carried)
                : SpikeOps.AccumulateOverTime(b, layer.Output, layer.input, u, gradSpikes, gradResidual, null, carried, 1f, 1f, dropRate, dropLayer);
            DeviceBuffer gradInput = ProgramBuilder.Scratch(layer.input.Name + " gradient", b.BytesOf(layer.input));
            DeviceBuffer partials = Partials("backward");
            DeviceBuffer coefficients = ProgramBuilder.Scratch(layer.Name + " coefficients", 8L * channels);
            b.Add(Section.End, new Op(
                layer.Name + " backward reduce",
                [sum, x, mean, invstd],
                [partials],
                t => device.Launch("batch_norm_backward_reduce_" + b.Suffix, Sums, partials.At(t), sum.At(t), x.At(t), mean.At(t), invstd.At(t), rows, channels)));
            Finalize(Section.End, partials, coefficients);
            b.Add(Section.End, Apply("batch_norm_backward_apply_sum_", gradInput, sum, coefficients));
            return gradInput;
        }

        private DeviceBuffer AccumulatePooled(DeviceBuffer gradPooled, DeviceBuffer? carried)
        {
            DeviceBuffer sum = SpikeOps.SumOverTime(b, layer.input);
            b.Add(Section.Backward, new Op(
                layer.Name + " backward",
                [gradPooled, u, sum, .. Present(carried)],
                [sum, .. Present(carried)],
                t => device.Launch(
                    "lif_pool_backward_accumulate_" + b.Suffix,
                    Elements,
                    [
                        sum.At(t),
                        gradPooled.At(t),
                        u.At(t),
                        At(carried, t),
                        Neuron.Lambda,
                        Neuron.Threshold,
                        (int)Neuron.Surrogate,
                        dropRate,
                        dropLayer,
                        b.RunState,
                        rows,
                        channels,
                        .. Windows,
                    ])));
            return sum;
        }

        private void Finalize(Section section, DeviceBuffer partials, DeviceBuffer coefficients) => b.Add(section, new Op(
            layer.Name + " backward finalize",
            [partials],
            [coefficients],
            t => device.Launch(
                "batch_norm_backward_finalize",
                LaunchShape.SecondStage(channels),
                b.Store.Gradient(layer.norm.Weight),
                b.Store.Gradient(layer.norm.Bias),
                coefficients.At(t),
                partials.At(t),
                Sums.Blocks,
                rows,
                channels)));

        private Op Apply(string kernel, DeviceBuffer gradInput, DeviceBuffer gradNorm, DeviceBuffer coefficients) => new(
            layer.Name + " backward apply",
            [gradNorm, x, mean, invstd, scale, coefficients],
            [gradInput],
            t => device.Launch(
                kernel + b.Suffix, Elements, gradInput.At(t), gradNorm.At(t), x.At(t), mean.At(t), invstd.At(t), scale.At(t), coefficients.At(t), rows, channels));

        private static CUdeviceptr At(DeviceBuffer? tensor, int t) => tensor?.At(t) ?? default;

        private static IEnumerable<DeviceBuffer> Present(params DeviceBuffer?[] tensors) => tensors.OfType<DeviceBuffer>();
    }
}
