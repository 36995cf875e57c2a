using System.Diagnostics;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Layers;

namespace SlttEngine.Training;

/// <summary>What a benchmark of training iterations measured.</summary>
/// <param name="Device">The device's name.</param>
/// <param name="Iterations">Iterations timed, after warming up.</param>
/// <param name="SecondsPerIteration">Median time of an iteration, update included.</param>
/// <param name="ImagesPerSecond">Samples a second at that time.</param>
/// <param name="DeviceBytes">Device memory planned and allocated.</param>
/// <param name="IdleProcessBytes">Peak memory of this process before the engine was built.</param>
/// <param name="PeakProcessBytes">Peak memory of this process.</param>
public sealed record BenchmarkResult(
    string Device,
    int Iterations,
    double SecondsPerIteration,
    double ImagesPerSecond,
    long DeviceBytes,
    long IdleProcessBytes,
    long PeakProcessBytes);

/// <summary>Times training iterations on random data.</summary>
public static class BenchmarkRun
{
    private const int WarmUps = 2;

    /// <summary>Builds the engine that the options name and times it.</summary>
    /// <param name="options">The run's options; the data set gives shape and classes, its files are not read.</param>
    /// <param name="iterations">Iterations to time.</param>
    /// <param name="cancel">Stops after the iteration it is in; what was timed counts.</param>
    public static BenchmarkResult Measure(TrainOptions options, int iterations, CancellationToken cancel)
    {
        long idle = ProcessMemory.Peak();
        options = options.Validate();
        using ComputeDevice device = ComputeDevice.Open(options.Device, out _);
        using TrainingEngine engine = Build(device, options, out FrameShape shape, out int classes);
        byte[] input = new byte[shape.Length * options.BatchSize];
        int[] labels = new int[options.BatchSize];
        Random random = new(2022);
        random.NextBytes(input);
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = random.Next(classes);
        }

        List<double> seconds = [];
        for (int i = 0; i < WarmUps + iterations && (seconds.Count == 0 || !cancel.IsCancellationRequested); i++)
        {
            long start = Stopwatch.GetTimestamp();
            engine.TrainIteration(input, labels, options.LearningRate);
            engine.TakeMetrics();
            if (i >= WarmUps)
            {
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        double median = Median(seconds);
        return new BenchmarkResult(
            device.Name, seconds.Count, median, options.BatchSize / median, engine.ArenaBytes + engine.StoreBytes, idle, ProcessMemory.Peak());
    }

    /// <summary>An engine on random frames of a data set's shape, initialised, for training only.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="shape">Shape of a sample: its bytes are u8 frames (steps, N, C, H, W).</param>
    /// <param name="classes">Classes.</param>
    public static TrainingEngine Build(ComputeDevice device, TrainOptions options, out FrameShape shape, out int classes)
    {
        (shape, classes) = RunData.Describe(options);
        Network network = RunFactory.Network(options, shape, classes);
        InputFormat.Frames format = new(
            "u8", shape.Steps, [.. Enumerable.Repeat(1f / 64, shape.Channels)], [.. Enumerable.Repeat(shape.Steps == 1 ? -2f : 0f, shape.Channels)]);
        TrainingEngine engine = new(device, network, new EngineOptions
        {
            Method = RunFactory.Method(options),
            Steps = options.T,
            Neuron = RunFactory.Neuron(options),
            Loss = RunFactory.Loss(options),
            Optimizer = RunFactory.Optimizer(options),
            Type = options.ComputeType,
            Seed = (ulong)options.Seed,
            TrainInput = format,
            TestInput = format,
            StaticInput = shape.Steps == 1,
            TrainBatches = [options.BatchSize],
            TestBatches = [],
        });
        engine.Store.Initialize((ulong)options.Seed);
        return engine;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
