using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>The folder of a run: made at its start, with the files in it that describe the run.</summary>
internal static class RunFolder
{
    /// <summary>Makes the folder, if it is not there.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="SlttException">It can't be made.</exception>
    public static void Create(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("make", folder, e);
        }
    }

    /// <summary>Writes the files that describe the run; the folder is this run's by now.</summary>
    /// <param name="options">The run's options. A resumed run's folder is expected to exist.</param>
    /// <param name="existed">Whether the folder was there before.</param>
    /// <param name="observer">Is warned if a run's folder is written over.</param>
    /// <exception cref="SlttException">One can't be written.</exception>
    public static void WriteFiles(TrainingOptions options, bool existed, ITrainingObserver observer)
    {
        string folder = options.RunFolder;
        if (existed && options.Resume is null)
        {
            string latest = Path.Combine(folder, TrainingRun.LatestCheckpoint);
            string replaced = File.Exists(latest) ? $"; this run replaces its checkpoints, where -resume {latest} would go on with them"
                : string.Empty;
            observer.Warning($"out dir already exists: {folder}{replaced}");
        }

        foreach ((string name, string text) in options.RunFiles)
        {
            AtomicFile.Write(Path.Combine(folder, name), file => file.Write(Encoding.UTF8.GetBytes(text)));
        }
    }
}
