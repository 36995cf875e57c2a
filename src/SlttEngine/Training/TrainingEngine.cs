using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;

namespace SlttEngine.Training;

/// <summary>Sums over the batches since they were last read.</summary>
/// <param name="Loss">Sum of the samples' losses.</param>
/// <param name="Top1">Samples whose class has the largest sum of logits.</param>
/// <param name="Top5">Samples whose class is among the five largest.</param>
/// <param name="Samples">Samples.</param>
public readonly record struct BatchMetrics(double Loss, double Top1, double Top5, double Samples)
{
    /// <summary>The sums over these batches and others.</summary>
    /// <param name="other">The others.</param>
    internal BatchMetrics Plus(BatchMetrics other) =>
        new(Loss + other.Loss, Top1 + other.Top1, Top5 + other.Top5, Samples + other.Samples);
}

/// <summary>A network on a device, with all its memory planned and allocated: runs training iterations and evaluations.</summary>
public sealed class TrainingEngine : IDisposable
{
    private readonly EnginePlan plan;
    private readonly EngineOptions options;
    private readonly CudaDeviceVariable<byte> arena;

    /// <summary>Plans every program, then allocates: a run that starts does not run out of memory later.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">The network.</param>
    /// <param name="options">What it is built for.</param>
    /// <exception cref="SlttException">The network's layers do not fit together, or the plan does not fit the device.</exception>
    public TrainingEngine(ComputeDevice device, Network network, EngineOptions options)
        : this(new EnginePlan(device, network, options), options)
    {
    }

    /// <summary>Takes a plan over and allocates what it says.</summary>
    /// <param name="plan">The plan; the engine disposes it.</param>
    /// <param name="options">The plan's options, with batch sizes and the address of images.</param>
    /// <exception cref="SlttException">The plan does not fit the device.</exception>
    public TrainingEngine(EnginePlan plan, EngineOptions options)
    {
        (this.plan, this.options) = (plan, options);
        plan.KeepOnly(options.TrainBatches, options.TestBatches, options.GapBatch);
        foreach (int batch in options.TrainBatches)
        {
            plan.Program(batch, training: true);
        }

        foreach (int batch in options.TestBatches)
        {
            plan.Program(batch, training: false);
        }

        if (options.GapBatch > 0)
        {
            plan.Program(options.GapBatch, ProgramKind.TrainingSamplesByRunningStatistics);
            plan.Program(options.GapBatch, ProgramKind.TrainingSamplesByBatchStatistics);
        }

        ArenaBytes = plan.Programs.Max(p => p.Arena.Bytes);
        try
        {
            Store.Allocate();
            plan.SpikeCounts?.Allocate();
            plan.FiringFlags?.Allocate();
            arena = new CudaDeviceVariable<byte>(ArenaBytes);
        }
        catch (CudaException e)
        {
            throw new SlttException(
                ErrorKind.Device,
                $"the run needs {(ArenaBytes + StoreBytes) / (double)(1 << 20):F0} MiB of device memory, more than {Device.Name} has free",
                options is { StepsAtOnce: > 1 } ? "take fewer steps side by side (-steps_at_once), a smaller batch (-b) or model"
                    : options.Recompute || options.TrainBatches.Count == 0 ? "take a smaller batch (-b) or model"
                    : "take a smaller batch (-b) or model, or -recompute",
                e);
        }

        foreach (NetworkProgram program in plan.Programs)
        {
            Place(program);
        }

        MetricsReads = new MetricsReads(Device, Store.MetricSums.Pointer);
        WriteState(new RunState
        {
            Seed = options.Seed,
            LossScale = options.Type == ComputeType.Float16 ? LossScale.Initial : 1f,
            GradScale = options.Type == ComputeType.Float16 ? 1f / LossScale.Initial : 1f,
        });
    }

    /// <summary>The device.</summary>
    public ComputeDevice Device => plan.Device;

    /// <summary>The network.</summary>
    public Network Network => Store.Network;

    /// <summary>Parameters, gradients, optimiser state, statistics.</summary>
    public ParameterStore Store => plan.Store;

    /// <summary>Bytes of activations, states and scratch.</summary>
    public long ArenaBytes { get; }

