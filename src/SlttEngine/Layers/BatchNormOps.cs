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
    private readonly LaunchShape sums;

    /// <summary>Makes room for what the neuron and backward read of the batch norm.</summary>
    /// <param name="b">The program.</param>
    /// <param name="name">The layer.</param>
    /// <param name="norm">Its parameters.</param>
    /// <param name="input">What it reads.</param>
    public BatchNormOps(ProgramBuilder<T> b, string name, BatchNormModule norm, ConvolutionSum input)
    {
        (this.b, this.name, this.norm, this.input) = (b, name, norm, input);
        (rows, channels) = (b.Rows(input.Main), input.Main.Channels);
        sums = LaunchShape.RowSums(b.Device, rows, channels);
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

    /// <summary>Launch shape of kernels that add up rows: one partial sum a block.</summary>
    public LaunchShape Sums => sums;

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
        b.Scratch<double>($"{name} {pass} partial sums", 2L * sums.Blocks * channels, section);

    /// <summary>
    /// Backward of a step whose gradient was summed by the neuron's kernel: the gradient of x takes x's place, which nothing reads later.
    /// </summary>
    /// <param name="gradNorm">Gradient of the normalised value.</param>
    /// <param name="partials">Sums that go with it.</param>
    public DeviceBuffer<T> EmitBackward(DeviceBuffer<T> gradNorm, DeviceBuffer<double> partials)
    {
        DeviceBuffer<float> coefficients = EmitFinalize(Section.Backward, partials);
        b.Add(Section.Backward, new Op(
            name + " backward apply",
            [gradNorm, X, Mean, Invstd, Scale, coefficients],
            [X],
            t => b.Device.Kernels.BatchNormBackwardApply(
                b.Elementwise(rows * channels),
                X.At(t),
                gradNorm.At(t),
                X.At(t),
                Mean.At(t),
                Invstd.At(t),
                Scale.At(t),
                coefficients.At(t),
                rows,
                channels)));
        return X;
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
                sums, partials.At(t), sum.At(t), X.At(t), Mean.At(t), Invstd.At(t), rows, channels)));
        DeviceBuffer<float> coefficients = EmitFinalize(Section.End, partials);
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

        // A residual of spikes is read as the potential that they come from: it is kept anyway, the spikes would be made for this alone.
        (DeviceBuffer<T>? potential, float threshold) =
            input.Residual is { } r && b.Potential(r) is { } p ? (p.U, p.Threshold) : (null, 0f);
        DeviceBuffer<T>? residual = input.Residual is { } s && potential is null ? b.Activation(s) : null;

        // How often the running statistics move: an evaluation leaves them as they are.
        int repeats = !b.Shape.Training ? 0 : b.IsStatic(input.Main) ? b.Shape.Steps : 1;
        b.Add(section, new Op(
            name + " statistics",
            [X, .. OptionalBuffers.Present(potential, residual)],
            input.Residual is null ? [partials] : [partials, X],
            t => b.Device.Kernels.BatchNormStatistics(
                sums,
                partials.At(t),
                X.At(t),
                residual.AtOrNull(t),
                potential.AtOrNull(t),
                b.Store.Statistic(norm.RunningMean),
                threshold,
                rows,
                channels)));
        b.Add(section, new Op(
            name + " statistics finalize",
            [partials],
            [Mean, Invstd, Scale],
            t => b.Device.Kernels.BatchNormFinalize(
                LaunchShape.SecondStage(channels),
                Mean.At(t),
                Invstd.At(t),
                Scale.At(t),
                b.Store.Statistic(norm.RunningMean),
                b.Store.Statistic(norm.RunningVar),
                b.Store.Counter(norm.NumBatchesTracked),
                partials.At(t),
                b.Store.Weight(norm.Weight),
                b.Store.WeightOrNull(input.MainBias),
                b.Store.WeightOrNull(input.ResidualBias),
                BatchNormModule.Momentum,
                BatchNormModule.Epsilon,
                sums.Blocks,
                rows,
                channels,
                repeats)));
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
            b.Add(b.ForwardOf(input.Main), new Op(
                name + " residual",
                [X, residual],
                [X],
                t => b.Device.Kernels.ResidualAdd(
                    b.Elementwise(rows * channels), X.At(t), X.At(t), residual.At(t), default, default, rows, channels)));
        }
    }

    private DeviceBuffer<float> EmitFinalize(Section section, DeviceBuffer<double> partials)
    {
        DeviceBuffer<float> coefficients = b.Scratch<float>(name + " coefficients", 2L * channels, section);
        b.Add(section, new Op(
            name + " backward finalize",
            [partials],
            [coefficients],
            t => b.Device.Kernels.BatchNormBackwardFinalize(
                LaunchShape.SecondStage(channels),
                b.Store.Gradient(norm.Weight),
                b.Store.Gradient(norm.Bias),
                coefficients.At(t),
                partials.At(t),
                sums.Blocks,
                rows,
                channels)));
        return coefficients;
    }
}
