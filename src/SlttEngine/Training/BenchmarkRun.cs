using System.Diagnostics;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>What a benchmark of training iterations measured.</summary>
/// <param name="Device">The device's name.</param>
/// <param name="Iterations">Iterations timed, after warming up.</param>
/// <param name="SecondsPerIteration">Median time of an iteration, update included.</param>
/// <param name="HostSecondsPerIteration">Median time until the host had handed an iteration over; null on the CPU device, which works in the host's thread.</param>
/// <param name="ImagesPerSecond">Samples a second at that time.</param>
/// <param name="DeviceBytes">Device memory planned and allocated, images that stay on the device aside.</param>
/// <param name="IdleProcessBytes">Peak memory of this process before the engine was built.</param>
/// <param name="PeakProcessBytes">Peak memory of this process.</param>
public sealed record BenchmarkResult(
    string Device,
    int Iterations,
    double SecondsPerIteration,
    double? HostSecondsPerIteration,
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
        using RandomRun run = new(device, options);
        List<double> seconds = [];
        List<double> hostSeconds = [];
        for (int i = 0; i < WarmUps + iterations && (seconds.Count == 0 || !cancel.IsCancellationRequested); i++)
        {
            long start = Stopwatch.GetTimestamp();
            run.Launch(afterForward: null);
            double handedOver = Stopwatch.GetElapsedTime(start).TotalSeconds;
            run.Finish();
            if (i >= WarmUps)
            {
                hostSeconds.Add(handedOver);
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        double median = Median(seconds);
        return new BenchmarkResult(
            device.Name,
            seconds.Count,
            median,
            device.IsCpu ? null : Median(hostSeconds),
            options.BatchSize / median,
            run.Engine.ArenaBytes + run.Engine.StoreBytes,
            idle,
            ProcessMemory.Peak());
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
