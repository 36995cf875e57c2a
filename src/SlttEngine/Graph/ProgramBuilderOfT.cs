using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>A program in one compute type: what the layers of a network see of it, edge by edge.</summary>
/// <typeparam name="T">Type of activations and working weights: float, Half or BFloat16.</typeparam>
public sealed class ProgramBuilder<T> : ProgramBuilder
    where T : unmanaged
{
    private readonly Dictionary<Edge, EdgeInfo> edges = [];

    /// <summary>Starts an empty program.</summary>
    /// <param name="store">The model's parameters; they need no memory yet.</param>
    /// <param name="shape">Sizes and kinds, of this compute type.</param>
    /// <param name="neuron">The neuron's constants.</param>
    public ProgramBuilder(ParameterStore store, ProgramShape shape, NeuronOptions neuron)
        : base(store, shape, neuron)
    {
        if (shape.Type != KernelType<T>.Type)
        {
            throw new ArgumentException($"a program in {typeof(T).Name} can't be of type {shape.Type}", nameof(shape));
        }
    }

    /// <summary>
    /// A kernel of a user's own for the compute type: <paramref name="name"/> with the suffix _f32, _f16 or _bf16, or if there is none,
    /// <paramref name="name"/> itself. The source is compiled here if it was not before, so a wrong one is refused before a run starts.
    /// </summary>
    /// <param name="source">The source.</param>
    /// <param name="name">The kernel's symbol.</param>
    /// <exception cref="SlttException">There is no compiler, the source does not compile, or it has no such kernel.</exception>
    public CompiledKernel Kernel(KernelSource source, string name) =>
        Device.Kernel(source, [$"{name}_{KernelType<T>.Suffix}", name]);

    /// <summary>Address of a parameter's weights in the compute type; to be asked for at a launch.</summary>
    /// <param name="parameter">The parameter.</param>
    public DevicePtr<T> WorkingWeight(Parameter parameter) => Store.WorkingWeight<T>(parameter);

    /// <summary>The buffer that a layer's output goes to: kept if backward reads it or the stem made it, else scratch.</summary>
    /// <param name="edge">The layer's output.</param>
    public DeviceBuffer<T> NewActivation(Edge edge)
    {
        bool isStatic = IsStatic(edge);
        bool saved = Shape.Training && edge.SavedForBackward && !IsRecomputed(edge);
        DeviceBuffer<T> buffer = isStatic || saved
            ? Keep<T>(edge.Name, BufferKind.Saved, Count(edge), isStatic ? 1 : Copies)
            : Scratch<T>(edge.Name, Count(edge));
        SetActivation(edge, buffer);
        return buffer;
    }

    /// <summary>
    /// True for a convolution's output that backward makes again instead of keeping it: not if another layer reads it too, which may want
    /// it as forward left it.
    /// </summary>
    /// <param name="edge">The output.</param>
    internal bool IsRecomputed(Edge edge) => Shape.Recompute && Shape.Training && edge.CanBeRecomputed && !IsStatic(edge)
        && Network.Readers(edge).Take(2).Count() == 1
        && (edge.RecomputedResidual is not { } residual || IsRecomputed(residual));

    /// <summary>
    /// Adds the operation that makes a layer's output of its input alone. Where the output is not kept, backward recomputes it so.
    /// </summary>
    /// <param name="output">The layer's output.</param>
    /// <param name="input">Its input.</param>
    /// <param name="x">The input's activation in forward.</param>
    /// <param name="make">The operation, from input to output.</param>
    public void AddRecomputable(Edge output, Edge input, DeviceBuffer<T> x, Func<DeviceBuffer<T>, DeviceBuffer<T>, Op> make)
    {
        DeviceBuffer<T> y = NewActivation(output);
        Add(ForwardOf(output), make(x, y));
        if (y.IsScratch)
        {
            SetRecompute(output, () =>
            {
                DeviceBuffer<T> recomputed = Scratch<T>(output.Name + " recomputed", Count(output));
                Add(Section.Backward, make(ActivationForBackward(input), recomputed));
                return recomputed;
            });
        }
    }

    /// <summary>Registers the buffer that holds an edge's activation.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="buffer">Its buffer; of floats for the logits, else in the compute type.</param>
    public void SetActivation(Edge edge, DeviceBuffer buffer) => edges.Add(edge, new EdgeInfo(buffer));

    /// <summary>The buffer that holds an edge's activation in forward, complete.</summary>
    /// <param name="edge">The edge.</param>
    /// <exception cref="SlttException">A bias is still to be added to it.</exception>
    public DeviceBuffer<T> Activation(Edge edge)
    {
        (DeviceBuffer<T> x, DeviceBuffer<float>? bias) = ActivationAndBias(edge);
        return bias is null
            ? x
            : throw GraphError.Of(
                $"{Layer}: reads {edge.Name}, whose bias is not added yet",
                "let a neuron, an average pool or a residual read it: they add the bias");
    }

    /// <summary>The buffer that holds an edge's activation in forward, and the bias (C) that its readers add; null: none.</summary>
    /// <param name="edge">The edge.</param>
    public (DeviceBuffer<T> X, DeviceBuffer<float>? Bias) ActivationAndBias(Edge edge) =>
        (Info(edge).Activation as DeviceBuffer<T> ?? throw Mistyped(edge), Info(edge).PendingBias);

    /// <summary>The buffer that holds the logits.</summary>
    public DeviceBuffer<float> Logits() => Info(Network.Logits).Activation as DeviceBuffer<float>
        ?? throw GraphError.Of($"{Network.Logits.Name}: the logits are not in float", "end the network with a Linear layer");

    /// <summary>Registers what makes an edge's activation in backward if forward did not keep it.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="recompute">Emits the operations, into the backward section, and returns the buffer that they fill.</param>
    public void SetRecompute(Edge edge, Func<DeviceBuffer<T>> recompute) => Info(edge).Recompute = recompute;

    /// <summary>The buffer that holds an edge's activation in backward: as kept, or recomputed at its first use.</summary>
    /// <param name="edge">The edge.</param>
    /// <exception cref="SlttException">It is neither.</exception>
    public DeviceBuffer<T> ActivationForBackward(Edge edge)
    {
        EdgeInfo info = Info(edge);
        if (!info.Activation.IsScratch)
        {
            return info.Activation as DeviceBuffer<T> ?? throw Mistyped(edge);
        }

        if (info.Recomputed is null && info.Recompute is null)
        {
            throw GraphError.Of(
                $"{Layer}: its backward reads {edge.Name}, which is neither kept nor recomputed",
                "let it read neurons, a pool of neurons or the input");
        }

        return info.Recomputed ??= info.Recompute!();
    }

    /// <summary>Registers the membrane potential u of spikes: an element is 1 where u reaches the threshold, and 0 elsewhere.</summary>
    /// <param name="edge">Spikes without dropout.</param>
    /// <param name="u">Their membrane potential.</param>
    /// <param name="threshold">v_th.</param>
    public void SetPotential(Edge edge, DeviceBuffer<T> u, float threshold) => Info(edge).Potential = (u, threshold);

    /// <summary>The membrane potential of an edge of spikes and its threshold, or null.</summary>
    /// <param name="edge">The edge.</param>
    public (DeviceBuffer<T> U, float Threshold)? Potential(Edge edge) => Info(edge).Potential;

    /// <summary>Registers a bias (C) that an edge still lacks and that its readers add.</summary>
    /// <param name="edge">A convolution's output.</param>
    /// <param name="bias">The bias.</param>
    public void SetPendingBias(Edge edge, DeviceBuffer<float> bias) => Info(edge).PendingBias = bias;

    /// <summary>A buffer for the layer's contribution to the gradient of what it reads, handed on already. The layer fills it.</summary>
    /// <param name="edge">What the layer reads.</param>
    public DeviceBuffer<T> NewGradient(Edge edge)
    {
        DeviceBuffer<T> gradient = Scratch<T>($"{edge.Name} gradient from {Layer}", Count(edge));
        AddGradient(edge, gradient);
        return gradient;
    }

    /// <summary>Adds a contribution to the loss's gradient with respect to an edge.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="gradient">The contribution.</param>
    public void AddGradient(Edge edge, DeviceBuffer<T> gradient) => Info(edge).Gradients.Add(gradient);

    /// <summary>
    /// The contributions to an edge's gradient so far; the caller must use them all, as they are not handed out a second time.
    /// </summary>
    /// <param name="edge">The edge.</param>
    /// <param name="max">How many the caller can add up, at least 1: where more layers read the edge, the first ones are added up
    /// here.</param>
    public IReadOnlyList<DeviceBuffer<T>> DrainGradients(Edge edge, int max)
    {
        List<DeviceBuffer<T>> gradients = [.. Info(edge).Gradients];
        Info(edge).Gradients.Clear();
        if (IsStatic(edge))
        {
            // Its backward runs one time an iteration: what comes in each step is added up over the steps first.
            gradients = [.. gradients.Select(g => IsMadeEachStep(g) ? SumOverTime(edge, g) : g)];
        }

        while (gradients.Count > max)
        {
            gradients[0] = AddUp(edge, gradients[0], gradients[1]);
            gradients.RemoveAt(1);
        }

        return gradients;
    }

    /// <summary>
    /// A contribution to an edge's gradient that is made in each step, for a caller that adds it up over the steps itself; null: none.
    /// </summary>
    /// <param name="edge">The edge.</param>
    public DeviceBuffer<T>? DrainStepGradient(Edge edge)
    {
        List<DeviceBuffer<T>> gradients = Info(edge).Gradients;
        DeviceBuffer<T>? step = gradients.Find(IsMadeEachStep);
        if (step is not null)
        {
            gradients.Remove(step);
        }

        return step;
    }

    /// <summary>The gradient of an edge: the sum over its readers.</summary>
    /// <param name="edge">The edge.</param>
    /// <exception cref="SlttException">It has none.</exception>
    public DeviceBuffer<T> DrainGradient(Edge edge) =>
        DrainGradients(edge, 1) is [DeviceBuffer<T> gradient] ? gradient : throw NoGradient(edge);

    /// <summary>The gradient of an edge, in one part or two.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="max">How many parts the caller can add up: 1 or 2.</param>
    /// <exception cref="SlttException">It has none.</exception>
    public (DeviceBuffer<T> First, DeviceBuffer<T>? Second) DrainSum(Edge edge, int max) => DrainGradients(edge, max) switch
    {
        [DeviceBuffer<T> first] => (first, null),
        [DeviceBuffer<T> first, DeviceBuffer<T> second] => (first, second),
        _ => throw NoGradient(edge),
    };

    private bool IsMadeEachStep(DeviceBuffer<T> gradient) => Ops(Section.Backward).Any(op => op.Writes.Contains(gradient));

    private DeviceBuffer<T> SumOverTime(Edge edge, DeviceBuffer<T> gradient)
    {
        long n = Count(edge);
        DeviceBuffer<float> sum = Keep<float>(gradient.Name + " over time", BufferKind.State, n, zeroed: true);
        DeviceBuffer<T> total = Scratch<T>(gradient.Name + " summed", n, Section.End);
        Add(Section.Backward, new Op(
            gradient.Name + " added up over time",
            [gradient, sum],
            [sum],
            t => Device.Kernels.AccumulateGradients<T>(Elementwise(n), sum.At(t), gradient.At(t), RunState, n)));
        Add(Section.End, new Op(
            sum.Name + " cast", [sum], [total], t => Device.Kernels.Cast(Elementwise(n), total.At(t), sum.At(t), n)));
        return total;
    }

    private DeviceBuffer<T> AddUp(Edge edge, DeviceBuffer<T> first, DeviceBuffer<T> second)
    {
        Section section = BackwardOf(edge);
        DeviceBuffer<T> sum = Scratch<T>(edge.Name + " gradient", Count(edge), section);
        Add(section, Op.ForSteps(
            edge.Name + " gradients added up",
            [first, second],
            [sum],
            s => Device.Kernels.ResidualAdd(
                Elementwise(s.Count * Count(edge)),
                sum.At(s.First),
                first.At(s.First),
                second.At(s.First),
                default,
                default,
                s.Count * Rows(edge),
                edge.Channels),
            inPlace: (sum, first)));
        return sum;
    }

    private static SlttException NoGradient(Edge edge) =>
        GraphError.Of($"{edge.Name}: no gradient comes back to it", "let a layer with a backward read it");

    private EdgeInfo Info(Edge edge) => edges.TryGetValue(edge, out EdgeInfo? info)
        ? info
        : throw GraphError.Of(
            $"{Layer}: reads {edge.Name}, which no layer in front of it in this network makes", "add layers in order of execution");

    private SlttException Mistyped(Edge edge) => GraphError.Of($"{Layer}: reads {edge.Name}, the logits", "only the loss reads logits");

    /// <summary>What a program knows of one edge.</summary>
    private sealed class EdgeInfo(DeviceBuffer activation)
    {
        /// <summary>Where forward puts it.</summary>
        public DeviceBuffer Activation { get; } = activation;

        /// <summary>How backward makes it if forward did not keep it.</summary>
        public Func<DeviceBuffer<T>>? Recompute { get; set; }

        /// <summary>Where backward finds it, once it is recomputed.</summary>
        public DeviceBuffer<T>? Recomputed { get; set; }

        /// <summary>Contributions of its readers to its gradient.</summary>
        public List<DeviceBuffer<T>> Gradients { get; } = [];

        /// <summary>The membrane potential whose spikes it is.</summary>
        public (DeviceBuffer<T> U, float Threshold)? Potential { get; set; }

        /// <summary>The bias that its readers add.</summary>
        public DeviceBuffer<float>? PendingBias { get; set; }
    }
}
