using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>What a program does with a batch.</summary>
internal enum ProgramKind
{
    /// <summary>An iteration and its update.</summary>
    Training,

    /// <summary>An evaluation of test samples, with running statistics.</summary>
    Evaluation,

    /// <summary>An evaluation of training samples, with running statistics.</summary>
    TrainingSamplesByRunningStatistics,

    /// <summary>The same, with the batch's statistics.</summary>
    TrainingSamplesByBatchStatistics,

    /// <summary>An evaluation of a few test samples, step by step, so that each step's membrane potentials can be read.</summary>
    Inspection,
}

/// <summary>All operations of a training iteration, or of an evaluation, for one batch size: planned, placed, captured, replayed.</summary>
internal sealed class NetworkProgram : IDisposable
{
    /// <summary>
    /// Launches in a graph at most. A larger graph takes longer to prepare, and more of the host's memory, than replaying steps one by one
    /// costs.
    /// </summary>
    private const int LargestGraph = 2048;

    private readonly ComputeDevice device;
    private readonly IterationOps ops;
    private readonly Dictionary<(string Part, StepRange Steps), CapturedGraph> graphs = [];
    private readonly HashSet<(string Part, StepRange Steps)> launched = [];
    private int? inputReads;

    private NetworkProgram(ComputeDevice device, IterationOps ops, ProgramKind kind) => (this.device, this.ops, Kind) = (device, ops, kind);

    /// <summary>What it does with a batch.</summary>
    public ProgramKind Kind { get; }

    /// <summary>Sizes and kinds.</summary>
    public ProgramShape Shape => ops.Layers.Shape;

    /// <summary>The memory plan.</summary>
    public Arena Arena => ops.Arena;

    /// <summary>True once it has memory.</summary>
    public bool IsPlaced { get; private set; }

    /// <summary>Bytes of a batch's input, as <see cref="Run"/> takes it.</summary>
    public long InputBytes => ops.Feed.Bytes;

    /// <summary>
    /// Is called in place of each launch of an operation for steps side by side, with what launches it: for profiles. The launches are then
    /// not captured. Null: none.
    /// </summary>
    public Action<Op, StepRange, Action>? Launcher { get; set; }

    /// <summary>Builds and plans a program; nothing is allocated for it yet.</summary>
    /// <param name="store">The network's parameters; they need no memory yet.</param>
    /// <param name="kind">What it does with a batch.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="stepsAtOnce">C: so many steps go through the network side by side, or fewer if the network's sizes don't allow
    /// it.</param>
    /// <param name="options">Input, neuron, loss, optimiser.</param>
    /// <param name="counts">Where spikes are counted; null: spikes are not counted.</param>
    /// <param name="flags">Where it is noted whether layers fire; null: nowhere.</param>
    /// <param name="measures">False: take cuDNN's guess of the fastest algorithms, without measuring.</param>
    /// <exception cref="SlttException">The network's layers do not fit together, or the batch is larger than cuDNN's tensors may
    /// be.</exception>
    public static NetworkProgram Plan(
        ParameterStore store,
        ProgramKind kind,
        int batch,
        int stepsAtOnce,
        EngineOptions options,
        SpikeCounts? counts,
        FiringFlags? flags,
        bool measures)
    {
        bool training = kind == ProgramKind.Training;
        ComputeType type = training ? options.Type : options.EvaluationType.Storage();

        // The CPU device has no TF32: what --fast-math means there, Winograd's algorithm, is not asked for by a type.
        bool fastMath = training ? options.FastMath
            : options.EvaluationType == EvaluationType.Tf32 && (options.FastMath || !store.Device.IsCpu);
        long largest = store.Network.Layers.Max(l => Math.Max(l.Output.Elements, l.Inputs.Max(i => i.Elements)));
        if (batch > int.MaxValue / largest)
        {
            throw new SlttException(
                ErrorKind.Usage,
                $"-b {batch}: too large for cuDNN, whose tensors have at most 2^31 - 1 elements",
                $"this network takes batches of at most {int.MaxValue / largest}");
        }

        // What is done in a step of an evaluation is the same in each.
        Method method = training ? options.Method : new Sltt();
        ProgramShape shape = new(
            batch,
            options.Steps,
            type,
            training,
            training && options.Method.ThroughTime,
            options.StaticInput,
            fastMath,
            BatchStatistics: kind == ProgramKind.TrainingSamplesByBatchStatistics,
            StepsAtOnce: CanBeSideBySide(store.Network, batch, type, options.StaticInput)
                ? (int)Math.Min(Math.Min(stepsAtOnce, method.LongestRun(options.Steps)), int.MaxValue / (largest * batch)) : 1,
            Recompute: training && options.Recompute,
            SplitTf32: type == ComputeType.Float32 && options.SplitTf32 && (training || !fastMath));

        return shape.Type switch
        {
            ComputeType.Float32 => Emit<float>(),
            ComputeType.Float16 => Emit<Half>(),
            _ => Emit<BFloat16>(),
        };

        NetworkProgram Emit<T>()
            where T : unmanaged
        {
            ProgramBuilder<T> builder = new(store, shape, options.Neuron)
            {
                StepCounts = method.StepCounts(shape.Steps, shape.StepsAtOnce),
                MeasuresAlgorithms = measures,
                SpikeCounts = counts,
                FiringFlags = flags,
            };
            return new NetworkProgram(store.Device, IterationEmitter<T>.Emit(builder, options, options.Input(kind)), kind);
        }
    }

