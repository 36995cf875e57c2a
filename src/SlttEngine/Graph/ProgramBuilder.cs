using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>When in an iteration an operation runs.</summary>
public enum Section
{
    /// <summary>Once, before the steps: input, working weights, the stem of a static input.</summary>
    Begin,

    /// <summary>Every step, forward.</summary>
    Forward,

    /// <summary>Every step with a backward pass, after its forward.</summary>
    Backward,

    /// <summary>Once, after the steps: the stem's backward, the gradients' last touch.</summary>
    End,
}

/// <summary>Sizes and kinds that a program is built for; fixed once a run starts.</summary>
/// <param name="Batch">Samples N.</param>
/// <param name="Steps">Time steps T.</param>
/// <param name="Type">Number type of activations and working weights.</param>
/// <param name="Training">False: evaluation, running statistics, no backward.</param>
/// <param name="ThroughTime">True: backward goes through time (BPTT), so every step's values are kept.</param>
/// <param name="StaticInput">True: one image for all steps; false: a frame a step.</param>
/// <param name="FastMath">float32 convolutions may round more than a sum of products does.</param>
public sealed record ProgramShape(int Batch, int Steps, ComputeType Type, bool Training, bool ThroughTime, bool StaticInput, bool FastMath = false);

/// <summary>Collects the operations and tensors of one program while the network's layers emit them.</summary>
public sealed class ProgramBuilder
{
    private readonly Dictionary<Section, List<Op>> sections = Enum.GetValues<Section>().ToDictionary(s => s, _ => new List<Op>());
    private readonly List<DeviceBuffer> persistent = [];
    private readonly Dictionary<Edge, DeviceBuffer> forward = [];
    private readonly Dictionary<Edge, Func<DeviceBuffer>> regenerators = [];
    private readonly Dictionary<Edge, DeviceBuffer> regenerated = [];
    private readonly Dictionary<Edge, List<DeviceBuffer>> gradients = [];
    private readonly Dictionary<Edge, DeviceBuffer> membranes = [];
    private readonly Dictionary<Edge, DeviceBuffer> biases = [];
    private readonly List<IDisposable> owned = [];

    /// <summary>Starts an empty program.</summary>
    /// <param name="device">The device it will run on.</param>
    /// <param name="store">The model's parameters.</param>
    /// <param name="shape">Sizes and kinds.</param>
    /// <param name="neuron">The neuron's constants.</param>
    /// <param name="runState">Where the device keeps the run state.</param>
    public ProgramBuilder(ComputeDevice device, ParameterStore store, ProgramShape shape, NeuronOptions neuron, CUdeviceptr runState)
    {
        RunState = runState;
        Device = device;
        Store = store;
        Shape = shape;
        Neuron = neuron;
    }

    /// <summary>The device.</summary>
    public ComputeDevice Device { get; }

    /// <summary>The model's parameters, gradients and statistics.</summary>
    public ParameterStore Store { get; }

    /// <summary>Sizes and kinds.</summary>
    public ProgramShape Shape { get; }

    /// <summary>The neuron's constants.</summary>
    public NeuronOptions Neuron { get; }

    /// <summary>Where the device keeps the run state.</summary>
    public CUdeviceptr RunState { get; }

    /// <summary>False: cuDNN's guess of the fastest algorithms will do. For plans that are only tried out, where measuring would take long.</summary>
    internal bool MeasuresAlgorithms { get; init; } = true;

    /// <summary>Where neurons' spikes are counted; null: they aren't.</summary>
    internal SpikeCounts? SpikeCounts { get; init; }

    /// <summary>The kernels' suffix for the compute type.</summary>
    public string Suffix => Shape.Type.Suffix();

    /// <summary>Copies of a tensor that backward reads: T if backward goes through time, else 1.</summary>
    public int Copies => Shape.ThroughTime ? Shape.Steps : 1;

    /// <summary>Tensors with memory of their own.</summary>
    public IReadOnlyList<DeviceBuffer> Persistent => persistent;

