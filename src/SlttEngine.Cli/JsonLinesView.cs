using SlttEngine.Cli.Options;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>Shows a run to programs: one JSON object a line on standard output, each with its event's name and the time.</summary>
/// <param name="context">Where to.</param>
internal sealed class JsonLinesView(CliContext context) : IRunView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private TrainOptions options = new();
    private string deviceReason = string.Empty;
    private long lastShown;

    /// <inheritdoc/>
    public bool WasStopped { get; private set; }

    /// <inheritdoc/>
    public void Describe(TrainOptions runOptions, string reason) => (options, deviceReason) = (runOptions, reason);

    /// <inheritdoc/>
    public void Preparing(string message)
    {
        // Comes many times a second, and ends in a result that has an event of its own.
    }

    /// <inheritdoc/>
    public void RunStarted(RunStarted run)
    {
        lastShown = context.Time.GetTimestamp();
        Write("start", new
        {
            run.Device,
            DeviceReason = deviceReason,
            options.Model,
            options.Method,
            options.Dataset,
            options.T,
            options.BatchSize,
            run.Parameters,
            run.Classes,
            run.TrainSamples,
            run.TestSamples,
            run.PlannedBytes,
            run.RunFolder,
            run.FirstEpoch,
            run.FirstBatch,
            run.Batches,
            options.Epochs,
        });
    }

    /// <inheritdoc/>
    public void IterationFinished(in IterationFinished iteration)
    {
        if (context.Time.GetElapsedTime(lastShown) < Interval)
        {
            return;
        }

        lastShown = context.Time.GetTimestamp();
        Write("iteration", iteration);
    }

    /// <inheritdoc/>
    public void EpochFinished(EpochFinished epoch) => Write("epoch", epoch);

    /// <inheritdoc/>
    public void CheckpointSaved(string path) => Write("checkpoint", new { Path = path });

    /// <inheritdoc/>
    public void Warning(string message) => Write("warning", new { Message = message });

    /// <inheritdoc/>
    public void Note(string message) => Write("note", new { Message = message });

    /// <inheritdoc/>
    public void Stopped(string? checkpoint)
    {
        WasStopped = true;
        Write("stopped", new { Checkpoint = checkpoint });
    }

    /// <summary>The run came to its end.</summary>
    internal void Done() => Write("done", new { });

    private void Write<T>(string name, T values) =>
        context.Output.WriteLine(JsonOutput.Line(name, context.Time.GetLocalNow(), values));
}