    /// <summary>The layers of neurons by name: spikes, membrane potential as the last step left it, v_th.</summary>
    public IReadOnlyDictionary<string, (Edge Spikes, DeviceBuffer U, float Threshold)> Neurons => ops.Layers.Neurons;

    /// <summary>Sum of the logits (N, classes) over the steps; it stays until the next program runs.</summary>
    public DeviceBuffer<float> Total => ops.Total;

    /// <summary>Operations that the layers emitted into a section.</summary>
    /// <param name="section">Which.</param>
    public IReadOnlyList<Op> Ops(Section section) => ops.Layers.Ops(section);

    /// <summary>What an iteration has to do.</summary>
    /// <param name="passes">What is done in its steps, step by step.</param>
    public IterationWork Work(IEnumerable<(StepKind Kind, int T)> passes)
    {
        List<(Op Op, int Steps)> all = [.. ops.Begin.Concat(ops.End).Select(op => (op, 1))];
        all.AddRange(StepPass.SideBySide(passes, Shape.StepsAtOnce).SelectMany(p => ops.Steps[p.Kind].Select(op => (op, p.Steps.Count))));

        // Step 0 does not read the state buffers, so their bytes are subtracted.
        long absent = Arena.Persistent.Where(b => b.Kind == BufferKind.State && !b.Zeroed).Sum(b => b.Bytes);
        return new IterationWork(
            all.Sum(a => a.Steps * a.Op.MultiplyAdds),
            all.Sum(a => a.Op.BytesFor(a.Steps)) - absent,
            all.Sum(a => (long)(a.Op.LaunchSteps is null ? a.Steps : 1)));
    }

    /// <summary>Gives the program its memory.</summary>
    /// <param name="address">Start of a block of at least <see cref="Arena"/>.Bytes bytes, shared with programs that don't run at the same
    /// time.</param>
    /// <param name="format">How input comes, as planned, now with the address of images that stay on the device.</param>
    public void Place(CUdeviceptr address, InputFormat format)
    {
        ops.Arena.Place(address);
        ops.Feed.Allocate(format);
        ops.Guards?.Allocate();
        IsPlaced = true;
    }

    /// <summary>Runs an iteration: input, the method's steps, and in training the update.</summary>
    /// <param name="input">Frames, or image indices: <see cref="InputBytes"/> bytes.</param>
    /// <param name="labels">Class of each sample.</param>
    /// <param name="schedule">The method's passes, or one forward pass a step.</param>
    /// <param name="sameEveryIteration">True if every iteration has this schedule: then it is one graph, if that is not too large.</param>
    /// <param name="afterForward">Called after each step's forward; the launches are then not captured. For checks.</param>
    /// <exception cref="SlttException">On the strict CPU device: an operation wrote beyond its buffers.</exception>
    public void Run(
        ReadOnlySpan<byte> input,
        ReadOnlySpan<int> labels,
        IEnumerable<(StepKind Kind, int T)> schedule,
        bool sameEveryIteration,
        Action<int>? afterForward = null)
    {
        if (input.Length != InputBytes || labels.Length != Shape.Batch)
        {
            string expected = $"a batch of {Shape.Batch} takes {InputBytes} bytes of input and {Shape.Batch} labels";
            throw new ArgumentException($"{expected}, not {input.Length} and {labels.Length}");
        }

        ops.Feed.Write(input);
        HostCopy.ToDevice(device, ops.Labels.Address(0), labels);
        List<StepPass> passes = StepPass.SideBySide(schedule, Shape.StepsAtOnce);
        if (afterForward is not null || Launcher is not null)
        {
            Launch(ops.Begin);
            foreach (StepPass pass in passes)
            {
                Launch(pass);
                if (pass.Kind != StepKind.Backward && afterForward is not null)
                {
                    pass.Steps.Steps.ToList().ForEach(t => afterForward?.Invoke(t));
                }
            }

            ops.Feed.Release();
            Launch(ops.End);
        }
        else if (sameEveryIteration && passes.Sum(pass => ops.Steps[pass.Kind].Count) <= LargestGraph)
        {
            // Two graphs where the next batch is copied beside the second.
            int reads = inputReads ??= InputReads(Iteration(passes));
            if (reads > 0)
            {
                Replay("up to the input's last use", default, () => Launch(Iteration(passes)[..reads]));
                ops.Feed.Release();
            }

            Replay("iteration", default, () => Launch(Iteration(passes)[reads..]));
        }
        else
        {
            Replay("begin", default, () => Launch(ops.Begin));
            if (Shape.StaticInput)
            {
                ops.Feed.Release();
            }

            foreach (StepPass pass in passes)
            {
                StepPass recorded = Recorded(pass);
                Replay(pass.Kind.ToString(), recorded.Steps, () => Launch(recorded));
            }

            if (!Shape.StaticInput)
            {
                ops.Feed.Release();
            }

            Replay("end", default, () => Launch(ops.End));
        }

        ops.Guards?.ThrowIfViolated();
    }

