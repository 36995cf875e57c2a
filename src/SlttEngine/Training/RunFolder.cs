using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>The folder of a run: made at its start, with the files in it that describe the run.</summary>
internal static class RunFolder
{
    /// <summary>Makes the folder and writes its first files.</summary>
    /// <param name="options">The run's options. A resumed run's folder is expected to exist.</param>
    /// <param name="observer">Is warned if a run's folder is written over.</param>
    /// <exception cref="SlttException">It can't be written.</exception>
    public static void Create(TrainingOptions options, ITrainingObserver observer)
    {
        string folder = options.RunFolder;
        try
        {
            if (Directory.Exists(folder) && options.Resume is null)
            {
                string latest = Path.Combine(folder, Trainer.LatestCheckpoint);
                string replaced = File.Exists(latest) ? $"; this run replaces its checkpoints, where -resume {latest} would go on with them"
                    : string.Empty;
                observer.Warning($"out dir already exists: {folder}{replaced}");
            }

            Directory.CreateDirectory(folder);
            foreach ((string name, string text) in options.RunFiles)
            {
                AtomicFile.Write(Path.Combine(folder, name), file => file.Write(Encoding.UTF8.GetBytes(text)));
            }
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("make", folder, e);
        }
    }
}