    /// <summary>Objects (descriptors) that live as long as the program.</summary>
    public IReadOnlyList<IDisposable> Owned => owned;

    /// <summary>Counts dropout layers, so that each has its own random numbers.</summary>
    public uint DropoutLayers { get; set; }

    /// <summary>The layer that is emitting: what is added now belongs to it.</summary>
    public string Layer { get; set; } = string.Empty;

    /// <summary>Address of a parameter's weights in the program's compute type.</summary>
    /// <param name="parameter">The parameter.</param>
    public CUdeviceptr WorkingWeight(Parameter parameter) =>
        Shape.Type == ComputeType.Float32 ? Store.Weight(parameter) : Store.WorkingWeight(parameter);

    /// <summary>Operations of a section so far.</summary>
    /// <param name="section">Which.</param>
    public IReadOnlyList<Op> Ops(Section section) => sections[section];

    /// <summary>Forward section of a value: once for the stem of a static input, else every step.</summary>
    /// <param name="value">The value.</param>
    public Section ForwardOf(Edge value) => IsStatic(value) ? Section.Begin : Section.Forward;

    /// <summary>Backward section of a value.</summary>
    /// <param name="value">The value.</param>
    public Section BackwardOf(Edge value) => IsStatic(value) ? Section.End : Section.Backward;

    /// <summary>True if the value is the same at every step.</summary>
    /// <param name="value">The value.</param>
    public bool IsStatic(Edge value) => Shape.StaticInput && value.DependsOnInputOnly;

    /// <summary>Appends an operation.</summary>
    /// <param name="section">When it runs.</param>
    /// <param name="op">The operation.</param>
    public void Add(Section section, Op op) => sections[section].Add(op with { Layer = Layer });

    /// <summary>A tensor with memory of its own.</summary>
    /// <param name="name">What it holds.</param>
    /// <param name="kind">What it is for.</param>
    /// <param name="bytes">Bytes of one copy.</param>
    /// <param name="copies">Copies over time.</param>
    /// <param name="zeroed">Set to zero before each iteration.</param>
    public DeviceBuffer Keep(string name, BufferKind kind, long bytes, int copies = 1, bool zeroed = false)
    {
        DeviceBuffer tensor = new(name, kind, bytes, copies, zeroed) { Layer = Layer };
        persistent.Add(tensor);
        return tensor;
    }

    /// <summary>A tensor that lives within its segment and shares memory.</summary>
    /// <param name="name">What it holds.</param>
    /// <param name="bytes">Bytes.</param>
    /// <param name="kind">Scratch, or workspace of a library call.</param>
    public static DeviceBuffer Scratch(string name, long bytes, BufferKind kind = BufferKind.Scratch) => new(name, kind, Math.Max(bytes, 1), 1, false);

    /// <summary>An activation's bytes in the compute type.</summary>
    /// <param name="value">The value.</param>
    public long BytesOf(Edge value) => value.Elements * Shape.Batch * Shape.Type.Size();

    /// <summary>The tensor that a layer's output goes to: kept if backward reads it or the stem made it, else scratch.</summary>
    /// <param name="value">The layer's output.</param>
    public DeviceBuffer NewOutput(Edge value)
    {
        bool once = IsStatic(value);
        bool saved = Shape.Training && value.SavedForBackward;
        DeviceBuffer tensor = once || saved
            ? Keep(value.Name, BufferKind.Saved, BytesOf(value), once ? 1 : Copies)
            : Scratch(value.Name, BytesOf(value));
        SetForward(value, tensor);
        return tensor;
    }

    /// <summary>Adds what makes a layer's output of its input alone: in forward, and once more in backward if that reads an output that was not kept.</summary>
    /// <param name="output">The layer's output.</param>
    /// <param name="input">Its input.</param>
    /// <param name="make">The operation, from input to output.</param>
    public void AddForward(Edge output, Edge input, Func<DeviceBuffer, DeviceBuffer, Op> make)
    {
        DeviceBuffer to = NewOutput(output);
        Add(ForwardOf(output), make(Forward(input), to));
        if (to.IsScratch)
        {
            SetRegenerator(output, () =>
            {
                DeviceBuffer again = Scratch(output.Name + " again", BytesOf(output));
                Add(Section.Backward, make(ForBackward(input), again));
                return again;
            });
        }
    }

