using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>What an engine is built for; fixed once it runs.</summary>
public sealed record EngineOptions
{
    /// <summary>How an iteration goes through its steps.</summary>
    public Method Method { get; init; } = new Sltt();

    /// <summary>Time steps T.</summary>
    public int Steps { get; init; } = 6;

    /// <summary>Constants of the neurons.</summary>
    public NeuronOptions Neuron { get; init; } = new();

    /// <summary>The loss.</summary>
    public LossOptions Loss { get; init; } = new();

    /// <summary>The optimiser; null: the engine only evaluates.</summary>
    public Optimizer? Optimizer { get; init; } = new Sgd(0.9f, 0);

    /// <summary>Number type of activations and working weights in training; evaluation is always in float32.</summary>
    public ComputeType Type { get; init; } = ComputeType.Float32;

    /// <summary>Seed of the run.</summary>
    public ulong Seed { get; init; } = 2022;

    /// <summary>How training batches come.</summary>
    public required InputFormat TrainInput { get; init; }

    /// <summary>How evaluation batches come.</summary>
    public required InputFormat TestInput { get; init; }

    /// <summary>True: one image for all steps; false: a frame a step.</summary>
    public bool StaticInput { get; init; } = true;

    /// <summary>float32 convolutions may round more than a sum of products does.</summary>
    public bool FastMath { get; init; }

    /// <summary>Batch sizes that training will see.</summary>
    public IReadOnlyCollection<int> TrainBatches { get; init; } = [];

    /// <summary>Batch sizes that evaluation will see.</summary>
    public IReadOnlyCollection<int> TestBatches { get; init; } = [];

    /// <summary>Evaluation counts the spikes of each layer: <see cref="TrainingEngine.SpikesByPixel"/>.</summary>
    public bool CountSpikes { get; init; }
}

/// <summary>Sums over the batches since they were last taken.</summary>
/// <param name="Loss">Sum of the samples' losses.</param>
/// <param name="Top1">Samples whose class has the largest sum of logits.</param>
/// <param name="Top5">Samples whose class is among the five largest.</param>
/// <param name="Samples">Samples.</param>
public readonly record struct BatchMetrics(double Loss, double Top1, double Top5, double Samples);

/// <summary>A network on a device, with all its memory planned and allocated: runs training iterations and evaluations.</summary>
public sealed class TrainingEngine : IDisposable
{
    private readonly EngineOptions options;
    private readonly Dictionary<(bool Training, int Batch), NetworkProgram> programs = [];
    private readonly CudaDeviceVariable<byte> arena;
    private readonly CudaDeviceVariable<byte> runState;
    private readonly CudaDeviceVariable<double> metrics;
    private readonly SpikeCounts? spikeCounts;

    /// <summary>Plans every program, then allocates once: a run that starts does not run out of memory later.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">The network.</param>
    /// <param name="options">What it is built for.</param>
    /// <exception cref="SlttException">The plan does not fit the device.</exception>
    public TrainingEngine(ComputeDevice device, Network network, EngineOptions options)
    {
        (Device, Network, this.options) = (device, network, options);
        Store = new ParameterStore(device, network, options.Type, options.Optimizer?.StateNames.Count ?? -1);
        runState = new CudaDeviceVariable<byte>(Marshal.SizeOf<RunState>());
        metrics = new CudaDeviceVariable<double>(4);
        metrics.MemsetAsync(0u, device.Stream.Stream);
        MetricsReads = new MetricsReads(device, metrics.DevicePointer);
        spikeCounts = options.CountSpikes ? new SpikeCounts(device, network) : null;
        WriteState(new RunState
        {
            Seed = options.Seed,
            LossScale = options.Type == ComputeType.Float16 ? LossScale.Initial : 1f,
            GradScale = options.Type == ComputeType.Float16 ? 1f / LossScale.Initial : 1f,
        });

        foreach (int batch in options.TrainBatches.Distinct())
        {
            programs.Add((true, batch), Build(batch, training: true));
        }

        foreach (int batch in options.TestBatches.Distinct())
        {
            programs.Add((false, batch), Build(batch, training: false));
        }

        ArenaBytes = programs.Values.Max(p => p.Arena.Bytes);
        try
        {
            arena = new CudaDeviceVariable<byte>(ArenaBytes);
        }
        catch (CudaException e)
        {
            throw new SlttException(
                ErrorKind.Device,
                $"the run needs {(ArenaBytes + StoreBytes) / 1e9:F2} GB of device memory, more than {device.Name} has free",
                "take a smaller batch (-b) or model",
                e);
        }

        foreach (NetworkProgram program in programs.Values)
        {
            program.Place(arena.DevicePointer);
        }
    }

    /// <summary>The device.</summary>
    public ComputeDevice Device { get; }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Parameters, gradients, optimiser state, statistics.</summary>
    public ParameterStore Store { get; }

    /// <summary>Bytes of activations, states and scratch.</summary>
    public long ArenaBytes { get; }