    /// <summary>Logits (N, classes) of a step; they stay until the steps that run side by side behind it.</summary>
    /// <param name="t">Time step.</param>
    public float[] ReadLogits(int t) => Read(ops.Logits, t);

    /// <summary>Sum of the logits (N, classes) over the steps.</summary>
    public float[] ReadTotal() => Read(ops.Total, 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CapturedGraph graph in graphs.Values)
        {
            graph.Dispose();
        }

        ops.Dispose();
    }

    /// <summary>Launches up to the last one that reads the input; 0: no copy waits for it.</summary>
    private int InputReads(List<(Op Op, Action Launch)> launches) =>
        ops.Feed.Overlaps ? launches.FindLastIndex(launch => ops.Feed.IsReadBy(launch.Op)) + 1 : 0;

    /// <summary>All launches of an iteration in order.</summary>
    private List<(Op Op, Action Launch)> Iteration(List<StepPass> passes) =>
    [
        .. ops.Begin.Select(op => (op, Launches(op, StepRange.One(0), backwards: false))),
        .. passes.SelectMany(pass => ops.Steps[pass.Kind].Select(
            op => (op, Launches(op, pass.Steps, backwards: pass.Kind == StepKind.Backward)))),
        .. ops.End.Select(op => (op, Launches(op, StepRange.One(0), backwards: false))),
    ];

    private Action Launches(Op op, StepRange steps, bool backwards) => () => Launch(op, steps, backwards);

    private static void Launch(List<(Op Op, Action Launch)> launches) => launches.ForEach(launch => launch.Launch());

    private void Launch(IReadOnlyList<Op> ops)
    {
        foreach (Op op in ops)
        {
            Launch(op, StepRange.One(0), backwards: false);
        }
    }

    private void Launch(StepPass pass)
    {
        foreach (Op op in ops.Steps[pass.Kind])
        {
            Launch(op, pass.Steps, backwards: pass.Kind == StepKind.Backward);
        }
    }

    private void Launch(Op op, StepRange steps, bool backwards)
    {
        if (Launcher is null)
        {
            op.Run(steps, backwards);
        }
        else
        {
            Launcher(op, steps, () => op.Run(steps, backwards));
        }
    }

    /// <summary>
    /// The pass whose recorded launches serve this one. Where copies of buffers take turns, all C steps but the first share one recording;
    /// the first have their own, because no potential exists before step 0.
    /// </summary>
    private StepPass Recorded(StepPass pass)
    {
        int copies = Shape.StepsAtOnce;
        int first = pass.Steps.First;
        return Shape.ThroughTime || first < copies ? pass : pass with { Steps = pass.Steps with { First = copies + (first % copies) } };
    }

    private void Replay(string part, StepRange steps, Action launches)
    {
        // The first time they are simply launched: libraries then load their kernels and allocate, which they can't while a graph is
        // captured.
        if (launched.Add((part, steps)))
        {
            launches();
            return;
        }

        if (!graphs.TryGetValue((part, steps), out CapturedGraph? graph))
        {
            graph = CapturedGraph.Capture(device, launches);
            graphs.Add((part, steps), graph);
        }

        graph.Launch();
    }

    /// <summary>
    /// True if steps can lie side by side: kernels read 16 bytes at a time, so each step must begin at a multiple of 16 bytes. So it does
    /// but for odd numbers of channels and samples. The logits are read one by one.
    /// </summary>
    private static bool CanBeSideBySide(Network network, int batch, ComputeType type, bool staticInput) => network.Layers
        .SelectMany(l => l.Inputs.Append(l.Output)).Where(edge => edge != network.Logits)
        .All(edge => edge.Elements * batch * type.Size() % 16 == 0)
        && network.Layers.All(l => l.AllowsStepsSideBySide(staticInput));

    private float[] Read(DeviceBuffer<float> buffer, int t)
    {
        float[] values = new float[Shape.Batch * ops.Layers.Network.Classes];
        HostCopy.ToHost<float>(device, buffer.Address(t), values);
        return values;
    }
}
