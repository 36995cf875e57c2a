using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>All operations of a training iteration, or of an evaluation, for one batch size: planned, placed, captured, replayed.</summary>
internal sealed class NetworkProgram : IDisposable
{
    /// <summary>Launches in a graph at most: more of them take longer to prepare, and more of the host's memory, than replaying steps one by one costs.</summary>
    private const int LargestGraph = 2048;

    private readonly ComputeDevice device;
    private readonly ProgramBuilder builder;
    private readonly InputFeed feed;
    private readonly DeviceBuffer labels;
    private readonly DeviceBuffer logits;
    private readonly DeviceBuffer total;
    private readonly DeviceBuffer sampleLoss;
    private readonly Optimizer? optimizer;
    private readonly LossOptions loss;
    private readonly CUdeviceptr metrics;
    private readonly Dictionary<StepKind, Action<int>> steps = [];
    private readonly Dictionary<(string Part, int T), CapturedGraph> graphs = [];
    private readonly HashSet<(string Part, int T)> launched = [];
    private CUdeviceptr start;

    /// <summary>Builds and plans a program; nothing is allocated for it yet.</summary>
    /// <param name="b">An empty builder.</param>
    /// <param name="format">How input comes.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="optimizer">The optimiser; null for evaluation.</param>
    /// <param name="metrics">Four doubles on the device: sums of loss, top-1, top-5, samples.</param>
    /// <exception cref="SlttException">The batch is larger than cuDNN's tensors may be.</exception>
    public NetworkProgram(ProgramBuilder b, InputFormat format, LossOptions loss, Optimizer? optimizer, CUdeviceptr metrics)
    {
        (builder, device, this.loss, this.optimizer, this.metrics) = (b, b.Device, loss, optimizer, metrics);
        (int n, int classes) = (b.Shape.Batch, b.Store.Network.Classes);
        long most = int.MaxValue / b.Store.Network.Layers.Max(l => Math.Max(l.Output.Elements, l.Inputs.Max(i => i.Elements)));
        if (n > most)
        {
            throw new SlttException(ErrorKind.Usage, $"-b {n}: too large for cuDNN, whose tensors have at most 2^31 - 1 elements", $"this network takes batches of at most {most}");
        }

        feed = new InputFeed(b, format);
        labels = b.Keep("labels", BufferKind.Batch, 4L * n);
        total = b.Keep("sum of logits", BufferKind.Batch, 4L * n * classes, zeroed: true);
        sampleLoss = b.Keep("loss by sample", BufferKind.Batch, 4L * n, zeroed: true);

        List<Action> backward = [];
        foreach (Layer layer in b.Store.Network.Layers)
        {
            b.Layer = layer.Name;
            backward.Add(layer.Emit(b));
        }

        b.Layer = string.Empty;
        logits = b.Forward(b.Store.Network.Logits);
        if (b.Shape.Training)
        {
            EmitTraining(backward);
        }
        else
        {
            b.Add(Section.Forward, Loss(gradLogits: null, withLoss: true));
            IReadOnlyList<Op> forward = b.Ops(Section.Forward);
            steps[StepKind.ForwardOnly] = t => LaunchStep(forward, t);
            Arena = Arena.Plan(b.Persistent, [b.Ops(Section.Begin), forward, b.Ops(Section.End)]);
        }
    }

    /// <summary>Sizes and kinds.</summary>
    public ProgramShape Shape => builder.Shape;

    /// <summary>The memory plan.</summary>
    public Arena Arena { get; private set; } = null!;

    /// <summary>Operations of a section, as they were planned.</summary>
    /// <param name="section">Which.</param>
    public IReadOnlyList<Op> Ops(Section section) => builder.Ops(section);

    /// <summary>Bytes of a batch's input, as <see cref="Run"/> takes it.</summary>
    public long InputBytes => feed.Bytes;

    /// <summary>Gives the program its memory.</summary>
    /// <param name="address">Start of a block of at least <see cref="Arena"/>.Bytes bytes, shared with programs that don't run at the same time.</param>
    public void Place(CUdeviceptr address)
    {
        start = address;
        Arena.Place(address);
    }

