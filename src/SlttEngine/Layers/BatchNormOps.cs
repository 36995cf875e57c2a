using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>A batch norm's operations on both sides of a neuron: statistics in front of it, the gradient of its input behind it.</summary>
/// <typeparam name="T">Compute type.</typeparam>
internal sealed class BatchNormOps<T>
    where T : unmanaged
{
    private readonly ProgramBuilder<T> b;
    private readonly string name;
    private readonly BatchNormModule norm;
    private readonly ConvolutionSum input;
    private readonly long rows;
    private readonly int channels;

    /// <summary>Makes room for what the neuron and backward read of the batch norm.</summary>
    /// <param name="b">The program.</param>
    /// <param name="name">The layer.</param>
    /// <param name="norm">Its parameters.</param>
    /// <param name="input">What it reads.</param>
    public BatchNormOps(ProgramBuilder<T> b, string name, BatchNormModule norm, ConvolutionSum input)
    {
        (this.b, this.name, this.norm, this.input) = (b, name, norm, input);
        (rows, channels) = (b.Rows(input.Main), input.Main.Channels);
        X = b.Activation(input.Main);
        int copies = !b.IsStatic(input.Main) && (b.Shape.Training || b.Shape.BatchStatistics) ? b.Copies : 1;
        Mean = b.Keep<float>(name + " mean", BufferKind.Saved, channels, copies);
        Invstd = b.Keep<float>(name + " invstd", BufferKind.Saved, channels, copies);
        Scale = b.Keep<float>(name + " scale", BufferKind.Saved, channels, copies);
    }

    /// <summary>What is normalised: the convolution's output, to which the statistics add the residual.</summary>
    public DeviceBuffer<T> X { get; }

    /// <summary>Mean by channel.</summary>
    public DeviceBuffer<float> Mean { get; }

    /// <summary>1/√(variance + ε) by channel; with batch statistics only.</summary>
    public DeviceBuffer<float> Invstd { get; }

    /// <summary>γ/√(variance + ε) by channel.</summary>
    public DeviceBuffer<float> Scale { get; }

    /// <summary>Launch shape of kernels that add up the rows of each step: one partial sum a block.</summary>
    /// <param name="steps">How many steps.</param>
    public LaunchShape Sums(int steps) => LaunchShape.TiledRowSums(b.Device, rows, channels, steps);

    /// <summary>Counters of the blocks that have ended, for those kernels.</summary>
    public DevicePtr<uint> Arrived => b.Store.Arrived;

    /// <summary>Gradient of the weight γ.</summary>
    public DevicePtr<float> GradWeight => b.Store.Gradient(norm.Weight);

    /// <summary>Gradient of the bias β.</summary>
    public DevicePtr<float> GradBias => b.Store.Gradient(norm.Bias);

    /// <summary>Emits x ← x + residual and the batch's statistics, or the running statistics in evaluation.</summary>
    public void EmitStatistics()
    {
        if (b.Shape.Training || b.Shape.BatchStatistics)
        {
            EmitBatchStatistics();
        }
        else
        {
            EmitRunningStatistics();
        }
    }

    /// <summary>Room for backward's sums.</summary>
    /// <param name="section">Backward's section.</param>
    public BatchNormSums NewSums(Section section) => new(
        Partials("backward", section), b.Scratch<float>(name + " coefficients", 2L * channels, section));

    // Partial sums of both sums by channel that a pass adds up.
    private DeviceBuffer<double> Partials(string pass, Section section) =>
        b.Scratch<double>($"{name} {pass} partial sums", 2L * Sums(1).Blocks * channels, section);

    /// <summary>What was normalised, for backward: as forward kept it, or computed a second time, to the same bits.</summary>
    public DeviceBuffer<T> EmitXForBackward()
    {
        if (!b.IsRecomputed(input.Main))
        {
            return X;
        }

        DeviceBuffer<T> x = b.ActivationForBackward(input.Main);
        if (input.Residual is not null)
        {
            // For the sum x + residual alone, by the kernel that made it in forward.
            EmitSums(Section.Backward, x, Partials("recomputed", Section.Backward), repeats: null);
        }

        return x;
    }

    /// <summary>
    /// Backward of a step whose gradient was summed by the neuron's kernel: the gradient of x takes x's place, which nothing reads later.
    /// </summary>
    /// <param name="x">What was normalised: <see cref="EmitXForBackward"/>.</param>
    /// <param name="gradNorm">Gradient of the normalised value.</param>
    /// <param name="coefficients">Its means: <see cref="BatchNormSums.Coefficients"/>.</param>
    public DeviceBuffer<T> EmitBackward(DeviceBuffer<T> x, DeviceBuffer<T> gradNorm, DeviceBuffer<float> coefficients)
    {
        b.Add(Section.Backward, Op.ForSteps(
            name + " backward apply",
            [gradNorm, x, Mean, Invstd, Scale, coefficients],
            [x],
            s => b.Device.Kernels.BatchNormBackwardApply(
                b.Elementwise(rows * channels, s),
                x.At(s.First),
                gradNorm.At(s.First),
                x.At(s.First),
                Mean.At(s.First),
                Invstd.At(s.First),
                Scale.At(s.First),
                coefficients.At(s.First),
                s.Count,
                rows,
                channels)));
        return x;
    }

    /// <summary>
    /// Backward of an input that is the same at every step: it is linear in the gradient, so that was added up over the steps first.
    /// </summary>
    /// <param name="sum">The gradient of the normalised value, added up.</param>
    public DeviceBuffer<T> EmitStaticBackward(DeviceBuffer<float> sum)
    {
        DeviceBuffer<T> gradInput = b.Scratch<T>(input.Main.Name + " gradient", b.Count(input.Main), Section.End);
        (DeviceBuffer<double> partials, DeviceBuffer<float> coefficients) = NewSums(Section.End);
        b.Add(Section.End, new Op(
            name + " backward reduce",
            [sum, X, Mean, Invstd],
            [partials, coefficients],
            t => b.Device.Kernels.BatchNormBackwardReduce<T>(
                Sums(1),
                partials.At(t),
                Arrived,
                GradWeight,
                GradBias,
                coefficients.At(t),
                sum.At(t),
                X.At(t),
                Mean.At(t),
                Invstd.At(t),
                rows,
                channels)));
        b.Add(Section.End, new Op(
            name + " backward apply",
            [sum, X, Mean, Invstd, Scale, coefficients],
            [gradInput],
            t => b.Device.Kernels.BatchNormBackwardApplySum(
                b.Elementwise(rows * channels),
                gradInput.At(t),
                sum.At(t),
                X.At(t),
                Mean.At(t),
                Invstd.At(t),
                Scale.At(t),
                coefficients.At(t),
                rows,
                channels)));
        return gradInput;
    }

    private void EmitBatchStatistics()
    {
        Section section = b.ForwardOf(input.Main);

        // How often the running statistics move: an evaluation leaves them as they are.
        int repeats = !b.Shape.Training ? 0 : b.IsStatic(input.Main) ? b.Shape.Steps : 1;
        EmitSums(section, X, Partials("forward", section), repeats);
    }

    /// <summary>Emits x ← x + residual, and the statistics of the sum. Repeats null: the sum alone.</summary>
    private void EmitSums(Section section, DeviceBuffer<T> x, DeviceBuffer<double> partials, int? repeats)
    {
        // A residual of spikes is read as the potential that they come from: it is kept anyway, the spikes would be made for this alone.
        (DeviceBuffer<T>? potential, float threshold) =
            input.Residual is { } r && b.Potential(r) is { } p ? (p.U, p.Threshold) : (null, 0f);
        DeviceBuffer<T>? residual = input.Residual is not { } s || potential is not null ? null
            : section == Section.Backward ? b.ActivationForBackward(s) : b.Activation(s);
        DeviceBuffer[] statistics = repeats is null ? [] : [Mean, Invstd, Scale];
        b.Add(section, Op.ForSteps(
            name + " statistics",
            [x, .. OptionalBuffers.Present(potential, residual)],
            input.Residual is null ? [partials, .. statistics] : [partials, .. statistics, x],
            steps => b.Device.Kernels.BatchNormStatistics(
                Sums(steps.Count),
                partials.At(steps.First),
                repeats is null ? default : Arrived,
                x.At(steps.First),
                Mean.At(steps.First),
                Invstd.At(steps.First),
                Scale.At(steps.First),
                b.Store.Statistic(norm.RunningMean),
                b.Store.Statistic(norm.RunningVar),
                b.Store.Counter(norm.NumBatchesTracked),
                residual.AtOrNull(steps.First),
                potential.AtOrNull(steps.First),
                b.Store.Weight(norm.Weight),
                b.Store.WeightOrNull(input.MainBias),
                b.Store.WeightOrNull(input.ResidualBias),
                threshold,
                BatchNormModule.Momentum,
                BatchNormModule.Epsilon,
                steps.Count,
                rows,
                channels,
                repeats ?? 0)));
    }

    private void EmitRunningStatistics()
    {
        b.Add(Section.Begin, new Op(
            name + " running statistics",
            [],
            [Mean, Scale],
            t => b.Device.Kernels.BatchNormInference(
                LaunchShape.Channels(channels),
                Mean.At(t),
                Scale.At(t),
                b.Store.Statistic(norm.RunningMean),
                b.Store.Statistic(norm.RunningVar),
                b.Store.Weight(norm.Weight),
                b.Store.WeightOrNull(input.MainBias),
                b.Store.WeightOrNull(input.ResidualBias),
                BatchNormModule.Epsilon,
                channels)));
        if (input.Residual is { } r)
        {
            DeviceBuffer<T> residual = b.Activation(r);
            b.Add(b.ForwardOf(input.Main), Op.ForSteps(
                name + " residual",
                [X, residual],
                [X],
                s => b.Device.Kernels.ResidualAdd(
                    b.Elementwise(s.Count * rows * channels),
                    X.At(s.First),
                    X.At(s.First),
                    residual.At(s.First),
                    default,
                    default,
                    s.Count * rows,
                    channels)));
        }
    }
}

/// <summary>What backward adds up over a batch norm's rows, y the normalised value.</summary>
/// <param name="Partials">Sums over each block's rows, of dy and of dy·x̂.</param>
/// <param name="Coefficients">The means of both by channel, in float.</param>
internal sealed record BatchNormSums(DeviceBuffer<double> Partials, DeviceBuffer<float> Coefficients);
