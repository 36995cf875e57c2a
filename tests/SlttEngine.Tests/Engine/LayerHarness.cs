using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Tests.Engine;

/// <summary>Runs one layer forward and backward on the device, with a given gradient of its output.</summary>
internal sealed class LayerHarness : IDisposable
{
    private readonly ComputeDevice device = SharedDevice.Device;
    private readonly Network network;
    private readonly ParameterStore store;
    private readonly Dictionary<string, float[]> gradients = [];

    public LayerHarness(Network network)
    {
        this.network = network;
        if (network.Parameters.Count == 0)
        {
            network.Declare("unused", [1], new Initializer.Constant(0));
        }

        store = new ParameterStore(device, network, ComputeType.Float32, 0);
        store.Allocate();
    }

    /// <summary>An activation that a layer under test reads: unlike the network's input it gets a gradient.</summary>
    public static Edge Input(string name, int height, int width, int channels) =>
        new(name, height, width, channels, dependsOnInputOnly: false);

    public void Set(Parameter parameter, double[] values) => store.SetWeight(parameter, [.. values.Select(v => (float)v)]);

    public float[] Gradient(Parameter parameter) => store.GetGradient(parameter);

    public float[] Gradient(Edge edge) => gradients[edge.Name];

    /// <summary>Forward and backward of the layers.</summary>
    /// <param name="batch">N.</param>
    /// <param name="inputs">Activations (N, H, W, C) by value.</param>
    /// <param name="upstream">∂L/∂y (N, H, W, C) of the last layer's output y.</param>
    /// <returns>y.</returns>
    public float[] Run(int batch, Dictionary<Edge, double[]> inputs, double[] upstream)
    {
        ProgramShape shape = new(batch, 1, ComputeType.Float32, Training: true, ThroughTime: false, StaticInput: false);
        ProgramBuilder<float> b = new(store, shape, new NeuronOptions());
        Dictionary<Edge, DeviceBuffer<float>> buffers = inputs.Keys.ToDictionary(
            e => e, e => b.Keep<float>(e.Name, BufferKind.Batch, b.Count(e)));
        foreach ((Edge edge, DeviceBuffer<float> buffer) in buffers)
        {
            b.SetActivation(edge, buffer);
        }

        Edge output = network.Layers[^1].Output;
        List<Action> backward = [.. network.Layers.Select(layer => layer.Emit(b))];
        DeviceBuffer<float> seed = b.Keep<float>("upstream", BufferKind.Batch, upstream.Length);
        DeviceBuffer<float> result = b.Keep<float>("result", BufferKind.Batch, upstream.Length);
        DeviceBuffer<float> y = b.Activation(output);
        b.Add(Section.Forward, Copy("result", y, result, upstream.Length));
        b.AddGradient(output, seed);
        for (int i = backward.Count - 1; i >= 0; i--)
        {
            backward[i]();
        }

        Dictionary<Edge, DeviceBuffer<float>> read = [];
        foreach (Edge edge in inputs.Keys)
        {
            if (b.DrainGradients(edge, max: 1) is [DeviceBuffer<float> gradient])
            {
                read[edge] = b.Keep<float>(edge.Name + " gradient read", BufferKind.Batch, b.Count(edge));
                b.Add(Section.Backward, Copy(edge.Name, gradient, read[edge], b.Count(edge)));
            }
        }

        IReadOnlyList<Op> step = [.. b.Ops(Section.Forward), .. b.Ops(Section.Backward)];
        Arena arena = Arena.Plan(b.Persistent, [b.Ops(Section.Begin), step, b.Ops(Section.End)]);
        using CudaDeviceVariable<byte> memory = new(arena.Bytes);
        memory.MemsetAsync((byte)0xff, device.Stream.Stream);
        device.Context.ClearMemoryAsync(memory.DevicePointer, (byte)0, arena.ZeroedBytes, device.Stream.Stream);
        arena.Place(memory.DevicePointer);
        foreach ((Edge edge, DeviceBuffer<float> buffer) in buffers)
        {
            HostCopy.ToDevice<float>(device, buffer.Address(0), [.. inputs[edge].Select(v => (float)v)]);
        }

        HostCopy.ToDevice<float>(device, seed.Address(0), [.. upstream.Select(v => (float)v)]);
        foreach (Op op in (Op[])[.. b.Ops(Section.Begin), .. step, .. b.Ops(Section.End)])
        {
            op.Launch(0);
        }

        foreach ((Edge edge, DeviceBuffer<float> buffer) in read)
        {
            gradients[edge.Name] = Read(buffer, (int)b.Count(edge));
        }

        float[] values = Read(result, upstream.Length);
        foreach (IDisposable item in b.Descriptors)
        {
            item.Dispose();
        }

        return values;
    }

    public void Dispose() => store.Dispose();

    private Op Copy(string name, DeviceBuffer<float> from, DeviceBuffer<float> to, long elements) => new(
        "copy " + name,
        [from],
        [to],
        t => device.Kernels.Scale(LaunchShape.Elements(device, elements, 4), to.At(t), from.At(t), 1f, elements));

    private float[] Read(DeviceBuffer<float> buffer, int elements)
    {
        float[] values = new float[elements];
        HostCopy.ToHost<float>(device, buffer.Address(0), values);
        return values;
    }
}
