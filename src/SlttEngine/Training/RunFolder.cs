using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>The folder of a run: made at its start, with args.txt in it.</summary>
internal static class RunFolder
{
    /// <summary>Makes the folder and writes args.txt.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="resumed">True: the folder is expected to exist.</param>
    /// <param name="observer">Is warned if a run's folder is written over.</param>
    /// <exception cref="SlttException">It can't be written.</exception>
    public static void Create(string folder, TrainOptions options, bool resumed, ITrainingObserver observer)
    {
        try
        {
            if (Directory.Exists(folder) && !resumed)
            {
                string latest = Path.Combine(folder, Trainer.LatestCheckpoint);
                string replaced = File.Exists(latest) ? $"; this run replaces its checkpoints, where -resume {latest} would go on with them" : string.Empty;
                observer.Warning($"out dir already exists: {folder}{replaced}");
            }

            Directory.CreateDirectory(folder);
            AtomicFile.Write(Path.Combine(folder, "args.txt"), file => file.Write(Encoding.UTF8.GetBytes(options.ToArgsText())));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SlttException(ErrorKind.Data, $"{folder}: can't be written: {e.Message.ReplaceLineEndings(" ")}", "give another folder with -out_dir", e);
        }
    }
}
