using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Methods;
using SlttEngine.Planning;

namespace SlttEngine.Training;

/// <summary>What an iteration has to do: bounds from below for its time.</summary>
/// <param name="MultiplyAdds">Multiplications (each with its addition) of convolutions and matrix products computed in full.</param>
/// <param name="Bytes">Bytes of activations, parameters and their gradients that move to and from memory.</param>
public readonly record struct IterationWork(long MultiplyAdds, long Bytes)
{
    /// <summary>Seconds on a device that does nothing but compute, and seconds on one that does nothing but move memory.</summary>
    /// <param name="rates">What the device reaches.</param>
    public (double Compute, double Memory) Seconds(DeviceRates rates) => (2 * MultiplyAdds / rates.Flops, Bytes / rates.Bandwidth);
}

/// <summary>What a run will need, before anything is allocated.</summary>
/// <param name="Training">Memory of a training iteration.</param>
/// <param name="EvaluationArena">Bytes of an evaluation's activations and scratch: the same memory, at other times.</param>
/// <param name="Images">Bytes of the images that stay on the device.</param>
/// <param name="Work">What a training iteration has to do.</param>
public sealed record RunPlan(MemoryPlan Training, long EvaluationArena, long Images, IterationWork Work)
{
    /// <summary>Device memory of the whole run, bytes: what <c>sltt train</c> allocates.</summary>
    public long Total => Training.Store + Math.Max(Training.Total - Training.Store, EvaluationArena) + Images;

    /// <summary>Plans a run.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="options">The run's options; images are counted in data_dir if the data set is there, else as its authors distribute it.</param>
    public static RunPlan For(ComputeDevice device, TrainOptions options)
    {
        using PlannedRun run = new(device, options);
        NetworkProgram training = run.Program(options.BatchSize, training: true);
        return new RunPlan(
            MemoryPlan.Of(run.Store, training),
            run.Program(options.BatchSize, training: false).Arena.Bytes,
            ImageBytes(options),
            WorkOf(training, run.Store.Elements, RunFactory.Method(options), options));
    }

    /// <summary>The largest batch whose run fits into a device's memory; 0 if none does.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="memory">Bytes that the run may take.</param>
    public static int LargestBatch(ComputeDevice device, TrainOptions options, long memory)
    {
        bool Fits(int batch) => For(device, options with { BatchSize = batch }).Total <= memory;
        int fits = 0;
        int tooMany = 1;
        while (Fits(tooMany))
        {
            (fits, tooMany) = (tooMany, 2 * tooMany);
        }

        while (tooMany - fits > 1)
        {
            int middle = fits + ((tooMany - fits) / 2);
            (fits, tooMany) = Fits(middle) ? (middle, tooMany) : (fits, middle);
        }

        return fits;
    }

    private static IterationWork WorkOf(NetworkProgram program, long parameters, Method method, TrainOptions options)
    {
        List<StepKind> passes = [.. method.Schedule(options.T, (ulong)options.Seed, 0).Select(p => p.Kind)];
        int forward = passes.Count(p => p != StepKind.Backward);
        int backward = passes.Count(p => p is StepKind.Backward or StepKind.ForwardBackward);
        long adds = 0;
        long bytes = 0;
        foreach ((Section section, int times) in new[] { (Section.Begin, 1), (Section.Forward, forward), (Section.Backward, backward), (Section.End, 1) })
        {
            adds += times * program.Ops(section).Sum(op => op.MultiplyAdds);
            bytes += times * program.Ops(section).Sum(op => op.Bytes);
        }

        // Parameters, by docs/kernels.md: gradients set to zero, working weights made, the optimiser; each step's gradients added up.
        bool mixed = options.ComputeType != ComputeType.Float32;
        int update = 4 + (options.Optimizer == OptimizerKind.AdamW ? 28 : 20) + (mixed ? 6 : 0);
        int step = (forward * options.ComputeType.Size()) + (backward * (options.ComputeType.Size() + (mixed ? 10 : 8)));
        return new IterationWork(adds, bytes + (parameters * (update + step)));
    }

    private static long ImageBytes(TrainOptions options)
    {
        if (options.Dataset is not ("cifar10" or "cifar100"))
        {
            return 0;
        }

        IReadOnlyList<DataSetPart> parts = DataSetCatalog.Inspect(options.Dataset, options.DataDir, thorough: false);
        long samples = parts.All(p => p.FirstProblem is null) ? parts.Sum(p => p.Samples) : 60_000;
        return samples * RunData.Describe(options).Shape.Length;
    }
}
