using System.Runtime.InteropServices;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>A network on a device for forward passes in float32 alone, with batches of one size.</summary>
internal sealed class Predictor : IDisposable
{
    private readonly ComputeDevice device;
    private readonly FrameShape shape;
    private readonly int steps;
    private readonly TrainingEngine engine;
    private readonly float[] frames;
    private readonly int[] labels;

    /// <summary>Plans and allocates it; its parameters are the first ones of the options' seed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">The network.</param>
    /// <param name="options">T, neuron and seed.</param>
    /// <param name="batch">Samples a batch.</param>
    /// <param name="isStatic">True: a sample is one frame, for all steps; false: a frame a step.</param>
    internal Predictor(ComputeDevice device, Network network, TrainingOptions options, int batch, bool isStatic)
    {
        (this.device, steps, Batch, IsStatic) = (device, options.Steps, batch, isStatic);
        Edge input = network.Input;
        shape = new FrameShape(isStatic ? 1 : steps, input.Channels, input.Height, input.Width);
        float[] ones = [.. Enumerable.Repeat(1f, input.Channels)];
        InputFormat format = new InputFormat.Frames("f32", shape.Steps, ones, new float[input.Channels]);
        engine = new TrainingEngine(device, network, options.Engine(format, format, isStatic) with
        {
            Optimizer = null,
            Type = ComputeType.Float32,
            EvaluationType = EvaluationType.Float32,
            TestBatches = [batch],
        });
        engine.Store.Initialize((ulong)options.Seed);
        frames = new float[(long)shape.Length * batch];
        labels = new int[batch];
    }

    /// <summary>Samples a batch.</summary>
    internal int Batch { get; }

    /// <summary>True: a sample is one frame, for all steps.</summary>
    internal bool IsStatic { get; }

    /// <summary>The parameters.</summary>
    internal ParameterStore Store => engine.Store;

    /// <summary>Runs up to a batch of samples.</summary>
    /// <param name="samples">Samples, (steps, channels, height, width) each, one behind the other.</param>
    /// <param name="count">How many.</param>
    /// <returns>For each sample its logits' mean over the steps.</returns>
    internal Prediction[] Run(ReadOnlySpan<float> samples, int count)
    {
        Forward(samples, count, afterForward: null);
        float[] total = engine.Program(training: false, Batch).ReadTotal();
        int classes = engine.Network.Classes;
        return [.. Enumerable.Range(0, count).Select(i => new Prediction(
            [.. total.AsSpan(i * classes, classes).ToArray().Select(logit => logit / steps)]))];
    }

    /// <summary>Runs one sample and keeps what a layer's neurons do in each step.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="sample">Elements (steps, channels, height, width).</param>
    /// <exception cref="SlttException">The network has no such layer of neurons.</exception>
    internal SpikeRecord Watch(string layer, ReadOnlySpan<float> sample)
    {
        IReadOnlyDictionary<string, (Edge Spikes, DeviceBuffer U, float Threshold)> all = engine.Program(training: false, Batch).Neurons;
        if (!all.TryGetValue(layer, out (Edge Spikes, DeviceBuffer U, float Threshold) neurons))
        {
            throw NearestName.Unknown("layer of neurons", layer, [.. all.Keys]);
        }

        SpikeRecord record = new(layer, steps, neurons.Spikes, neurons.Threshold);
        float[] u = new float[neurons.Spikes.Elements * Batch];
        Forward(sample, 1, t =>
        {
            HostCopy.ToHost<float>(device, neurons.U.Address(t), u);
            record.Set(t, u);
        });
        return record;
    }

    /// <inheritdoc/>
    public void Dispose() => engine.Dispose();

    private void Forward(ReadOnlySpan<float> samples, int count, Action<int>? afterForward)
    {
        // A batch is (steps, N, channels, height, width).
        Array.Clear(frames);
        int length = shape.FrameLength;
        for (int i = 0; i < count; i++)
        {
            for (int t = 0; t < shape.Steps; t++)
            {
                samples.Slice(((i * shape.Steps) + t) * length, length).CopyTo(frames.AsSpan(((t * Batch) + i) * length));
            }
        }

        engine.Evaluate(MemoryMarshal.AsBytes(frames.AsSpan()), labels, afterForward);
    }
}
