using System.Text.Json.Serialization;

namespace SlttEngine.Reports;

/// <summary>A line of history.jsonl.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(RunBegin), "begin")]
[JsonDerivedType(typeof(EpochRecord), "epoch")]
[JsonDerivedType(typeof(RunEnd), "end")]
internal abstract record HistoryLine;

/// <summary>What a run folder's history.jsonl says of a run: a line for its begin, one for each epoch, one for its end.</summary>
/// <param name="Begin">What runs on what; of a resumed run, the latest begin.</param>
/// <param name="Epochs">In order, one of each number.</param>
/// <param name="End">null while it runs, or where it died.</param>
internal sealed record RunRecord(RunBegin Begin, IReadOnlyList<EpochRecord> Epochs, RunEnd? End);

/// <summary>What a run is. No text in it has an absolute path.</summary>
internal sealed record RunBegin : HistoryLine
{
    /// <summary>When this process began.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The program with its version.</summary>
    public required string Program { get; init; }

    /// <summary>The command line; null for a library's user.</summary>
    public string? Command { get; init; }

    /// <summary>The device's own name.</summary>
    public required string Device { get; init; }

    /// <summary>Versions of what computes: driver, cuDNN, cuBLAS, oneDNN, .NET.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>The options that the run was given, by name, as text.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The data set's name, if it has one.</summary>
    public string? DataSet { get; init; }

    /// <summary>The method's name.</summary>
    public required string Method { get; init; }

    /// <summary>T, time steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Samples a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Number type of activations in training.</summary>
    [JsonPropertyName("dtype")]
    public required string Type { get; init; }

    /// <summary>Trained numbers of the model.</summary>
    public required long Parameters { get; init; }

    /// <summary>The classes' names, in order.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>Training samples.</summary>
    public required int TrainSamples { get; init; }

    /// <summary>Test samples.</summary>
    public required int TestSamples { get; init; }

    /// <summary>Epochs that the run is to have.</summary>
    public required int Epochs { get; init; }

    /// <summary>0, or where a resumed run goes on.</summary>
    public required int FirstEpoch { get; init; }

    /// <summary>Planned device memory by kind, bytes.</summary>
    public required IReadOnlyDictionary<string, long> Memory { get; init; }
}

/// <summary>An epoch's results. Accuracies and shares are 0 to 1.</summary>
internal sealed record EpochRecord : HistoryLine
{
    /// <summary>From 0.</summary>
    public required int Epoch { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The learning rate that it trained with.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Mean loss over the training set.</summary>
    public required double TrainLoss { get; init; }

    /// <summary>Share of training samples right.</summary>
    public required double TrainAccuracy { get; init; }

    /// <summary>Mean loss over the test set.</summary>
    public required double TestLoss { get; init; }

    /// <summary>Share of test samples right.</summary>
    public required double TestAccuracy { get; init; }

    /// <summary>The best so far.</summary>
    public required double MaxTestAccuracy { get; init; }

    /// <summary>Seconds of the training pass.</summary>
    public required double TrainSeconds { get; init; }

    /// <summary>Seconds of both passes.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>Seconds of the training pass that went to waiting for data.</summary>
    public required double DataSeconds { get; init; }

    /// <summary>Training samples a second.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Most device memory in use so far.</summary>
    public required long PeakDeviceBytes { get; init; }

    /// <summary>Updates that an overflow of the loss scale skipped so far.</summary>
    public required long SkippedSteps { get; init; }

    /// <summary>Seconds that looking at the network and writing the report took since the line before.</summary>
    public double ReportSeconds { get; init; }

    /// <summary>How often layers fired in this epoch's evaluation, in order of execution; empty if the epoch was not looked at.</summary>
    public IReadOnlyList<LayerFiring> Layers { get; init; } = [];
}

/// <summary>How often a layer of neurons fired, on the test samples looked at.</summary>
/// <param name="Name">PyTorch's name.</param>
/// <param name="Rate">Spikes for each neuron and step, 0 to 1.</param>
/// <param name="Silent">Share of its neurons that never fired; 1 only if none did in the whole test pass.</param>
/// <param name="Saturated">Share of its neurons that fired in every step; 1 only if all did in the whole test pass.</param>
internal sealed record LayerFiring(string Name, double Rate, double Silent, double Saturated);

/// <summary>How a run ended.</summary>
/// <param name="Time">When.</param>
/// <param name="State">done, stopped or failed.</param>
/// <param name="Message">The error, in one line.</param>
internal sealed record RunEnd(DateTimeOffset Time, string State, string? Message = null) : HistoryLine
{
    /// <summary>All epochs were run.</summary>
    public const string Done = "done";

    /// <summary>The user stopped it.</summary>
    public const string Stopped = "stopped";

    /// <summary>An error ended it.</summary>
    public const string Failed = "failed";
}
