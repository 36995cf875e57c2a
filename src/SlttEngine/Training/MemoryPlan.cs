using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>Device memory of a training iteration by kind, to the byte, without allocating it.</summary>
/// <param name="Weights">Parameters, with their working copy if they have one.</param>
/// <param name="Gradients">Summed gradients, with a step's if they are kept apart.</param>
/// <param name="Optimizer">Optimiser state.</param>
/// <param name="Statistics">Running statistics.</param>
/// <param name="State">Membrane potentials and gradients carried from step to step.</param>
/// <param name="Saved">Activations that forward leaves for backward.</param>
/// <param name="Batch">Input frames, labels, logits.</param>
/// <param name="Scratch">Shared by all layers, cuDNN's workspaces among it.</param>
/// <param name="Workspace">The largest of cuDNN's workspaces.</param>
/// <param name="Layers">What the layers have of their own.</param>
public sealed record MemoryPlan(
    long Weights,
    long Gradients,
    long Optimizer,
    long Statistics,
    long State,
    long Saved,
    long Batch,
    long Scratch,
    long Workspace,
    IReadOnlyList<LayerMemory> Layers)
{
    /// <summary>All of it, bytes.</summary>
    public long Total => Store + State + Saved + Batch + Scratch;

    /// <summary>What the parameters take up with all that belongs to them, bytes.</summary>
    public long Store => Weights + Gradients + Optimizer + Statistics;

    /// <summary>What parameters take up with all that belongs to them, bytes.</summary>
    /// <param name="store">The parameters.</param>
    internal static long StoreOf(ParameterStore store) =>
        store.Bytes.Weights + store.Bytes.Gradients + store.Bytes.Optimizer + store.Bytes.Statistics;

    /// <summary>Plans a run's training iteration.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="format">The samples.</param>
    public static MemoryPlan For(Device.ComputeDevice device, TrainingOptions options, Data.SampleFormat format)
    {
        options = RunPlan.WithStepsAtOnce(device, options, format, images: 0);
        using EnginePlan plan = options.Plan(device, format);
        return Of(plan.Store, plan.Program(options.BatchSize, training: true));
    }

    /// <summary>The memory of a program that was planned.</summary>
    /// <param name="store">The parameters.</param>
    /// <param name="program">The program.</param>
    internal static MemoryPlan Of(ParameterStore store, NetworkProgram program)
    {
        List<DeviceBuffer> persistent = [.. program.Arena.Persistent];
        long Of(BufferKind kind) => persistent.Where(t => t.Kind == kind).Sum(t => t.TotalBytes);
        (long weights, long gradients, long optimizer, long statistics) = store.Bytes;
        Dictionary<string, LayerMemory> layers = store.Network.Layers.ToDictionary(l => l.Name, l => new LayerMemory(l.Name));
        void Add(string layer, Func<LayerMemory, LayerMemory> change) =>
            layers[layer] = change(layers.GetValueOrDefault(layer) ?? new LayerMemory(layer));

        foreach (Parameter parameter in store.Network.Parameters)
        {
            (long w, long g, long o) = store.BytesOf(parameter);
            Add(Module(parameter.Name), l => l with { Weights = l.Weights + w, Gradients = l.Gradients + g, Optimizer = l.Optimizer + o });
        }

        foreach (StatisticsBuffer statistic in store.Network.Statistics)
        {
            Add(Module(statistic.Name), l => l with { Statistics = l.Statistics + ParameterStore.BytesOf(statistic) });
        }

        foreach (DeviceBuffer buffer in persistent.Where(t => t.Kind == BufferKind.State))
        {
            Add(buffer.Layer, l => l with { State = l.State + buffer.TotalBytes });
        }

        foreach (DeviceBuffer buffer in persistent.Where(t => t.Kind == BufferKind.Saved))
        {
            Add(buffer.Layer, l => l with { Saved = l.Saved + buffer.TotalBytes });
        }

        foreach ((string layer, long bytes) in Enum.GetValues<Section>().SelectMany(program.Ops)
            .SelectMany(op => op.Writes.Where(t => t.Kind == BufferKind.Workspace).Select(t => (op.Layer, t.Bytes))))
        {
            Add(layer, l => l with { Workspace = Math.Max(l.Workspace, bytes) });
        }

        return new MemoryPlan(
            weights,
            gradients,
            optimizer,
            statistics,
            Of(BufferKind.State),
            Of(BufferKind.Saved),
            Of(BufferKind.Batch),
            program.Arena.ScratchBytes,
            layers.Values.Max(l => l.Workspace),
            [.. layers.Values.Where(l => l.Total + l.Workspace > 0)]);
    }

    private static string Module(string parameter) => parameter[..Math.Max(0, parameter.LastIndexOf('.'))];
}

/// <summary>Device memory that a module of the network has of its own, bytes; kinds as in <see cref="MemoryPlan"/>.</summary>
/// <param name="Name">PyTorch's name of the module.</param>
/// <param name="Weights">Parameters.</param>
/// <param name="Gradients">Gradients.</param>
/// <param name="Optimizer">Optimiser state.</param>
/// <param name="Statistics">Running statistics.</param>
/// <param name="State">Membrane potentials, carried gradients.</param>
/// <param name="Saved">Kept for backward.</param>
/// <param name="Workspace">The largest workspace of its cuDNN calls: part of the scratch that all layers share.</param>
public sealed record LayerMemory(
    string Name,
    long Weights = 0,
    long Gradients = 0,
    long Optimizer = 0,
    long Statistics = 0,
    long State = 0,
    long Saved = 0,
    long Workspace = 0)
{
    /// <summary>All but the workspace, bytes.</summary>
    public long Total => Weights + Gradients + Optimizer + Statistics + State + Saved;
}
