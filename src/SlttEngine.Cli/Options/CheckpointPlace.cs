using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>Finds the checkpoint that a user means by a run's folder.</summary>
internal static class CheckpointPlace
{
    /// <summary>A run's best checkpoint, else its latest one; a file is itself.</summary>
    /// <param name="runOrFile">A run's folder, or a checkpoint.</param>
    /// <exception cref="SlttException">The folder holds none.</exception>
    internal static string Find(string runOrFile)
    {
        if (!Directory.Exists(runOrFile))
        {
            return runOrFile;
        }

        string[] names =
        [
            TrainingRun.BestCheckpoint, Path.ChangeExtension(TrainingRun.BestCheckpoint, ".pth"),
            TrainingRun.LatestCheckpoint, Path.ChangeExtension(TrainingRun.LatestCheckpoint, ".pth"),
        ];
        return names.Select(name => Path.Combine(runOrFile, name)).FirstOrDefault(File.Exists) ?? throw new SlttException(
            ErrorKind.Data, $"{runOrFile}: no checkpoint in this folder", $"give a run's folder, with {names[0]} in it, or a checkpoint");
    }
}
