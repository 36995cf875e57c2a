using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>
/// Collects the operations and buffers of one program while the network's layers emit them (docs/internals/how-a-layer-emits.md).
/// </summary>
public abstract class ProgramBuilder
{
    private readonly Dictionary<Section, List<Op>> sections = Enum.GetValues<Section>().ToDictionary(s => s, _ => new List<Op>());
    private readonly List<DeviceBuffer> persistent = [];
    private readonly List<IDisposable> descriptors = [];
    private readonly Dictionary<string, (Edge Spikes, DeviceBuffer U, float Threshold)> neurons = [];
    private uint dropoutLayers;

    private protected ProgramBuilder(ParameterStore store, ProgramShape shape, NeuronOptions neuron) =>
        (Store, Shape, Neuron) = (store, shape, neuron);

    /// <summary>The device.</summary>
    public ComputeDevice Device => Store.Device;

    /// <summary>The network.</summary>
    public Network Network => Store.Network;

    /// <summary>The model's parameters, gradients and statistics.</summary>
    public ParameterStore Store { get; }

    /// <summary>Sizes and kinds.</summary>
    public ProgramShape Shape { get; }

    /// <summary>The neuron's constants.</summary>
    public NeuronOptions Neuron { get; }

    /// <summary>Where the device keeps the run state; to be asked for at a launch.</summary>
    public DevicePtr<RunState> RunState => Store.RunState;

    /// <summary>
    /// False: cuDNN's guess of the fastest algorithms will do. For plans that are only tried out, where measuring would take long.
    /// </summary>
    internal bool MeasuresAlgorithms { get; init; } = true;

    /// <summary>Where neurons' spikes are counted; null: they aren't.</summary>
    internal SpikeCounts? SpikeCounts { get; init; }

    /// <summary>Where it is noted whether a layer's neurons fire; null: nowhere.</summary>
    internal FiringFlags? FiringFlags { get; init; }

    /// <summary>
    /// Copies of a buffer that backward reads: T if backward goes through time, else as many as steps go through the network side by side.
    /// </summary>
    public int Copies => Shape.ThroughTime ? Shape.Steps : Shape.StepsAtOnce;

    /// <summary>The numbers of steps that go through the network side by side at one time or another, the largest first.</summary>
    internal IReadOnlyList<int> StepCounts { get; init; } = [1];

    /// <summary>Buffers with memory of their own.</summary>
    public IReadOnlyList<DeviceBuffer> Persistent => persistent;

    /// <summary>The layers of neurons by name: spikes, membrane potential u as the last step left it, v_th.</summary>
    internal IReadOnlyDictionary<string, (Edge Spikes, DeviceBuffer U, float Threshold)> Neurons => neurons;

    /// <summary>Library descriptors that live as long as the program.</summary>
    public IReadOnlyList<IDisposable> Descriptors => descriptors;

    /// <summary>The layer that is emitting: what is added now belongs to it.</summary>
    public string Layer { get; set; } = string.Empty;

    /// <summary>Operations of a section so far.</summary>
    /// <param name="section">Which.</param>
    public IReadOnlyList<Op> Ops(Section section) => sections[section];

    /// <summary>True if the edge is the same at every step.</summary>
    /// <param name="edge">The edge.</param>
    public bool IsStatic(Edge edge) => Shape.StaticInput && edge.DependsOnInputOnly;

    /// <summary>Forward section of an edge: <see cref="Section.Begin"/> for the stem of a static input, else every step.</summary>
    /// <param name="edge">The edge.</param>
    public Section ForwardOf(Edge edge) => IsStatic(edge) ? Section.Begin : Section.Forward;

    /// <summary>Backward section of an edge.</summary>
    /// <param name="edge">The edge.</param>
    public Section BackwardOf(Edge edge) => IsStatic(edge) ? Section.End : Section.Backward;

    /// <summary>Copies of a buffer that lives within a section: one before and after the steps, else one for each step side by
    /// side.</summary>
    /// <param name="section">The section.</param>
    public int CopiesIn(Section section) => section is Section.Begin or Section.End ? 1 : Shape.StepsAtOnce;

    /// <summary>Rows of an edge's matrix (N·H·W, C).</summary>
    /// <param name="edge">The edge.</param>
    public long Rows(Edge edge) => (long)Shape.Batch * edge.Height * edge.Width;

    /// <summary>Elements of an edge, all samples.</summary>
    /// <param name="edge">The edge.</param>
    public long Count(Edge edge) => edge.Elements * Shape.Batch;

    /// <summary>Bytes of a parameter in the compute type: what reading its working weights moves.</summary>
    /// <param name="parameter">The parameter.</param>
    public long WorkingBytes(Parameter parameter) => (long)parameter.Count * Shape.Type.Size();

    /// <summary>Launch shape of an elementwise kernel in the compute type.</summary>
    /// <param name="count">Elements.</param>
    public LaunchShape Elementwise(long count) => LaunchShape.Elements(Device, count, Shape.Type.Size());

    /// <summary>The same, of a kernel that takes the steps of a range side by side.</summary>
    /// <param name="count">Elements of a step.</param>
    /// <param name="steps">The steps.</param>
    public LaunchShape Elementwise(long count, StepRange steps) => LaunchShape.Elements(Device, count, Shape.Type.Size(), steps.Count);

