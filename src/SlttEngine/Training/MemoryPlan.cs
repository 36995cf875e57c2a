using SlttEngine.Device;
using SlttEngine.Layers;
using SlttEngine.Optimizers;
using SlttEngine.Planning;

namespace SlttEngine.Training;

/// <summary>Device memory of a training run to the byte, without allocating it.</summary>
/// <param name="Weights">Parameters, with their working copy if they have one.</param>
/// <param name="Gradients">Summed gradients, with a step's if they are kept apart.</param>
/// <param name="Optimizer">Optimiser state.</param>
/// <param name="Statistics">Running statistics.</param>
/// <param name="State">Membrane potentials and gradients carried from step to step.</param>
/// <param name="Saved">Activations that forward leaves for backward.</param>
/// <param name="Batch">Input frames, labels, logits.</param>
/// <param name="Scratch">Shared by all layers, cuDNN's workspaces among it.</param>
/// <param name="Layers">The tensors with memory of their own.</param>
public sealed record MemoryPlan(
    long Weights,
    long Gradients,
    long Optimizer,
    long Statistics,
    long State,
    long Saved,
    long Batch,
    long Scratch,
    IReadOnlyList<Tensor> Layers)
{
    /// <summary>All of it, bytes.</summary>
    public long Total => Weights + Gradients + Optimizer + Statistics + State + Saved + Batch + Scratch;

    /// <summary>Plans a run's training program.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="options">The run's options; the data set gives shape and classes.</param>
    public static MemoryPlan For(ComputeDevice device, TrainOptions options)
    {
        (Data.FrameShape shape, int classes) = RunData.Describe(options);
        return For(device, options, shape, classes);
    }

    /// <summary>Plans a run's training program.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="shape">Shape of a sample.</param>
    /// <param name="classes">Classes.</param>
    public static MemoryPlan For(ComputeDevice device, TrainOptions options, Data.FrameShape shape, int classes)
    {
        Network network = RunFactory.Network(options, shape, classes);
        Optimizer optimizer = RunFactory.Optimizer(options);
        using ParameterStore store = new(device, network, options.ComputeType, optimizer.StateNames.Count, allocate: false);
        ProgramShape program = new(
            options.BatchSize, options.T, options.ComputeType, Training: true, RunFactory.Method(options).ThroughTime, StaticInput: shape.Steps == 1);
        ProgramBuilder builder = new(device, store, program, RunFactory.Neuron(options), default);
        InputFormat format = new InputFormat.Frames("u8", shape.Steps, new float[shape.Channels], new float[shape.Channels]);
        using NetworkProgram planned = new(builder, format, RunFactory.Loss(options), optimizer, default);
        return Sum(store, planned.Arena);
    }

    private static MemoryPlan Sum(ParameterStore store, Arena arena)
    {
        List<Tensor> persistent = [.. arena.Persistent];
        long Of(BufferKind kind) => persistent.Where(t => t.Kind == kind).Sum(t => t.TotalBytes);
        (long weights, long gradients, long optimizer, long statistics) = store.Bytes;
        return new MemoryPlan(
            weights, gradients, optimizer, statistics, Of(BufferKind.State), Of(BufferKind.Saved), Of(BufferKind.Batch), arena.ScratchBytes, persistent);
    }
}
