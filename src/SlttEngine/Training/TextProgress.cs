using System.Globalization;

namespace SlttEngine.Training;

/// <summary>Writes a run's progress as lines of text: its start, each epoch, warnings and notes.</summary>
/// <param name="writer">Where to.</param>
public sealed class TextProgress(TextWriter writer) : ITrainingObserver
{
    /// <inheritdoc/>
    public void RunStarted(RunStarted run)
    {
        Line($"{run.TrainSamples} training and {run.TestSamples} test samples, {run.Parameters} parameters, on {run.Device}");
        if (run.FirstEpoch > 0 || run.FirstBatch > 0)
        {
            Line($"{run.RunFolder}: goes on with epoch {run.FirstEpoch}, batch {run.FirstBatch} of {run.Batches}");
        }
    }

    /// <inheritdoc/>
    public void EpochFinished(EpochFinished epoch) => Line(string.Create(
        CultureInfo.InvariantCulture,
        $"epoch {epoch.Epoch + 1}/{epoch.Epochs}: train loss {epoch.TrainLoss:0.0000}, accuracy {epoch.TrainAccuracy:0.0000}; "
            + $"test loss {epoch.TestLoss:0.0000}, accuracy {epoch.TestAccuracy:0.0000} (best {epoch.MaxTestAccuracy:0.0000}); "
            + $"{epoch.TotalSeconds:0.0} s, {epoch.ImagesPerSecond:0} samples/s"));

    /// <inheritdoc/>
    public void Warning(string message) => Line($"warning: {message}");

    /// <inheritdoc/>
    public void Note(string message) => Line($"note: {message}");

    /// <inheritdoc/>
    public void Stopped(string? checkpoint) => Line($"stopped; {checkpoint ?? "nothing was trained yet"}");

    private void Line(string text) => writer.WriteLine(text);
}