    /// <summary>Runs an iteration: input, the method's steps, and in training the update.</summary>
    /// <param name="input">Frames, or image indices: <see cref="InputBytes"/> bytes.</param>
    /// <param name="classLabels">Class of each sample.</param>
    /// <param name="schedule">The method's passes, or one forward pass a step.</param>
    /// <param name="alike">True if every iteration has this schedule: then it is one graph, if that is not too large.</param>
    /// <param name="afterForward">Called after each step's forward; the launches are then not captured. For checks.</param>
    public void Run(
        ReadOnlySpan<byte> input, ReadOnlySpan<int> classLabels, IEnumerable<(StepKind Kind, int T)> schedule, bool alike, Action<int>? afterForward = null)
    {
        if (input.Length != InputBytes || classLabels.Length != Shape.Batch)
        {
            throw new ArgumentException($"a batch of {Shape.Batch} takes {InputBytes} bytes of input and {Shape.Batch} labels, not {input.Length} and {classLabels.Length}");
        }

        feed.Write(input);
        HostCopy.ToDevice(device, labels.At(0), classLabels);
        List<(StepKind Kind, int T)> passes = [.. schedule];
        if (afterForward is not null)
        {
            Begin();
            foreach ((StepKind kind, int t) in passes)
            {
                steps[kind](Address(t));
                if (kind != StepKind.Backward)
                {
                    afterForward(t);
                }
            }

            End();
        }
        else if (alike && passes.Count * LaunchesAStep <= LargestGraph)
        {
            Replay("iteration", 0, () =>
            {
                Begin();
                passes.ForEach(pass => steps[pass.Kind](Address(pass.T)));
                End();
            });
        }
        else
        {
            Replay("begin", 0, Begin);
            passes.ForEach(pass => Replay(pass.Kind.ToString(), Address(pass.T), () => steps[pass.Kind](Address(pass.T))));
            Replay("end", 0, End);
        }
    }

    /// <summary>Logits (N, classes) of the step that ran last.</summary>
    public float[] ReadLogits() => Read(logits);

