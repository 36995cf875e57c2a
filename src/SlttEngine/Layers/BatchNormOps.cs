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
    public LaunchShape Sums(int steps) => LaunchShape.RowSums(b.Device, rows, channels, steps);

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

    /// <summary>Partial sums of both sums by channel that a pass adds up.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="section">Its section.</param>
    public DeviceBuffer<double> Partials(string pass, Section section) =>
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
            EmitSums(Section.Backward, x, Partials("recomputed", Section.Backward));
        }

        return x;
    }

    /// <summary>
    /// Backward of a step whose gradient was summed by the neuron's kernel: the gradient of x takes x's place, which nothing reads later.
    /// </summary>
    /// <param name="x">What was normalised: <see cref="EmitXForBackward"/>.</param>
    /// <param name="gradNorm">Gradient of the normalised value.</param>
    /// <param name="partials">Sums that go with it.</param>
    /// <param name="parts">How many there are for each sum of a step.</param>
    public DeviceBuffer<T> EmitBackward(
        DeviceBuffer<T> x, DeviceBuffer<T> gradNorm, DeviceBuffer<double> partials, Func<StepRange, int> parts)
    {
        DeviceBuffer<float> coefficients = EmitFinalize(Section.Backward, partials, parts);
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
        DeviceBuffer<double> partials = Partials("backward", Section.End);
        b.Add(Section.End, new Op(
            name + " backward reduce",
            [sum, X, Mean, Invstd],
            [partials],
            t => b.Device.Kernels.BatchNormBackwardReduce<T>(
                Sums(1), partials.At(t), sum.At(t), X.At(t), Mean.At(t), Invstd.At(t), rows, channels)));
        DeviceBuffer<float> coefficients = EmitFinalize(Section.End, partials, _ => Sums(1).Blocks);
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
        DeviceBuffer<double> partials = Partials("forward", section);

        // How often the running statistics move: an evaluation leaves them as they are.
        int repeats = !b.Shape.Training ? 0 : b.IsStatic(input.Main) ? b.Shape.Steps : 1;
        EmitSums(section, X, partials);
        b.Add(section, Op.ForSteps(
            name + " statistics finalize",
            [partials],
            [Mean, Invstd, Scale],
            s => b.Device.Kernels.BatchNormFinalize(
                LaunchShape.SecondStage(channels),
                Mean.At(s.First),
                Invstd.At(s.First),
                Scale.At(s.First),
                b.Store.Statistic(norm.RunningMean),
                b.Store.Statistic(norm.RunningVar),
                b.Store.Counter(norm.NumBatchesTracked),
                partials.At(s.First),
                b.Store.Weight(norm.Weight),
                b.Store.WeightOrNull(input.MainBias),
                b.Store.WeightOrNull(input.ResidualBias),
                BatchNormModule.Momentum,
                BatchNormModule.Epsilon,
                Sums(s.Count).Blocks,
                s.Count,
                rows,
                channels,
                repeats)));
    }

    /// <summary>Emits x ← x + residual, and the sums of x and its squares.</summary>
    private void EmitSums(Section section, DeviceBuffer<T> x, DeviceBuffer<double> partials)
    {
        // A residual of spikes is read as the potential that they come from: it is kept anyway, the spikes would be made for this alone.
        (DeviceBuffer<T>? potential, float threshold) =
            input.Residual is { } r && b.Potential(r) is { } p ? (p.U, p.Threshold) : (null, 0f);
        DeviceBuffer<T>? residual = input.Residual is not { } s || potential is not null ? null
            : section == Section.Backward ? b.ActivationForBackward(s) : b.Activation(s);
        b.Add(section, Op.ForSteps(
            name + " statistics",
            [x, .. OptionalBuffers.Present(potential, residual)],
            input.Residual is null ? [partials] : [partials, x],
            steps => b.Device.Kernels.BatchNormStatistics(
                Sums(steps.Count),
                partials.At(steps.First),
                x.At(steps.First),
                residual.AtOrNull(steps.First),
                potential.AtOrNull(steps.First),
                b.Store.Statistic(norm.RunningMean),
                threshold,
                steps.Count,
                rows,
                channels)));
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

    private DeviceBuffer<float> EmitFinalize(Section section, DeviceBuffer<double> partials, Func<StepRange, int> parts)
    {
        DeviceBuffer<float> coefficients = b.Scratch<float>(name + " coefficients", 2L * channels, section);
        b.Add(section, Op.ForSteps(
            name + " backward finalize",
            [partials],
            [coefficients],
            s => b.Device.Kernels.BatchNormBackwardFinalize(
                LaunchShape.SecondStage(channels),
                b.Store.Gradient(norm.Weight),
                b.Store.Gradient(norm.Bias),
                coefficients.At(s.First),
                partials.At(s.First),
                parts(s),
                s.Count,
                rows,
                channels)));
        return coefficients;
    }
}
