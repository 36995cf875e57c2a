using System.Diagnostics;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>Times the operations of training iterations on one batch.</summary>
internal static class ProfileRun
{
    private const int WarmUps = 2; // launched, then captured

    /// <summary>Builds an engine and times it.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The run's options; where they name a checkpoint, its parameters are trained.</param>
    /// <param name="batch">The samples.</param>
    /// <param name="iterations">Iterations to time, without measuring and with it.</param>
    /// <param name="trace">Where the last iteration's trace goes; null: nowhere.</param>
    /// <param name="note">Receives a line where a GPU's kernels can't be seen.</param>
    /// <param name="cancel">Stops after the iteration it is in; what was timed counts.</param>
    public static IterationProfile Measure(
        ComputeDevice device, TrainingOptions options, SampleBatch batch, int iterations, string? trace, Action<string> note,
        CancellationToken cancel)
    {
        DeviceRates rates = DeviceRates.Measure(device, options.Type);
        using BatchRun run = new(device, options.Validate(), batch);
        List<double> plain = [];
        for (int i = 0; i < WarmUps + iterations && (plain.Count == 0 || !cancel.IsCancellationRequested); i++)
        {
            long start = Stopwatch.GetTimestamp();
            run.Iterate();
            if (i >= WarmUps)
            {
                plain.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        // SLTT-K draws its steps anew each iteration: the same iteration is timed again and again.
        ulong iteration = run.Engine.Iteration;
        using OpTimer timer = Timer(run, note);
        List<TimedIteration> timed = [];
        while (timed.Count < iterations && (timed.Count == 0 || !cancel.IsCancellationRequested))
        {
            run.Engine.Iteration = iteration;
            timed.Add(timer.Measure());
        }

        if (trace is not null)
        {
            ProfileTrace.Write(trace, timed[^1], run.Engine.Network);
        }

        return IterationProfile.Of(device.Name, timer.Name, run.Engine.Network, rates, IterationProfile.Median(plain), timed);
    }

    private static OpTimer Timer(BatchRun run, Action<string> note)
    {
        ComputeDevice device = run.Engine.Device;
        NetworkProgram program = run.Program;
        if (device.IsCpu)
        {
            return new HostTimer(run, program);
        }

        if (Cupti.TryStart(NativeLibraries.LoadRecorder(), out string whyNot) is { } cupti)
        {
            return new CuptiTimer(run, program, cupti);
        }

        note($"kernels are not seen: {whyNot}; events around each operation are used, which makes short operations look longer");
        return new EventTimer(run, program);
    }
}