    /// <summary>Sum of the logits (N, classes) over the steps.</summary>
    public float[] ReadTotal() => Read(total);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CapturedGraph graph in graphs.Values)
        {
            graph.Dispose();
        }

        feed.Dispose();
        foreach (IDisposable item in builder.Owned)
        {
            item.Dispose();
        }
    }

    private void EmitTraining(List<Action> backward)
    {
        ProgramBuilder b = builder;
        DeviceBuffer gradLogits = b.Keep("gradient of logits", BufferKind.Batch, (long)b.Shape.Batch * b.Store.Network.Classes * b.Shape.Type.Size(), b.Copies);
        b.AddGradient(b.Store.Network.Logits, gradLogits);
        for (int i = backward.Count - 1; i >= 0; i--)
        {
            b.Layer = b.Store.Network.Layers[i].Name;
            backward[i]();
        }

        b.Layer = string.Empty;

        if (b.Shape.Type != ComputeType.Float32)
        {
            b.Add(Section.Backward, new Op(
                "accumulate gradients",
                [],
                [],
                t => device.Launch(
                    "accumulate_gradients_" + b.Suffix,
                    LaunchShape.Elements(device, b.Store.Elements, b.Shape.Type.Size()),
                    b.Store.Gradients,
                    b.Store.StepGradients,
                    b.RunState,
                    b.Store.Elements)));
        }

        (IReadOnlyList<Op> forward, IReadOnlyList<Op> back) = (b.Ops(Section.Forward), b.Ops(Section.Backward));
        Op withGradient = Loss(gradLogits, withLoss: true);
        Op withoutGradient = Loss(gradLogits: null, withLoss: false);
        IReadOnlyList<Op> keep = [.. forward, withGradient];
        IReadOnlyList<Op> both = [.. keep, .. back];
        IReadOnlyList<Op> only = [.. forward, withoutGradient];
        steps[StepKind.ForwardBackward] = t => LaunchStep(both, t);
        steps[StepKind.ForwardOnly] = t => LaunchStep(only, t);
        steps[StepKind.ForwardKeep] = t => LaunchStep(keep, t);
        steps[StepKind.Backward] = t => LaunchStep(back, t, advance: false);
        Arena = b.Shape.ThroughTime
            ? Arena.Plan(b.Persistent, [b.Ops(Section.Begin), keep, back, b.Ops(Section.End)])
            : Arena.Plan(b.Persistent, [b.Ops(Section.Begin), both, b.Ops(Section.End)]);
    }

    private Op Loss(DeviceBuffer? gradLogits, bool withLoss) => new(
        "loss",
        [logits, labels, total, sampleLoss],
        [total, sampleLoss, .. gradLogits is null ? Array.Empty<DeviceBuffer>() : [gradLogits]],
        t => device.Launch(
            "loss_" + builder.Suffix,
            LaunchShape.Samples(Shape.Batch),
            gradLogits?.At(t) ?? default(CUdeviceptr),
            withLoss ? sampleLoss.At(t) : default,
            total.At(t),
            logits.At(t),
            labels.At(t),
            loss.Lambda,
            loss.MseOneHot ? 1 : 0,
            loss.Means,
            1f / Shape.Steps,
            builder.RunState,
            Shape.Batch,
            builder.Store.Network.Classes));

    /// <summary>Clears gradients and sums, makes the working weights, then what the layers do once an iteration.</summary>
    private void Begin()
    {
        device.Context.ClearMemoryAsync(start, (byte)0, Arena.ZeroedBytes, device.Stream.Stream);
        if (Shape.Training)
        {
            device.Context.ClearMemoryAsync(builder.Store.Gradients, (byte)0, builder.Store.Elements * 4, device.Stream.Stream);
        }

        if (Shape.Type != ComputeType.Float32)
        {
            device.Launch(
                "cast_" + builder.Suffix,
                LaunchShape.Elements(device, builder.Store.Elements, 4),
                builder.Store.WorkingWeights,
                builder.Store.Weights,
                builder.Store.Elements);
        }

        foreach (Op op in builder.Ops(Section.Begin))
        {
            op.Launch(0);
        }
    }

    private void End()
    {
        foreach (Op op in builder.Ops(Section.End))
        {
            op.Launch(0);
        }

        device.Launch(
            "metrics", LaunchShape.Single, metrics, total.At(0), sampleLoss.At(0), labels.At(0), Shape.Batch, builder.Store.Network.Classes);
        optimizer?.Launch(device, builder.Store, builder.RunState);
    }

    private void LaunchStep(IReadOnlyList<Op> ops, int t, bool advance = true)
    {
        foreach (Op op in ops)
        {
            op.Launch(t);
        }

        // Nothing asks for the number of a step that has no frame of its own.
        if (advance && !Shape.StaticInput)
        {
            device.Launch("advance_step", LaunchShape.OneThread, builder.RunState);
        }
    }

    private int LaunchesAStep => builder.Ops(Section.Forward).Count + builder.Ops(Section.Backward).Count;

    /// <summary>With one copy of every tensor all steps are the same launches, but for the first, before which there is no potential.</summary>
    private int Address(int t) => builder.Copies == 1 ? Math.Min(t, 1) : t;

    private void Replay(string part, int t, Action launches)
    {
        // The first time they are simply launched: libraries then load their kernels and allocate, which they can't while a graph is captured.
        if (launched.Add((part, t)))
        {
            launches();
            return;
        }

        if (!graphs.TryGetValue((part, t), out CapturedGraph? graph))
        {
            graph = CapturedGraph.Capture(device, launches);
            graphs.Add((part, t), graph);
        }

        graph.Launch();
    }

    private float[] Read(DeviceBuffer tensor)
    {
        float[] values = new float[Shape.Batch * builder.Store.Network.Classes];
        HostCopy.ToHost<float>(device, tensor.At(0), values);
        return values;
    }
}
