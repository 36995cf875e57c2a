using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>The operations of an iteration in the order that they run, and the memory plan of their buffers.</summary>
internal sealed class IterationOps : IDisposable
{
    /// <summary>Before the steps.</summary>
    public required IReadOnlyList<Op> Begin { get; init; }

    /// <summary>A step, by what is done in it.</summary>
    public required IReadOnlyDictionary<StepKind, IReadOnlyList<Op>> Steps { get; init; }

    /// <summary>After the steps.</summary>
    public required IReadOnlyList<Op> End { get; init; }

    /// <summary>The memory plan.</summary>
    public required Arena Arena { get; init; }

    /// <summary>Checks that no operation writes beyond its buffers; null but on the strict CPU device.</summary>
    public required ArenaGuards? Guards { get; init; }

    /// <summary>The network's input.</summary>
    public required InputFeed Feed { get; init; }

    /// <summary>Classes (N).</summary>
    public required DeviceBuffer<int> Labels { get; init; }

    /// <summary>Logits (N, classes) of a step.</summary>
    public required DeviceBuffer<float> Logits { get; init; }

    /// <summary>Sum of the logits (N, classes) over the steps.</summary>
    public required DeviceBuffer<float> Total { get; init; }

    /// <summary>What the layers emitted.</summary>
    public required ProgramBuilder Layers { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Feed.Dispose();
        Guards?.Dispose();
        foreach (IDisposable descriptor in Layers.Descriptors)
        {
            descriptor.Dispose();
        }
    }
}