    /// <summary>Bytes of weights, gradients, optimiser state and statistics.</summary>
    public long StoreBytes => MemoryPlan.StoreOf(Store);

    /// <summary>Samples in the batches of <see cref="EvaluateTrainingSamples"/>; 0: the engine was not built for it.</summary>
    public int GapBatch => options.GapBatch;

    /// <summary>Samples of a test batch at most.</summary>
    internal int LargestTestBatch => options.TestBatches.Max();

    /// <summary>Training iterations made; with the seed it names the random numbers of the next.</summary>
    public ulong Iteration { get; set; }

    /// <summary>
    /// True once less than 1 % of batch norm's running statistics is what they began with: before, an evaluation says little. Each step
    /// moves them by its momentum.
    /// </summary>
    internal bool HasRunningStatistics =>
        Network.Statistics.Count == 0 || Math.Pow(1 - BatchNormModule.Momentum, Iteration * (double)options.Steps) < 0.01;

    /// <summary>Runs a training iteration and its update.</summary>
    /// <param name="input">The batch's input, in the training format.</param>
    /// <param name="labels">Class of each sample; their number chooses the program.</param>
    /// <param name="learningRate">Learning rate of the update.</param>
    /// <exception cref="SlttException">A label is not a class of the network.</exception>
    public void TrainIteration(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, double learningRate) =>
        TrainIteration(input, labels, learningRate, afterForward: null);

    /// <summary>Runs an evaluation with running statistics.</summary>
    /// <param name="input">The batch's input, in the test format.</param>
    /// <param name="labels">Class of each sample; their number chooses the program. None, if all of a batch were damaged: nothing is
    /// done.</param>
    /// <exception cref="SlttException">A label is not a class of the network.</exception>
    public void Evaluate(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels) => Evaluate(input, labels, afterForward: null);

    /// <summary>As the public one; <paramref name="afterForward"/> is called after each step.</summary>
    internal void Evaluate(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, Action<int>? afterForward)
    {
        if (labels.IsEmpty)
        {
            return;
        }

        plan.SpikeCounts?.Reserve((long)labels.Length * options.Steps);
        Evaluate(Program(training: false, labels.Length), input, labels, afterForward);
    }

    /// <summary>Evaluates samples of the training set that are not augmented; the running statistics stay as they are.</summary>
    /// <param name="input">The batch's input, in the training format.</param>
    /// <param name="labels">Class of each of the <see cref="GapBatch"/> samples.</param>
    /// <param name="batchStatistics">True: batch norm takes the batch's statistics; false: the running ones.</param>
    /// <exception cref="SlttException">A label is not a class of the network.</exception>
    public void EvaluateTrainingSamples(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, bool batchStatistics) =>
        Evaluate(TrainingSamples(batchStatistics), input, labels, afterForward: null);

    /// <summary>Waits for the device; returns the sums since the last call and starts new ones.</summary>
    public BatchMetrics WaitForMetrics()
    {
        MetricsReads.Begin();
        return MetricsReads.Wait();
    }

    /// <summary>Where evaluations note whether layers fire; null: they don't.</summary>
    internal FiringFlags? FiringFlags => plan.FiringFlags;

    /// <summary>Reads of the sums that do not hold the device up, one after each of two batches at most.</summary>
    internal MetricsReads MetricsReads { get; }

    /// <summary>
    /// Waits for the device; spikes of a layer in all evaluations so far, at each pixel (H·W), all samples, steps and channels together.
    /// </summary>
    /// <param name="spikes">A layer's <see cref="Layer.Spikes"/>, of an engine that counts.</param>
    public IReadOnlyList<long> SpikesByPixel(Edge spikes) =>
        plan.SpikeCounts?.Pixels(spikes) ?? throw new InvalidOperationException("the engine was not built to count spikes");

    /// <summary>What the device keeps between iterations: loss scale, optimiser steps, skipped steps.</summary>
    public RunState ReadState()
    {
        RunState[] state = new RunState[1];
        HostCopy.ToHost<RunState>(Device, Store.RunState.Pointer, state);
        return state[0];
    }

    /// <summary>Sets what the device keeps between iterations.</summary>
    /// <param name="state">The state.</param>
    public void WriteState(RunState state) => HostCopy.ToDevice<RunState>(Device, Store.RunState.Pointer, [state]);

