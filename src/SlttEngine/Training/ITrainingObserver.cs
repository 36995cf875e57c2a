namespace SlttEngine.Training;

/// <summary>Receives what a run does, in order, on the thread that runs it: callbacks, each of which does nothing unless it is written.
/// Calls must return quickly.</summary>
public interface ITrainingObserver
{
    /// <summary>Everything is built and loaded; the first iteration comes next.</summary>
    /// <param name="run">What runs on what.</param>
    void RunStarted(RunStarted run)
    {
    }

    /// <summary>A batch of training or testing is done.</summary>
    /// <param name="iteration">Where the epoch stands.</param>
    void IterationFinished(in IterationFinished iteration)
    {
    }

    /// <summary>An epoch is trained and tested.</summary>
    /// <param name="epoch">Its results.</param>
    void EpochFinished(EpochFinished epoch)
    {
    }

    /// <summary>A checkpoint is whole on disk.</summary>
    /// <param name="path">The file.</param>
    void CheckpointSaved(string path)
    {
    }

    /// <summary>Something that the user should know and that stops nothing: a corrupt image skipped, a run folder that exists.</summary>
    /// <param name="message">One line.</param>
    void Warning(string message)
    {
    }

    /// <summary>Something about the run that is as it should be and worth a line: what a checkpoint decides, what is left out.</summary>
    /// <param name="message">One line.</param>
    void Note(string message)
    {
    }

    /// <summary>The run ended before its last epoch because it was asked to; nothing is lost.</summary>
    /// <param name="checkpoint">What -resume continues from; null if nothing was trained yet.</param>
    void Stopped(string? checkpoint)
    {
    }
}

/// <summary>Which pass over the data.</summary>
public enum TrainingPhase
{
    /// <summary>Over the training set, with updates.</summary>
    Train,

    /// <summary>Over the test set.</summary>
    Test,
}

/// <summary>What a run is.</summary>
/// <param name="Device">The device's own name.</param>
/// <param name="Parameters">Trained numbers of the model.</param>
/// <param name="Classes">Classes of the data set.</param>
/// <param name="TrainSamples">Samples of the training set.</param>
/// <param name="TestSamples">Samples of the test set.</param>
/// <param name="PlannedBytes">Device memory that the plan takes, bytes.</param>
/// <param name="RunFolder">Where the run writes.</param>
/// <param name="FirstEpoch">0, or where a resumed run goes on.</param>
/// <param name="FirstBatch">Batches of that epoch that are done.</param>
/// <param name="Batches">Training batches of an epoch.</param>
public sealed record RunStarted(
    string Device,
    long Parameters,
    int Classes,
    int TrainSamples,
    int TestSamples,
    long PlannedBytes,
    string RunFolder,
    int FirstEpoch,
    int FirstBatch,
    int Batches);

/// <summary>Where an epoch stands. Averages are over its batches so far, as the official programs show them.</summary>
/// <param name="Phase">Training or testing.</param>
/// <param name="Epoch">From 0.</param>
/// <param name="Epochs">How many the run has; 0 for an evaluation on its own.</param>
/// <param name="Batch">How many batches are done, from 1.</param>
/// <param name="Batches">How many the pass has.</param>
/// <param name="DataSeconds">Average wait for a batch's data.</param>
/// <param name="BatchSeconds">Average time of a batch, the wait included.</param>
/// <param name="Loss">Average loss.</param>
/// <param name="Top1">Average accuracy, in percent.</param>
/// <param name="Top5">Average share of samples whose class is among the five best, in percent.</param>
public readonly record struct IterationFinished(
    TrainingPhase Phase,
    int Epoch,
    int Epochs,
    int Batch,
    int Batches,
    double DataSeconds,
    double BatchSeconds,
    double Loss,
    double Top1,
    double Top5);

/// <summary>Results of an epoch; accuracies are shares of 1, as in the official programs' line.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Epochs">How many the run has.</param>
/// <param name="TrainLoss">Mean loss over the training set.</param>
/// <param name="TrainAccuracy">Share of training samples right.</param>
/// <param name="TestLoss">Mean loss over the test set.</param>
/// <param name="TestAccuracy">Share of test samples right.</param>
/// <param name="MaxTestAccuracy">The best so far.</param>
/// <param name="TrainSeconds">Time of the training pass; of a resumed epoch, of what was left of it.</param>
/// <param name="TotalSeconds">Time of both passes.</param>
/// <param name="ImagesPerSecond">Training samples a second in that time.</param>
/// <param name="PeakDeviceBytes">Most device memory in use so far.</param>
/// <param name="SkippedSteps">Updates that an overflow of the loss scale skipped so far.</param>
public sealed record EpochFinished(
    int Epoch,
    int Epochs,
    double TrainLoss,
    double TrainAccuracy,
    double TestLoss,
    double TestAccuracy,
    double MaxTestAccuracy,
    double TrainSeconds,
    double TotalSeconds,
    double ImagesPerSecond,
    long PeakDeviceBytes,
    long SkippedSteps)
{
    /// <summary>Seconds of the training pass in which the run waited for data.</summary>
    public double DataSeconds { get; init; }
}