/// <summary>Emits an iteration: input, layers, loss, backward, update.</summary>
/// <typeparam name="T">Compute type.</typeparam>
internal sealed class IterationEmitter<T>
    where T : unmanaged
{
    private readonly ProgramBuilder<T> b;
    private readonly EngineOptions options;
    private readonly ParameterStore store;
    private readonly int n;
    private readonly int classes;
    private readonly InputFeed feed;
    private readonly DeviceBuffer<int> labels;
    private readonly DeviceBuffer<float> total;
    private readonly DeviceBuffer<float> sampleLoss;
    private readonly List<Action> backward = [];
    private readonly DeviceBuffer<float> logits;

    private IterationEmitter(ProgramBuilder<T> b, EngineOptions options, InputFormat input)
    {
        (this.b, this.options, store) = (b, options, b.Store);
        (n, classes) = (b.Shape.Batch, b.Network.Classes);
        feed = InputFeed.Emit(b, input);
        labels = b.Keep<int>("labels", BufferKind.Batch, n);
        total = b.Keep<float>("sum of logits", BufferKind.Batch, (long)n * classes, zeroed: true);
        sampleLoss = b.Keep<float>("loss by sample", BufferKind.Batch, n, zeroed: true);
        foreach (Layer layer in b.Network.Layers)
        {
            b.Layer = layer.Name;
            backward.Add(layer.Emit(b));
        }

        b.Layer = string.Empty;
        logits = b.Logits();
    }

    private Kernels Kernels => b.Device.Kernels;

    /// <summary>Emits an iteration into an empty program and plans its memory.</summary>
    /// <param name="b">The program.</param>
    /// <param name="options">Loss, optimiser.</param>
    /// <param name="input">How batches come.</param>
    /// <exception cref="SlttException">The network's layers do not fit together.</exception>
    public static IterationOps Emit(ProgramBuilder<T> b, EngineOptions options, InputFormat input)
    {
        IterationEmitter<T> emitter = new(b, options, input);
        return b.Shape.Training ? emitter.Training() : emitter.Evaluation();
    }

    private IterationOps Evaluation()
    {
        b.Add(Section.Forward, Loss(gradLogits: null, withLoss: true));
        IReadOnlyList<Op> forward = b.Ops(Section.Forward);
        return Plan(new() { [StepKind.ForwardOnly] = [.. forward, .. AdvanceStep()] }, [forward]);
    }

    private IterationOps Training()
    {
        DeviceBuffer<T> gradLogits = b.Keep<T>("gradient of logits", BufferKind.Batch, (long)n * classes, b.Copies);
        b.AddGradient(b.Network.Logits, gradLogits);
        for (int i = backward.Count - 1; i >= 0; i--)
        {
            b.Layer = b.Network.Layers[i].Name;
            backward[i]();
        }

        b.Layer = string.Empty;
        // The loss is not the builder's: in a step without backward it makes no gradient.
        IReadOnlyList<Op> back = b.Ops(Section.Backward);
        IReadOnlyList<Op> keep = [.. b.Ops(Section.Forward), Loss(gradLogits, withLoss: true)];
        IReadOnlyList<Op> only = [.. b.Ops(Section.Forward), Loss(gradLogits: null, withLoss: false)];
        IReadOnlyList<Op> both = [.. keep, .. back];
        return Plan(
            new()
            {
                [StepKind.ForwardBackward] = [.. both, .. AdvanceStep()],
                [StepKind.ForwardOnly] = [.. only, .. AdvanceStep()],
                [StepKind.ForwardKeep] = [.. keep, .. AdvanceStep()],
                [StepKind.Backward] = back,
            },
            b.Shape.ThroughTime ? [keep, back] : [both]);
    }

    private IterationOps Plan(Dictionary<StepKind, IReadOnlyList<Op>> steps, IReadOnlyList<Op>[] segments)
    {
        b.Add(Section.End, Metrics());
        bool strict = b.Device.Kind == DeviceKind.CpuFaithful;
        Arena arena = Arena.Plan(
            b.Persistent, [b.Ops(Section.Begin), .. segments, b.Ops(Section.End)], strict ? ArenaGuards.Bytes : 0);
        List<Op> begin = [ClearSums(arena)];
        List<Op> end = [.. b.Ops(Section.End)];
        if (b.Shape.Training)
        {
            begin.Add(ClearGradients());
            if (b.Shape.Type != ComputeType.Float32)
            {
                end.Add(FindOverflow());
            }

            end.AddRange(options.Optimizer!.Ops(store));
        }

        if (b.Shape.Type != ComputeType.Float32)
        {
            begin.Add(CastWeights());
        }

        begin.AddRange(b.Ops(Section.Begin));
        ArenaGuards? guards = strict ? new ArenaGuards(b.Device, arena) : null;
        return new IterationOps
        {
            Begin = guards is null ? begin : [begin[0], .. guards.WritePersistent(), .. guards.Around(begin[1..])],
            Steps = guards is null ? steps : steps.ToDictionary(s => s.Key, s => guards.Around(s.Value)),
            End = guards is null ? end : [.. guards.Around(end), .. guards.CheckPersistent()],
            Arena = arena,
            Guards = guards,
            Feed = feed,
            Labels = labels,
            Logits = logits,
            Total = total,
            Layers = b,
        };
    }

    /// <summary>Sets what the arena has to begin with to zero: sums over steps, carried gradients.</summary>
    private Op ClearSums(Arena arena) => new(
        "clear sums", [], [], _ => b.Device.Context.ClearMemoryAsync(arena.Start, (byte)0, arena.ZeroedBytes, b.Device.Stream.Stream))
    { Bytes = arena.ZeroedBytes };

    private Op ClearGradients() => new(
        "clear gradients",
        [],
        [],
        _ => b.Device.Context.ClearMemoryAsync(store.Gradients.Pointer, (byte)0, store.Elements * 4, b.Device.Stream.Stream))
    { ParameterBytes = 4 * store.Elements };

    private Op CastWeights() => new(
        "cast weights",
        [],
        [],
        _ => Kernels.Cast(LaunchShape.Elements(b.Device, store.Elements, 4), store.WorkingWeights<T>(), store.Weights, store.Elements))
    { ParameterBytes = (4 + b.Shape.Type.Size()) * store.Elements };

    /// <summary>A gradient that is not finite stays so whatever is added to it: one look at the end sees each.</summary>
    private Op FindOverflow() => new(
        "find overflow",
        [],
        [],
        _ => Kernels.FindOverflow(LaunchShape.Elements(b.Device, store.Elements, 4), store.Gradients, store.RunState, store.Elements))
    { ParameterBytes = 4 * store.Elements };

    private Op Loss(DeviceBuffer<T>? gradLogits, bool withLoss) => Op.ForSteps(
        "loss",
        [logits, labels, total, sampleLoss],
        [total, sampleLoss, .. OptionalBuffers.Present(gradLogits)],
        s => Kernels.Loss(
            LaunchShape.Samples(n),
            gradLogits.AtOrNull(s.First),
            withLoss ? sampleLoss.At(0) : default,
            total.At(0),
            logits.At(s.First),
            labels.At(0),
            options.Loss.Lambda,
            options.Loss.MseOneHot ? 1 : 0,
            options.Loss.Means,
            1f / b.Shape.Steps,
            store.RunState,
            s.Count,
            n,
            classes))
        with
    { CarriedBytes = labels.Bytes + (2 * (total.Bytes + sampleLoss.Bytes)) };

    /// <summary>Adds the steps that were done to the number of the step, which only frames ask for.</summary>
    private Op[] AdvanceStep() => b.Shape.StaticInput
        ? []
        : [Op.ForSteps("advance step", [], [], s => Kernels.AdvanceStep(LaunchShape.OneThread, store.RunState, s.Count))];

    private Op Metrics()
    {
        DeviceBuffer<int> ranks = b.Scratch<int>("rank of each label", n, Section.End);
        return new(
            "metrics",
            [total, sampleLoss, labels],
            [ranks],
            t =>
            {
                Kernels.LabelRanks(LaunchShape.Samples(n), ranks.At(t), total.At(0), labels.At(0), n, classes);
                Kernels.Metrics(LaunchShape.Single, store.MetricSums, ranks.At(t), sampleLoss.At(0), n);
            });
    }
}
