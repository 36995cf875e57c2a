using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>Finds the checkpoint that a user means: a file, or the best one of a run's folder.</summary>
internal static class CheckpointPlace
{
    /// <summary>The checkpoint's path.</summary>
    /// <param name="place">A checkpoint, or a run folder.</param>
    /// <exception cref="SlttException">There is none.</exception>
    internal static string Find(string place)
    {
        if (!Directory.Exists(place))
        {
            return File.Exists(place) ? place
                : throw new SlttException(ErrorKind.Data, $"{place}: no such checkpoint or run folder", "sltt runs lists the runs");
        }

        // The official programs' folders hold the same as .pth.
        string[] there = [.. ((string[])[TrainingRun.BestCheckpoint, TrainingRun.LatestCheckpoint])
            .SelectMany(name => (string[])[name, Path.ChangeExtension(name, ".pth")])
            .Select(name => Path.Combine(place, name)).Where(File.Exists)];
        return there.Length > 0 ? there[0]
            : throw new SlttException(
                ErrorKind.Data, $"{place}: holds neither {TrainingRun.BestCheckpoint} nor {TrainingRun.LatestCheckpoint}",
                "give a run's own folder, or a checkpoint file");
    }
}
