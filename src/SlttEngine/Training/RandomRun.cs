using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Data;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>An engine as a run's options name it, with one batch of random samples of the data set's shape: what benchmarks time.</summary>
public sealed class RandomRun : IDisposable
{
    private readonly CudaDeviceVariable<byte>? images;
    private readonly byte[] input;
    private readonly int[] labels;
    private readonly double learningRate;

    /// <summary>Builds the engine for training, initialises it, and draws the batch.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The run's options; the data set gives shape, classes and how batches come, its files are not read.</param>
    public RandomRun(ComputeDevice device, TrainOptions options)
    {
        (FrameShape shape, int classes) = RunData.Describe(options);
        Random random = new(2022);
        labels = [.. Enumerable.Range(0, options.BatchSize).Select(_ => random.Next(classes))];
        learningRate = options.LearningRate;
        InputFormat format = RunData.Format(options, default, train: true);
        if (format is InputFormat.ResidentCifar resident)
        {
            byte[] pixels = new byte[shape.Length * options.BatchSize];
            random.NextBytes(pixels);
            images = new CudaDeviceVariable<byte>(pixels.Length);
            images.CopyToDevice(pixels);
            format = resident with { Images = images.DevicePointer };
            input = MemoryMarshal.AsBytes(Enumerable.Range(0, options.BatchSize).ToArray().AsSpan()).ToArray();
        }
        else
        {
            // One pixel in eight has events, one to three: frames are sparse.
            InputFormat.Frames frames = (InputFormat.Frames)format;
            input = new byte[shape.Length * options.BatchSize * frames.ElementSize];
            random.NextBytes(input);
            if (shape.Steps > 1)
            {
                KeepFew(input, frames.ElementSize);
            }
        }

        Engine = new TrainingEngine(device, RunFactory.Network(options, shape, classes), RunFactory.Engine(options, format, format, shape.Steps == 1) with
        {
            TrainBatches = [options.BatchSize],
        });
        Engine.Store.Initialize((ulong)options.Seed);
    }

    /// <summary>The engine.</summary>
    public TrainingEngine Engine { get; }

    /// <summary>Trains on the batch once and waits.</summary>
    public BatchMetrics Iterate()
    {
        Launch(afterForward: null);
        return Finish();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Engine.Dispose();
        images?.Dispose();
    }

    /// <summary>Hands the device an iteration; on a GPU it returns before that is done.</summary>
    /// <param name="afterForward">If given, called after each step's forward, and nothing is captured.</param>
    internal void Launch(Action<int>? afterForward) => Engine.TrainIteration(input, labels, learningRate, afterForward);

    /// <summary>Waits for the device.</summary>
    internal BatchMetrics Finish() => Engine.TakeMetrics();

    private static void KeepFew(byte[] counts, int elementSize)
    {
        for (int i = 0; i < counts.Length; i += elementSize)
        {
            counts[i] = (byte)(counts[i] < 32 ? 1 + (counts[i] % 3) : 0);
            counts.AsSpan(i + 1, elementSize - 1).Clear();
        }
    }
}
