using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>Layers with given inputs and a given gradient of the last one's output: one step in float32, forward and backward.</summary>
internal sealed class LayerRun : IDisposable
{
    private readonly ComputeDevice device;
    private readonly ProgramBuilder<float> b;
    private readonly Dictionary<Edge, DeviceBuffer<float>> inputs;
    private readonly Dictionary<Edge, DeviceBuffer<float>> gradients = [];
    private readonly DeviceBuffer<float> upstream;
    private readonly DeviceBuffer<float> result;
    private readonly CudaDeviceVariable<byte> memory;
    private readonly ArenaGuards? guards;
    private readonly IReadOnlyList<Op> forward;
    private readonly IReadOnlyList<Op> backward;

    /// <summary>Emits the layers, plans their memory and allocates it. On the strict CPU device each buffer has a guard.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">The layers.</param>
    /// <param name="edges">What they read that none of them makes.</param>
    /// <param name="batch">Samples.</param>
    public LayerRun(ComputeDevice device, Network network, IEnumerable<Edge> edges, int batch)
    {
        this.device = device;
        if (network.Parameters.Count == 0)
        {
            network.Declare("unused", [1], new Initializer.Constant(0));
        }

        Store = new ParameterStore(device, network, ComputeType.Float32, 0);
        Store.Allocate();
        ProgramShape shape = new(batch, 1, ComputeType.Float32, Training: true, ThroughTime: false, StaticInput: false);
        b = new(Store, shape, new NeuronOptions());
        inputs = edges.ToDictionary(e => e, e => b.Keep<float>(e.Name, BufferKind.Batch, b.Count(e)));
        foreach ((Edge edge, DeviceBuffer<float> buffer) in inputs)
        {
            b.SetActivation(edge, buffer);
        }

        List<Action> emitBackward = [];
        foreach (Layer layer in network.Layers)
        {
            b.Layer = layer.Name;
            emitBackward.Add(layer.Emit(b));
        }

        Edge output = network.Layers[^1].Output;
        upstream = b.Keep<float>("upstream", BufferKind.Batch, b.Count(output));
        result = b.Keep<float>("result", BufferKind.Batch, b.Count(output));
        b.Add(Section.Forward, Copy("result", b.Activation(output), result));
        b.AddGradient(output, upstream);
        for (int i = emitBackward.Count - 1; i >= 0; i--)
        {
            b.Layer = network.Layers[i].Name;
            emitBackward[i]();
        }

        foreach (Edge edge in inputs.Keys)
        {
            if (b.DrainGradients(edge, max: 1) is [DeviceBuffer<float> gradient])
            {
                gradients[edge] = b.Keep<float>(edge.Name + " gradient read", BufferKind.Batch, b.Count(edge));
                b.Add(Section.Backward, Copy(edge.Name, gradient, gradients[edge]));
            }
        }

        // Recomputed values and workspaces go from forward's operations to backward's: all are one list.
        List<Op> steps = [.. b.Ops(Section.Forward), .. b.Ops(Section.Backward)];
        bool strict = device.Kind == DeviceKind.CpuFaithful;
        Arena arena = Arena.Plan(
            b.Persistent, [b.Ops(Section.Begin), steps, b.Ops(Section.End)], strict ? ArenaGuards.Bytes : 0);
        memory = new CudaDeviceVariable<byte>(arena.Bytes);
        memory.MemsetAsync((byte)0xff, device.Stream.Stream);
        device.Context.ClearMemoryAsync(memory.DevicePointer, (byte)0, arena.ZeroedBytes, device.Stream.Stream);
        arena.Place(memory.DevicePointer);
        guards = strict ? new ArenaGuards(device, arena) : null;
        guards?.Allocate();
        IReadOnlyList<Op> Guarded(IReadOnlyList<Op> ops) => guards?.Around(ops) ?? ops;
        forward = [.. guards?.WritePersistent() ?? [], .. Guarded(b.Ops(Section.Begin)), .. Guarded(b.Ops(Section.Forward))];
        backward =
        [
            .. guards?.WritePersistent() ?? [], .. Guarded(b.Ops(Section.Begin)), .. Guarded(steps), .. Guarded(b.Ops(Section.End)),
            .. guards?.CheckPersistent() ?? [],
        ];
    }

    /// <summary>The parameters and their gradients.</summary>
    public ParameterStore Store { get; }

    /// <summary>Sets an input (N, H, W, C).</summary>
    /// <param name="edge">Which.</param>
    /// <param name="values">Its elements.</param>
    public void SetInput(Edge edge, float[] values) => HostCopy.ToDevice<float>(device, inputs[edge].Address(0), values);

    /// <summary>Runs forward alone.</summary>
    /// <returns>The last layer's output y (N, H, W, C).</returns>
    public float[] Forward() => Run(forward);

    /// <summary>Runs forward and backward; parameters' gradients are added to <see cref="Store"/>'s.</summary>
    /// <param name="gradient">∂L/∂y.</param>
    /// <returns>y.</returns>
    public float[] ForwardAndBackward(float[] gradient)
    {
        HostCopy.ToDevice<float>(device, upstream.Address(0), gradient);
        return Run(backward);
    }

    /// <summary>The gradient of an input (N, H, W, C).</summary>
    /// <param name="edge">Which.</param>
    /// <exception cref="SlttException">No layer hands one on.</exception>
    public float[] Gradient(Edge edge) => gradients.TryGetValue(edge, out DeviceBuffer<float>? buffer)
        ? Read(buffer)
        : throw GraphError.Of($"{edge.Name}: no layer adds to its gradient", "call AddGradient in the layer's backward");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable item in b.Descriptors)
        {
            item.Dispose();
        }

        guards?.Dispose();
        memory.Dispose();
        Store.Dispose();
    }

    private float[] Run(IReadOnlyList<Op> ops)
    {
        foreach (Op op in ops)
        {
            op.Launch(0);
        }

        guards?.ThrowIfViolated();
        return Read(result);
    }

    private Op Copy(string name, DeviceBuffer<float> from, DeviceBuffer<float> to) => new(
        "copy " + name,
        [from],
        [to],
        t => device.Kernels.Scale(LaunchShape.Elements(device, from.Bytes / 4, 4), to.At(t), from.At(t), 1f, from.Bytes / 4));

    private float[] Read(DeviceBuffer<float> buffer)
    {
        float[] values = new float[buffer.Bytes / 4];
        HostCopy.ToHost<float>(device, buffer.Address(0), values);
        return values;
    }
}