    /// <summary>Says where a value's activation is.</summary>
    /// <param name="value">The value.</param>
    /// <param name="tensor">Its tensor.</param>
    public void SetForward(Edge value, DeviceBuffer tensor) => forward.Add(value, tensor);

    /// <summary>Where a value's activation is, for use in forward.</summary>
    /// <param name="value">The value.</param>
    public DeviceBuffer Forward(Edge value) => forward[value];

    /// <summary>Says how backward gets a value that forward did not keep.</summary>
    /// <param name="value">The value.</param>
    /// <param name="regenerate">Emits the operations that make it again, into the backward section.</param>
    public void SetRegenerator(Edge value, Func<DeviceBuffer> regenerate) => regenerators.Add(value, regenerate);

    /// <summary>A value's activation for use in backward: as kept, or made again (once).</summary>
    /// <param name="value">The value.</param>
    public DeviceBuffer ForBackward(Edge value)
    {
        if (!forward[value].IsScratch)
        {
            return forward[value];
        }

        if (!regenerated.TryGetValue(value, out DeviceBuffer? tensor))
        {
            tensor = regenerators[value]();
            regenerated.Add(value, tensor);
        }

        return tensor;
    }

    /// <summary>Says that a value's elements are 1 where the membrane potential u reaches the threshold, and 0 elsewhere.</summary>
    /// <param name="value">Spikes without dropout.</param>
    /// <param name="u">Their membrane potential.</param>
    public void SetMembrane(Edge value, DeviceBuffer u) => membranes.Add(value, u);

    /// <summary>The membrane potential whose spikes a value is, or null.</summary>
    /// <param name="value">The value.</param>
    public DeviceBuffer? Membrane(Edge value) => membranes.GetValueOrDefault(value);

    /// <summary>Says that a value still lacks a bias (C, float), which its readers add.</summary>
    /// <param name="value">A convolution's output.</param>
    /// <param name="bias">The bias.</param>
    public void SetBias(Edge value, DeviceBuffer bias) => biases.Add(value, bias);

    /// <summary>True if readers of a value add its bias.</summary>
    /// <param name="value">The value.</param>
    public bool LacksBias(Edge value) => biases.ContainsKey(value);

    /// <summary>The bias that readers of a value add, or a null pointer.</summary>
    /// <param name="value">The value.</param>
    public CUdeviceptr Bias(Edge value) => biases.TryGetValue(value, out DeviceBuffer? bias) ? bias.At(0) : default;

    /// <summary>Adds a contribution to the loss's gradient with respect to a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="gradient">The contribution, in the compute type.</param>
    public void AddGradient(Edge value, DeviceBuffer gradient)
    {
        if (!gradients.TryGetValue(value, out List<DeviceBuffer>? list))
        {
            gradients.Add(value, list = []);
        }

        list.Add(gradient);
    }

    /// <summary>The contributions to a value's gradient so far, which the caller now answers for.</summary>
    /// <param name="value">The value.</param>
    public IReadOnlyList<DeviceBuffer> TakeGradients(Edge value) => gradients.Remove(value, out List<DeviceBuffer>? list) ? list : [];

    /// <summary>The gradient of a value with exactly one consumer.</summary>
    /// <param name="value">The value.</param>
    public DeviceBuffer TakeGradient(Edge value)
    {
        IReadOnlyList<DeviceBuffer> list = TakeGradients(value);
        return list.Count == 1 ? list[0] : throw new InvalidOperationException($"{value.Name} has {list.Count} gradients, one is expected");
    }

    /// <summary>Keeps an object alive with the program.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="item">The object.</param>
    public T Own<T>(T item)
        where T : IDisposable
    {
        owned.Add(item);
        return item;
    }
}
