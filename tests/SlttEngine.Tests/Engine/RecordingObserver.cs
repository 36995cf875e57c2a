using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Keeps what a run tells, but for the warnings of its small data and of options that differ from a checkpoint's.</summary>
internal sealed class RecordingObserver : ITrainingObserver
{
    public List<string> Warnings { get; } = [];

    public List<EpochFinished> Epochs { get; } = [];

    /// <summary>Called after each training batch.</summary>
    public Action? AfterTraining { get; init; }

    /// <summary>Called after each test batch.</summary>
    public Action? AfterTesting { get; set; }

    public void RunStarted(RunStarted run)
    {
    }

    public void IterationFinished(in IterationFinished iteration)
    {
        if (iteration.Phase == TrainingPhase.Train)
        {
            AfterTraining?.Invoke();
        }
        else
        {
            AfterTesting?.Invoke();
        }
    }

    public void EpochFinished(EpochFinished epoch) => Epochs.Add(epoch);

    public void CheckpointSaved(string path)
    {
    }

    public void Warning(string message)
    {
        if (!message.StartsWith("incomplete data: ", StringComparison.Ordinal)
            && !message.Contains(" holds, not the checkpoint's ", StringComparison.Ordinal))
        {
            Warnings.Add(message);
        }
    }

    public void Stopped(string? checkpoint)
    {
    }
}
