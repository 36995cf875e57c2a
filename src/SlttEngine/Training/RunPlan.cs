using ManagedCuda;
using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>What an iteration has to do: bounds from below for its time, on a device that computes convolutions in full.</summary>
/// <param name="MultiplyAdds">Multiplications (each with its addition) of convolutions and matrix products computed in full.</param>
/// <param name="Bytes">Bytes of activations, parameters and their gradients that move to and from memory.</param>
/// <param name="Launches">Launches of operations; a device that is idle between them takes longer for more of them.</param>
public readonly record struct IterationWork(long MultiplyAdds, long Bytes, long Launches = 0)
{
    /// <summary>Seconds on a device that does nothing but compute, and seconds on one that does nothing but move memory.</summary>
    /// <param name="rates">What the device reaches.</param>
    public (double Compute, double Memory) Seconds(DeviceRates rates) => (2 * MultiplyAdds / rates.Flops, Bytes / rates.Bandwidth);
}

/// <summary>What a run will need, before anything is allocated.</summary>
/// <param name="Options">The run's options.</param>
/// <param name="Format">The samples.</param>
/// <param name="Training">Memory of a training iteration.</param>
/// <param name="EvaluationArena">Bytes of an evaluation's activations and scratch, in batches of <see cref="EnginePlan.EvaluationBatch"/>,
/// evaluations of training samples included: the same memory, at other times.</param>
/// <param name="Images">Bytes of the images that stay on the device.</param>
/// <param name="Work">What a training iteration has to do.</param>
public sealed record RunPlan(
    TrainingOptions Options, SampleFormat Format, MemoryPlan Training, long EvaluationArena, long Images, IterationWork Work)
{
    /// <summary>The largest batch that <see cref="LargestBatch"/> tries: larger ones suit no data set.</summary>
    private const int MaxBatch = 1 << 16;

    /// <summary>Device memory of the whole run, bytes: what <c>sltt train</c> allocates.</summary>
    public long Total => Training.Store + Math.Max(Training.Total - Training.Store, EvaluationArena) + Images;

    /// <summary>Plans a run.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="format">The samples.</param>
    /// <param name="images">Images of both sets that stay on the device; 0 if the samples are copied batch by batch.</param>
    /// <exception cref="SlttException">The options can't be, or the batch is larger than cuDNN's tensors.</exception>
    public static RunPlan For(ComputeDevice device, TrainingOptions options, SampleFormat format, int images) =>
        For(device, options, format, images * format.SampleBytes, measure: true);

    /// <summary>
    /// The same run with other numbers of steps side by side, from T down to 1 (the least for each number of passes over the network), each
    /// without and, where that takes less memory, with <see cref="TrainingOptions.Recompute"/>. By cuDNN's guesses of algorithms, whose
    /// workspaces may differ from those measured.
    /// </summary>
    /// <param name="device">The device.</param>
    public IEnumerable<RunPlan> Variants(ComputeDevice device)
    {
        foreach (int steps in StepCounts(Options.Method.LongestRun(Options.Steps)))
        {
            RunPlan Plan(bool recompute) =>
                For(device, Options with { StepsAtOnce = steps, Recompute = recompute }, Format, Images, measure: false);
            RunPlan keeps = Plan(recompute: false);
            RunPlan recomputes = Plan(recompute: true);
            yield return keeps;
            if (recomputes.Training.Total < keeps.Training.Total)
            {
                yield return recomputes;
            }
        }
    }

    /// <summary>
    /// The largest batch, up to 65,536, that fits into the memory; 0 if none does. Within 2 % where algorithms are measured.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="memory">Bytes that the run may take.</param>
    public int LargestBatch(ComputeDevice device, long memory)
    {
        bool Fits(int batch, bool measure)
        {
            try
            {
                return For(device, Options with { BatchSize = batch }, Format, Images, measure).Total <= memory;
            }
            catch (Exception e) when (e is SlttException or CudaDNNException or CudaException { CudaError: CUResult.ErrorOutOfMemory })
            {
                // This plan itself was possible: the batch is too large for the host's arrays, for cuDNN's tensors, its algorithms, or to
                // measure them.
                return false;
            }
        }

        // The search goes by cuDNN's guesses; measured algorithms may ask for more workspace, so the batch that it found is planned in
        // full.
        int fits = 0;
        int tooMany = 1;
        while (tooMany <= MaxBatch && Fits(tooMany, measure: false))
        {
            (fits, tooMany) = (tooMany, 2 * tooMany);
        }

        while (tooMany - fits > 1 && fits < MaxBatch)
        {
            int middle = fits + ((tooMany - fits) / 2);
            (fits, tooMany) = Fits(middle, measure: false) ? (middle, tooMany) : (fits, middle);
        }

        while (fits > 0 && !Fits(fits, measure: true))
        {
            fits -= Math.Max(1, fits / 64);
        }

        return fits;
    }

    /// <summary>
    /// The numbers of steps side by side that are worth a look, from T down to 1: the least for each number of passes over the network.
    /// </summary>
    /// <param name="steps">T.</param>
    private static IEnumerable<int> StepCounts(int steps) =>
        Enumerable.Range(1, steps).Select(passes => (steps + passes - 1) / passes).Distinct();

    /// <summary>Options whose <see cref="TrainingOptions.StepsAtOnce"/> is a number: the largest that fits the memory, or 1.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="bytes">The memory that a run with such options takes.</param>
    internal static TrainingOptions WithStepsAtOnce(ComputeDevice device, TrainingOptions options, Func<TrainingOptions, long> bytes)
    {
        if (options.StepsAtOnce != TrainingOptions.AutoStepsAtOnce)
        {
            return options;
        }

        long limit = options.MemoryLimitOn(device);
        long least = 0;
        foreach (int steps in StepCounts(options.Method.LongestRun(options.Steps)))
        {
            TrainingOptions variant = options with { StepsAtOnce = steps };
            least = bytes(variant);
            if (least <= limit)
            {
                return variant;
            }
        }

        throw new SlttException(
            ErrorKind.Device,
            FormattableString.Invariant(
                $"one time step at a time needs {least / (double)(1 << 20):F1} MiB, and the limit is {limit / (double)(1 << 20):F1} MiB"),
            options.Recompute ? "give more memory, or take a smaller batch (-b) or model"
                : "give more memory, or take a smaller batch (-b), a smaller model, or -recompute");
    }

    /// <summary>The same, for a run on samples of a format.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="format">The samples.</param>
    /// <param name="images">Bytes of the images that stay on the device.</param>
    internal static TrainingOptions WithStepsAtOnce(ComputeDevice device, TrainingOptions options, SampleFormat format, long images) =>
        WithStepsAtOnce(device, options, variant => For(device, variant, format, images, measure: false).Total);

    private static RunPlan For(ComputeDevice device, TrainingOptions options, SampleFormat format, long images, bool measure)
    {
        options = WithStepsAtOnce(device, options, format, images);
        using EnginePlan plan = options.Plan(device, format);
        NetworkProgram training = plan.Program(options.BatchSize, training: true, measure);
        long evaluation = plan.TrainingSamples(options.BatchSize, measure).Append(plan.Evaluation(options.BatchSize, measure))
            .Max(p => p.Arena.Bytes);
        IterationWork work = training.Work(options.Method.Schedule(options.Steps, (ulong)options.Seed, 0));
        return new RunPlan(options, format, MemoryPlan.Of(plan.Store, training), evaluation, images, work);
    }
}
