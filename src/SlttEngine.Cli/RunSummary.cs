using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.IO;
using SlttEngine.Reports;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>A run folder in a line: from its history, or of older runs from options and checkpoint.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="State">running, done, stopped, died, failed; unreadable.</param>
internal sealed record RunSummary(string Folder, string State)
{
    private const string Args = "args.txt";

    private static readonly string[] Checkpoints =
        [TrainingRun.LatestCheckpoint, TrainingRun.BestCheckpoint, "checkpoint_latest.pth", "checkpoint_max.pth"];

    /// <summary>As people write it.</summary>
    public string? Method { get; init; }

    /// <summary>Its name.</summary>
    public string? Model { get; init; }

    /// <summary>The data set's name.</summary>
    public string? Data { get; init; }

    /// <summary>T.</summary>
    public int? Steps { get; init; }

    /// <summary>Epochs that are done.</summary>
    public int? EpochsDone { get; init; }

    /// <summary>Epochs that the run is to have.</summary>
    public int? Epochs { get; init; }

    /// <summary>0 to 1.</summary>
    public double? BestAccuracy { get; init; }

    /// <summary>0 to 1.</summary>
    public double? LastAccuracy { get; init; }

    /// <summary>Seconds of all epochs.</summary>
    public double? Seconds { get; init; }

    /// <summary>When it began, as far as the files tell.</summary>
    public DateTimeOffset Began { get; init; }

    /// <summary>The error that ended it, or why it can't be read.</summary>
    public string? Message { get; init; }

    /// <summary>All runs below a folder, the latest last.</summary>
    /// <param name="root">The folder, which may be a run's itself.</param>
    /// <exception cref="SlttException">There is no such folder.</exception>
    internal static IReadOnlyList<RunSummary> Find(string root)
    {
        if (!Directory.Exists(root))
        {
            throw new SlttException(ErrorKind.Data, $"{root}: no such folder", "sltt runs DIR lists the runs below DIR");
        }

        EnumerationOptions below = new()
        {
            IgnoreInaccessible = true,
            RecurseSubdirectories = true,
            MaxRecursionDepth = 8,
            AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden | FileAttributes.System,
        };
        return [
            .. new[] { root }.Concat(Directory.EnumerateDirectories(root, "*", below)).Where(IsRun).Select(Read)
                .OrderBy(r => r.Began).ThenBy(r => r.Folder, StringComparer.Ordinal)];
    }

    /// <summary>Reads a run folder; what can't be read is said in <see cref="Message"/>.</summary>
    /// <param name="folder">The folder.</param>
    internal static RunSummary Read(string folder)
    {
        try
        {
            return RunHistory.Read(folder) is { } record ? Of(folder, record) : Older(folder);
        }
        catch (Exception e) when (e is SlttException or FormatException || FileErrors.IsFileError(e))
        {
            return new RunSummary(folder, "unreadable") { Message = e.Message.ReplaceLineEndings(" "), Began = Time(folder) };
        }
    }

    /// <summary>What a run does, as its history and its lock say.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="record">Its history.</param>
    internal static string StateOf(string folder, RunRecord record) =>
        RunLock.IsHeld(folder) == true ? "running" : record.End?.State ?? "died";

    private static bool IsRun(string folder) =>
        new[] { RunHistory.FileName, Args }.Concat(Checkpoints).Any(file => File.Exists(Path.Combine(folder, file)));

    private static RunSummary Of(string folder, RunRecord record)
    {
        EpochRecord? last = record.Epochs.Count > 0 ? record.Epochs[^1] : null;
        return new RunSummary(folder, StateOf(folder, record))
        {
            Method = record.Begin.Method,
            Model = record.Begin.Model,
            Data = record.Begin.DataSet,
            Steps = record.Begin.Steps,
            EpochsDone = (last?.Epoch ?? -1) + 1,
            Epochs = record.Begin.Epochs,
            BestAccuracy = last?.MaxTestAccuracy,
            LastAccuracy = last?.TestAccuracy,
            Seconds = record.Epochs.Sum(e => e.TotalSeconds),
            Began = record.Begin.Time,
            Message = record.End?.Message,
        };
    }

    /// <summary>A run without a history: an earlier version's, or an official program's.</summary>
    private static RunSummary Older(string folder)
    {
        string args = Path.Combine(folder, Args);
        TrainOptions? options = File.Exists(args) ? TrainOptions.FromArgsFile(args) : null;
        IReadOnlyDictionary<string, string> metadata = Metadata(folder);
        RunDescription? run = RunDescription.Read(new CheckpointFile([], metadata) { Path = folder });
        int? done = int.TryParse(metadata.GetValueOrDefault("epoch"), CultureInfo.InvariantCulture, out int epoch) ? epoch + 1 : null;
        double? best = double.TryParse(metadata.GetValueOrDefault("max_test_acc"), CultureInfo.InvariantCulture, out double b) ? b : null;
        int? all = run?.Epochs ?? options?.Epochs;
        return new RunSummary(folder, RunLock.IsHeld(folder) switch
        {
            true => "running",
            false => "died",
            null => done is null || done < all ? "stopped" : "done",
        })
        {
            Method = options is null ? run?.Method : MethodTable.Find(options.Method).Title(options),
            Model = run?.Model ?? options?.Model,
            Data = run?.DataSet ?? options?.Dataset,
            Steps = run?.Steps ?? options?.T,
            EpochsDone = done,
            Epochs = all,
            BestAccuracy = best,
            Began = Time(folder),
        };
    }

    /// <summary>What the latest checkpoint says of itself; of safetensors only the header is read.</summary>
    private static IReadOnlyDictionary<string, string> Metadata(string folder)
    {
        if (Checkpoints.Select(c => Path.Combine(folder, c)).FirstOrDefault(File.Exists) is not { } path)
        {
            return new Dictionary<string, string>();
        }

        if (path.EndsWith(".pth", StringComparison.Ordinal))
        {
            return CheckpointFile.Read(path).Metadata;
        }

        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        return file.Metadata;
    }

    private static DateTimeOffset Time(string folder)
    {
        string? file = new[] { Args }.Concat(Checkpoints).Select(f => Path.Combine(folder, f)).FirstOrDefault(File.Exists);
        return file is null ? Directory.GetLastWriteTimeUtc(folder) : File.GetLastWriteTimeUtc(file);
    }
}
