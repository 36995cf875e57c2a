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
    private readonly CudaDeviceVariable<byte> state = new(64);
    private readonly Dictionary<string, float[]> gradients = [];

    public LayerHarness(Network network)
    {
        this.network = network;
        if (network.Parameters.Count == 0)
        {
            network.Declare("unused", [1], new Initializer.Constant(0));
        }

        store = new ParameterStore(device, network, ComputeType.Float32, 0);
        state.MemsetAsync((byte)0, device.Stream.Stream);
    }

    /// <summary>An activation that a layer under test reads: unlike the network's input it gets a gradient.</summary>
    public static Edge Input(string name, int height, int width, int channels) => new(name, height, width, channels, dependsOnInputOnly: false);

    public void Set(Parameter parameter, double[] values) => store.SetWeight(parameter, [.. values.Select(v => (float)v)]);

    public float[] Gradient(Parameter parameter) => store.GetGradient(parameter);

    public float[] Gradient(Edge value) => gradients[value.Name];

    /// <summary>Forward and backward of the layers.</summary>
    /// <param name="batch">N.</param>
    /// <param name="inputs">Activations (N, H, W, C) by value.</param>
    /// <param name="upstream">∂L/∂y (N, H, W, C) of the last layer's output y.</param>
    /// <returns>y.</returns>
    public float[] Run(int batch, Dictionary<Edge, double[]> inputs, double[] upstream)
    {
        ProgramShape shape = new(batch, 1, ComputeType.Float32, Training: true, ThroughTime: false, StaticInput: false);
        ProgramBuilder b = new(device, store, shape, new NeuronOptions(), state.DevicePointer);
        Dictionary<Edge, DeviceBuffer> tensors = inputs.Keys.ToDictionary(v => v, v => b.Keep(v.Name, BufferKind.Batch, b.BytesOf(v)));
        foreach ((Edge value, DeviceBuffer tensor) in tensors)
        {
            b.SetForward(value, tensor);
        }

        Edge output = network.Layers[^1].Output;
        List<Action> backward = [.. network.Layers.Select(layer => layer.Emit(b))];
        DeviceBuffer seed = b.Keep("upstream", BufferKind.Batch, 4L * upstream.Length);
        DeviceBuffer result = b.Keep("result", BufferKind.Batch, 4L * upstream.Length);
        DeviceBuffer y = b.Forward(output);
        b.Add(Section.Forward, Copy("result", y, result, upstream.Length));
        b.AddGradient(output, seed);
        for (int i = backward.Count - 1; i >= 0; i--)
        {
            backward[i]();
        }

        Dictionary<Edge, DeviceBuffer> taken = [];
        foreach (Edge value in inputs.Keys)
        {
            if (b.TakeGradients(value) is [var gradient])
            {
                taken[value] = b.Keep(value.Name + " gradient read", BufferKind.Batch, b.BytesOf(value));
                b.Add(Section.Backward, Copy(value.Name, gradient, taken[value], value.Elements * batch));
            }
        }

        IReadOnlyList<Op> step = [.. b.Ops(Section.Forward), .. b.Ops(Section.Backward)];
        Arena arena = Arena.Plan(b.Persistent, [b.Ops(Section.Begin), step, b.Ops(Section.End)]);
        using CudaDeviceVariable<byte> memory = new(arena.Bytes);
        memory.MemsetAsync((byte)0xff, device.Stream.Stream);
        device.Context.ClearMemoryAsync(memory.DevicePointer, (byte)0, arena.ZeroedBytes, device.Stream.Stream);
        arena.Place(memory.DevicePointer);
        foreach ((Edge value, DeviceBuffer tensor) in tensors)
        {
            HostCopy.ToDevice<float>(device, tensor.At(0), [.. inputs[value].Select(v => (float)v)]);
        }

        HostCopy.ToDevice<float>(device, seed.At(0), [.. upstream.Select(v => (float)v)]);
        foreach (Op op in (Op[])[.. b.Ops(Section.Begin), .. step, .. b.Ops(Section.End)])
        {
            op.Launch(0);
        }

        foreach ((Edge value, DeviceBuffer tensor) in taken)
        {
            gradients[value.Name] = Read(tensor, (int)(value.Elements * batch));
        }

        float[] values = Read(result, upstream.Length);
        foreach (IDisposable item in b.Owned)
        {
            item.Dispose();
        }

        return values;
    }

    public void Dispose()
    {
        store.Dispose();
        state.Dispose();
    }

    private Op Copy(string name, DeviceBuffer from, DeviceBuffer to, long elements) => new(
        "copy " + name, [from], [to], t => device.Launch("scale_f32", LaunchShape.Elements(device, elements, 4), to.At(t), from.At(t), 1f, elements));

    private float[] Read(DeviceBuffer tensor, int elements)
    {
        float[] values = new float[elements];
        HostCopy.ToHost<float>(device, tensor.At(0), values);
        return values;
    }
}