    /// <summary>
    /// Partial sums over rows for the gradient of a parameter with one number a channel: a kernel's first stage (sum_rows) writes them.
    /// <see cref="AddChannelGradient"/> adds the second stage.
    /// </summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="rows">Rows that are summed: N·H·W.</param>
    public ChannelSums NewChannelSums(Parameter parameter, long rows)
    {
        LaunchShape shape = LaunchShape.RowSums(Device, rows, parameter.Count);
        return new(parameter, shape, Scratch<double>(parameter.Name + " partial sums", (long)shape.Blocks * parameter.Count));
    }

    /// <summary>Adds partial sums to their parameter's gradient.</summary>
    /// <param name="section">When.</param>
    /// <param name="sums">The partial sums, filled by an operation of the same section.</param>
    public void AddChannelGradient(Section section, ChannelSums sums)
    {
        Parameter parameter = sums.Parameter;
        Add(section, new Op(
            parameter.Name + " gradient finalize",
            [sums.Partials],
            [],
            t => Device.Kernels.BiasGradientFinalize(
                LaunchShape.SecondStage(parameter.Count),
                Store.Gradient(parameter),
                sums.Partials.At(t),
                sums.Shape.Blocks,
                parameter.Count))
        { ParameterBytes = 8L * parameter.Count });
    }

    /// <summary>Appends an operation.</summary>
    /// <param name="section">When it runs.</param>
    /// <param name="op">The operation.</param>
    public void Add(Section section, Op op) => sections[section].Add(op with { Layer = Layer });

    /// <summary>A buffer with memory of its own.</summary>
    /// <typeparam name="TElement">Type of the elements.</typeparam>
    /// <param name="name">What it holds.</param>
    /// <param name="kind">What it is for.</param>
    /// <param name="count">Elements of one copy.</param>
    /// <param name="copies">Copies over time.</param>
    /// <param name="zeroed">Set to zero before each iteration.</param>
    public DeviceBuffer<TElement> Keep<TElement>(string name, BufferKind kind, long count, int copies = 1, bool zeroed = false)
        where TElement : unmanaged
    {
        DeviceBuffer<TElement> buffer = new(name, kind, count, copies, zeroed, AreSideBySide(copies)) { Layer = Layer };
        persistent.Add(buffer);
        return buffer;
    }

    /// <summary>A buffer that lives within its section of a step and shares memory.</summary>
    /// <typeparam name="TElement">Type of the elements.</typeparam>
    /// <param name="name">What it holds.</param>
    /// <param name="count">Elements of a step.</param>
    /// <param name="section">The section: before and after the steps there is one copy.</param>
    public DeviceBuffer<TElement> Scratch<TElement>(string name, long count, Section section = Section.Forward)
        where TElement : unmanaged
    {
        int copies = CopiesIn(section);
        return new(name, BufferKind.Scratch, count, copies, sideBySide: AreSideBySide(copies)) { Layer = Layer };
    }

    /// <summary>Scratch of one library call.</summary>
    /// <param name="name">The call.</param>
    /// <param name="bytes">Bytes that the library asks for.</param>
    public DeviceBuffer<byte> Workspace(string name, long bytes) =>
        new(name + " workspace", BufferKind.Workspace, Math.Max(bytes, 1)) { Layer = Layer };

    /// <summary>The dropout of a layer, with random numbers of its own; nothing is dropped in evaluation.</summary>
    /// <param name="rate">Part that is dropped in training.</param>
    public Dropout NewDropout(float rate) => Shape.Training && rate > 0 ? new Dropout(rate, dropoutLayers++) : default;

    /// <summary>Makes a layer's neurons known, so that their potentials can be read.</summary>
    /// <param name="spikes">Their spikes.</param>
    /// <param name="u">Their membrane potential before firing, (N, H, W, C), in the compute type.</param>
    /// <param name="threshold">v_th.</param>
    public void AddNeurons(Edge spikes, DeviceBuffer u, float threshold) => neurons.Add(spikes.Name, (spikes, u, threshold));

    /// <summary>Keeps a library descriptor alive with the program.</summary>
    /// <typeparam name="TDescriptor">Its type.</typeparam>
    /// <param name="descriptor">The descriptor.</param>
    public TDescriptor KeepAlive<TDescriptor>(TDescriptor descriptor)
        where TDescriptor : IDisposable
    {
        descriptors.Add(descriptor);
        return descriptor;
    }

    private bool AreSideBySide(int copies) => copies > 1 && Shape.StepsAtOnce > 1;
}

/// <summary>Dropout as the kernels take it.</summary>
/// <param name="Rate">Part that is dropped; 0: nothing.</param>
/// <param name="Layer">Number of the dropout layer: with the run state it names the random numbers.</param>
public readonly record struct Dropout(float Rate, uint Layer);

/// <summary>Partial sums over rows for the gradient of a parameter with one number a channel.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="Shape">The shape of the launch that writes them: a block writes one part.</param>
/// <param name="Partials">The sums (parts, channels).</param>
public sealed record ChannelSums(Parameter Parameter, LaunchShape Shape, DeviceBuffer<double> Partials);
