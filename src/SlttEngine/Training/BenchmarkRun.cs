using System.Diagnostics;
using System.Text.Json;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>What a benchmark of training iterations measured.</summary>
/// <param name="Device">The device's name.</param>
/// <param name="Iterations">Iterations timed, after warming up.</param>
/// <param name="SecondsPerIteration">Median time of an iteration, update included: on a GPU from one's end to the next one's.</param>
/// <param name="HostSecondsPerIteration">Median time until the host had handed an iteration over; null on the CPU device, which works in
/// the host's thread.</param>
/// <param name="StepsAtOnce">Time steps that went through the network side by side.</param>
/// <param name="ImagesPerSecond">Samples a second at that time.</param>
/// <param name="DeviceBytes">Device memory planned and allocated, images that stay on the device aside.</param>
/// <param name="DeviceInUseBytes">Memory in use on the whole GPU after the iterations, as nvidia-smi shows it: the driver's and the
/// libraries' own too, and other programs'; null on the CPU device.</param>
/// <param name="IdleProcessBytes">Peak memory of this process before the engine was built.</param>
/// <param name="PeakProcessBytes">Peak memory of this process from when samples and parameters were read.</param>
/// <param name="FirstLoss">Mean loss of the very first iteration, before any update.</param>
/// <param name="Convolutions">Which way the CPU device did its convolutions in the iterations timed, as in the run folder's
/// convolutions.jsonl; null on a GPU.</param>
public sealed record BenchmarkResult(
    string Device,
    int Iterations,
    double SecondsPerIteration,
    double? HostSecondsPerIteration,
    int StepsAtOnce,
    double ImagesPerSecond,
    long DeviceBytes,
    long? DeviceInUseBytes,
    long IdleProcessBytes,
    long PeakProcessBytes,
    double FirstLoss,
    JsonElement? Convolutions);

/// <summary>Times training iterations on one batch.</summary>
public static class BenchmarkRun
{
    private const int WarmUps = 2;

    /// <summary>Builds an engine and times it.</summary>
    /// <param name="openDevice">Opens the device, after the idle process was measured.</param>
    /// <param name="options">The run's options; where they name a checkpoint, its parameters are trained.</param>
    /// <param name="makeBatch">Gives the samples, with the device open.</param>
    /// <param name="iterations">Iterations to time.</param>
    /// <param name="cancel">Stops after the iteration it is in; what was timed counts.</param>
    public static BenchmarkResult Measure(
        Func<ComputeDevice> openDevice, TrainingOptions options, Func<SampleBatch> makeBatch, int iterations, CancellationToken cancel)
    {
        long idle = ProcessMemory.Peak();
        using ComputeDevice device = openDevice();
        using BatchRun run = new(device, options.Validate(), makeBatch());
        ProcessMemory.RestartPeak(); // A whole data set may have been read for a batch of it, and a checkpoint: training needs neither.
        double firstLoss = 0;
        List<double> seconds = [];
        List<double> hostSeconds = [];
        MetricsReads reads = run.Engine.MetricsReads;
        int launched = 0;
        int done = 0;
        long last = Stopwatch.GetTimestamp();
        void Finish()
        {
            BatchMetrics metrics = reads.Wait();
            double taken = Stopwatch.GetElapsedTime(last).TotalSeconds;
            last = Stopwatch.GetTimestamp();
            firstLoss = done == 0 ? metrics.Loss / metrics.Samples : firstLoss;
            if (done++ < WarmUps)
            {
                CpuConvolutions.Drain();
            }
            else
            {
                seconds.Add(taken);
            }
        }

        // As in training, the host enqueues iteration n + 1 before it waits for iteration n. The time of an iteration is between two ends.
        while (launched < WarmUps + iterations && (seconds.Count == 0 || !cancel.IsCancellationRequested))
        {
            long start = Stopwatch.GetTimestamp();
            run.Launch(afterForward: null);
            reads.Begin();
            double handedOver = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (launched++ >= WarmUps)
            {
                hostSeconds.Add(handedOver);
            }

            if (reads.InFlight > reads.LeftInFlight)
            {
                Finish();
            }
        }

        while (reads.InFlight > 0)
        {
            Finish();
        }

        double median = Median(seconds);
        return new BenchmarkResult(
            device.Name,
            seconds.Count,
            median,
            device.IsCpu ? null : Median(hostSeconds),
            run.StepsAtOnce,
            options.BatchSize / median,
            run.Engine.ArenaBytes + run.Engine.StoreBytes,
            device.IsCpu ? null
                : (long)(ulong)device.Context.GetTotalDeviceMemorySize() - (long)(ulong)device.Context.GetFreeDeviceMemorySize(),
            idle,
            ProcessMemory.Peak(),
            firstLoss,
            CpuConvolutions.Drain() is { } convolutions ? JsonElement.Parse(convolutions) : null);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
