using System.Text.RegularExpressions;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Reports;

namespace SlttEngine.Training;

/// <summary>What a run's history says of the run at its begin.</summary>
internal static partial class RunFacts
{
    /// <summary>What a description says that a history has elsewhere.</summary>
    private static readonly string[] Elsewhere = ["format", "program", "class_names", "classes", "train_samples"];

    /// <summary>Collects them.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="description">The run's description.</param>
    /// <param name="device">The device.</param>
    /// <param name="network">The network.</param>
    /// <param name="sets">The samples.</param>
    /// <param name="firstEpoch">Where the run begins or goes on.</param>
    /// <param name="memory">Planned device memory by kind.</param>
    internal static RunBegin Of(
        TrainingOptions options,
        RunDescription description,
        ComputeDevice device,
        Network network,
        (IDataSet Train, IDataSet Test) sets,
        int firstEpoch,
        IReadOnlyDictionary<string, long> memory) => new()
        {
            Time = DateTimeOffset.Now,
            Program = description.Program,
            Command = options.Command is { } command ? WithoutPaths(command) : null,
            Device = device.Name,
            Versions = DeviceVersions.Of(device),
            Options = Texts(options, description).ToDictionary(o => o.Key, o => WithoutPaths(o.Value)),
            Model = description.Model,
            DataSet = description.DataSet,
            Method = description.Method,
            Steps = options.Steps,
            BatchSize = options.BatchSize,
            Type = description.Dtype,
            Parameters = network.ParameterCount,
            ClassNames = sets.Train.ClassNames,
            TrainSamples = sets.Train.Count,
            TestSamples = sets.Test.Count,
            Epochs = options.Epochs,
            FirstEpoch = firstEpoch,
            Memory = memory,
        };

    /// <summary>Planned device memory by kind; all kinds together are what the run allocates.</summary>
    /// <param name="training">Training's plan.</param>
    /// <param name="engine">The engine.</param>
    /// <param name="images">Bytes of images that stay on the device.</param>
    internal static IReadOnlyDictionary<string, long> Memory(MemoryPlan training, TrainingEngine engine, long images) =>
        new Dictionary<string, long>
        {
            ["weights"] = training.Weights,
            ["gradients"] = training.Gradients,
            ["optimizer"] = training.Optimizer,
            ["statistics"] = training.Statistics,
            ["state"] = training.State,
            ["saved"] = training.Saved,
            ["batch"] = training.Batch,
            ["scratch"] = training.Scratch,

            // Evaluation uses training's memory, and takes this much more.
            ["evaluation"] = engine.ArenaBytes - (training.Total - training.Store),
            ["images"] = images,
        };

    /// <summary>A text in which of each absolute path the last part alone is left: what a history says may be shown to anybody.</summary>
    /// <param name="text">The text.</param>
    internal static string WithoutPaths(string text) => Path.IsPathFullyQualified(text)
        ? Path.GetFileName(Path.TrimEndingDirectorySeparator(text))
        : Folders().Replace(text, string.Empty);

    private static IEnumerable<KeyValuePair<string, string>> Texts(TrainingOptions options, RunDescription description) =>
        options.OptionTexts.Count > 0 ? options.OptionTexts :
        [
            .. description.Lines().Where(l => !Elsewhere.Contains(l.Name)).Select(l => KeyValuePair.Create(l.Name, l.Value)),
            KeyValuePair.Create("optimizer", options.UsedOptimizer.ToString()),
            KeyValuePair.Create("learning_rate", options.UsedLearningRate.ToString()),
        ];

    /// <summary>The folders of absolute paths, on Linux, in a home folder and on Windows; a relative path has a letter, a dot or a
    /// separator before its first separator.</summary>
    [GeneratedRegex(@"(?<![\w.~/\\])(?:~|[A-Za-z]:)?[/\\]+(?:[^\s:;,'""()/\\]+[/\\]+)*(?=[^\s:;,'""()/\\])")]
    private static partial Regex Folders();
}