    /// <inheritdoc/>
    public void Dispose()
    {
        arena.Dispose();
        MetricsReads.Dispose();
        plan.Dispose();
    }

    /// <summary>As the public one; <paramref name="afterForward"/> is called after each step's forward.</summary>
    internal void TrainIteration(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, double learningRate, Action<int>? afterForward)
    {
        CheckLabels(labels);
        WriteHostState(learningRate);
        Method method = options.Method;
        Program(training: true, labels.Length).Run(
            input, labels, method.Schedule(options.Steps, options.Seed, Iteration), method.SameEveryIteration, afterForward);
        Iteration++;
    }

    /// <summary>
    /// The program for a batch size; one that was not foreseen (damaged samples were left out) is built if it fits the memory.
    /// </summary>
    internal NetworkProgram Program(bool training, int batch)
    {
        NetworkProgram program = plan.Program(batch, training);
        if (program.Arena.Bytes > ArenaBytes)
        {
            throw new ArgumentException($"the engine was not built for batches of {batch}");
        }

        if (!program.IsPlaced)
        {
            Place(program);
        }

        return program;
    }

    /// <summary>
    /// The program that looks at test samples step by step. It takes no device memory of its own: of as many samples, or fewer, as fit what
    /// the engine has. Null if none does.
    /// </summary>
    /// <param name="samples">Samples at most.</param>
    /// <exception cref="SlttException">The network's layers refuse such a batch.</exception>
    internal NetworkProgram? Inspection(int samples)
    {
        for (int batch = samples; batch > 0; batch /= 2)
        {
            // By guesses: measuring algorithms takes longer than all looks together.
            NetworkProgram program = plan.Program(batch, ProgramKind.Inspection, measures: false);
            if (program.Arena.Bytes <= ArenaBytes)
            {
                if (!program.IsPlaced)
                {
                    Place(program);
                }

                return program;
            }
        }

        return null;
    }

    /// <summary>Runs a program of <see cref="Inspection"/>; the sums of the next evaluation are not touched.</summary>
    /// <param name="program">The program.</param>
    /// <param name="input">Its batch's input, in the test format.</param>
    /// <param name="labels">Class of each sample.</param>
    /// <param name="afterStep">Called after each step.</param>
    internal void Inspect(NetworkProgram program, ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, Action<int> afterStep)
    {
        Evaluate(program, input, labels, afterStep);
        WaitForMetrics();
    }

    /// <summary>The program of <see cref="EvaluateTrainingSamples"/>.</summary>
    internal NetworkProgram TrainingSamples(bool batchStatistics) => plan.Program(
        GapBatch, batchStatistics ? ProgramKind.TrainingSamplesByBatchStatistics : ProgramKind.TrainingSamplesByRunningStatistics);

    private void Place(NetworkProgram program) =>
        program.Place(arena.DevicePointer, options.Input(program.Kind));

    private void Evaluate(
        NetworkProgram program, ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, Action<int>? afterForward)
    {
        CheckLabels(labels);
        WriteHostState(0);
        IEnumerable<(StepKind Kind, int T)> schedule = Enumerable.Range(0, options.Steps).Select(t => (StepKind.ForwardOnly, t));
        program.Run(input, labels, schedule, sameEveryIteration: true, afterForward);
    }

    /// <summary>Refuses what the loss's kernel would index logits by: a label beyond the classes has no logit.</summary>
    private void CheckLabels(ReadOnlySpan<int> labels)
    {
        int classes = Network.Classes;
        for (int i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classes)
            {
                throw new SlttException(
                    ErrorKind.Data,
                    $"sample {i} of the batch has label {labels[i]}, but the network has {classes} classes: 0 to {classes - 1}",
                    "correct the labels, or build the network for more classes");
            }
        }
    }

    /// <summary>Writes the part of the run state that the host owns.</summary>
    private void WriteHostState(double learningRate)
    {
        RunState state = new() { LearningRate = (float)learningRate, T = 0, Seed = options.Seed, Iteration = Iteration };
        HostCopy.ToDevice<byte>(
            Device, Store.RunState.Pointer, MemoryMarshal.AsBytes(new ReadOnlySpan<RunState>(in state))[..RunState.HostBytes]);
    }
}
