using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>Keeps a run's notes and warnings in its folder too, with the time, as the user may be away; hands everything on.</summary>
/// <param name="inner">Who is told everything.</param>
internal sealed class RunMessages(ITrainingObserver inner) : ITrainingObserver
{
    /// <summary>The file in the run folder.</summary>
    public const string FileName = "messages.txt";

    private readonly List<string> waiting = [];
    private string? path;

    /// <summary>Writes what came before the folder was there, and from now on each message as it comes.</summary>
    /// <param name="folder">The run folder.</param>
    public void WriteTo(string folder)
    {
        path = Path.Combine(folder, FileName);
        waiting.ForEach(Append);
        waiting.Clear();
    }

    /// <inheritdoc/>
    public void RunStarted(RunStarted run) => inner.RunStarted(run);

    /// <inheritdoc/>
    public void IterationFinished(in IterationFinished iteration) => inner.IterationFinished(iteration);

    /// <inheritdoc/>
    public void EpochFinished(EpochFinished epoch) => inner.EpochFinished(epoch);

    /// <inheritdoc/>
    public void CheckpointSaved(string path) => inner.CheckpointSaved(path);

    /// <inheritdoc/>
    public void Stopped(string? checkpoint) => inner.Stopped(checkpoint);

    /// <inheritdoc/>
    public void Warning(string message)
    {
        Keep("warning: " + message);
        inner.Warning(message);
    }

    /// <inheritdoc/>
    public void Note(string message)
    {
        Keep("note: " + message);
        inner.Note(message);
    }

    /// <summary>Keeps the error that ends the run; the caller throws it on.</summary>
    /// <param name="message">One line.</param>
    public void Failed(string message) => Keep("error: " + message);

    private void Keep(string message)
    {
        string line = string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.Now:yyyy-MM-ddTHH:mm:sszzz} {message}\n");
        if (path is null)
        {
            waiting.Add(line);
        }
        else
        {
            Append(line);
        }
    }

    private void Append(string line)
    {
        try
        {
            File.AppendAllText(path!, line);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            // It was said on the terminal; a full disk stops no training here.
        }
    }
}