    /// <summary>Bytes of weights, gradients, optimiser state and statistics.</summary>
    public long StoreBytes => Store.Bytes.Weights + Store.Bytes.Gradients + Store.Bytes.Optimizer + Store.Bytes.Statistics;

    /// <summary>Training iterations made; with the seed it names the random numbers of the next.</summary>
    public ulong Iteration { get; set; }

    /// <summary>Runs a training iteration and its update.</summary>
    /// <param name="input">The batch's input, in the training format.</param>
    /// <param name="labels">Class of each sample; their number chooses the program.</param>
    /// <param name="learningRate">Learning rate of the update.</param>
    public void TrainIteration(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, double learningRate) =>
        TrainIteration(input, labels, learningRate, afterForward: null);

    /// <summary>Runs an evaluation with running statistics.</summary>
    /// <param name="input">The batch's input, in the test format.</param>
    /// <param name="labels">Class of each sample; their number chooses the program. None, if all of a batch were damaged: nothing is done.</param>
    public void Evaluate(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels)
    {
        if (labels.IsEmpty)
        {
            return;
        }

        spikeCounts?.Reserve((long)labels.Length * options.Steps);
        WriteHostState(0);
        Program(training: false, labels.Length).Run(input, labels, Enumerable.Range(0, options.Steps).Select(t => (StepKind.ForwardOnly, t)), alike: true);
    }

    /// <summary>Waits for the device; returns the sums since the last call and starts new ones.</summary>
    public BatchMetrics TakeMetrics()
    {
        MetricsReads.Begin();
        return MetricsReads.Take();
    }

    /// <summary>Reads of the sums that do not hold the device up, one after each of two batches at most.</summary>
    internal MetricsReads MetricsReads { get; }

    /// <summary>Waits for the device; spikes of a layer in all evaluations so far, at each pixel (H·W), all samples, steps and channels together.</summary>
    /// <param name="spikes">A layer's <see cref="Layer.Spikes"/>, of an engine that counts.</param>
    public IReadOnlyList<long> SpikesByPixel(Edge spikes) =>
        spikeCounts?.Pixels(spikes) ?? throw new InvalidOperationException("the engine was not built to count spikes");

    /// <summary>What the device keeps between iterations: loss scale, optimiser steps, skipped steps.</summary>
    public RunState ReadState()
    {
        RunState[] state = new RunState[1];
        HostCopy.ToHost<RunState>(Device, runState.DevicePointer, state);
        return state[0];
    }

    /// <summary>Sets what the device keeps between iterations.</summary>
    /// <param name="state">The state.</param>
    public void WriteState(RunState state) => HostCopy.ToDevice<RunState>(Device, runState.DevicePointer, [state]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NetworkProgram program in programs.Values)
        {
            program.Dispose();
        }

        arena.Dispose();
        runState.Dispose();
        MetricsReads.Dispose();
        metrics.Dispose();
        spikeCounts?.Dispose();
        Store.Dispose();
    }

    /// <summary>As the public one; <paramref name="afterForward"/> is called after each step's forward.</summary>
    internal void TrainIteration(ReadOnlySpan<byte> input, ReadOnlySpan<int> labels, double learningRate, Action<int>? afterForward)
    {
        WriteHostState(learningRate);
        Program(training: true, labels.Length)
            .Run(input, labels, options.Method.Schedule(options.Steps, options.Seed, Iteration), options.Method.SameEveryIteration, afterForward);
        Iteration++;
    }

    /// <summary>The program for a batch size; one that was not foreseen (damaged samples were left out) is built if it fits the memory.</summary>
    internal NetworkProgram Program(bool training, int batch)
    {
        if (programs.TryGetValue((training, batch), out NetworkProgram? program))
        {
            return program;
        }

        program = Build(batch, training);
        if (program.Arena.Bytes > ArenaBytes)
        {
            program.Dispose();
            throw new ArgumentException($"the engine was not built for batches of {batch}");
        }

        program.Place(arena.DevicePointer);
        programs.Add((training, batch), program);
        return program;
    }

    private NetworkProgram Build(int batch, bool training)
    {
        InputFormat input = training ? options.TrainInput : options.TestInput;
        ComputeType type = training ? options.Type : ComputeType.Float32;
        ProgramShape shape = new(batch, options.Steps, type, training, training && options.Method.ThroughTime, options.StaticInput, options.FastMath);
        ProgramBuilder builder = new(Device, Store, shape, options.Neuron, runState.DevicePointer) { SpikeCounts = training ? null : spikeCounts };
        return new NetworkProgram(builder, input, options.Loss, training ? options.Optimizer : null, metrics.DevicePointer);
    }

    /// <summary>Writes the part of the run state that the host owns.</summary>
    private void WriteHostState(double learningRate)
    {
        RunState state = new() { LearningRate = (float)learningRate, T = 0, Seed = options.Seed, Iteration = Iteration };
        HostCopy.ToDevice<byte>(Device, runState.DevicePointer, MemoryMarshal.AsBytes(new ReadOnlySpan<RunState>(in state))[..RunState.HostBytes]);
    }
}
