using SlttEngine.Reports;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>The names of the files that a run keeps in its folder.</summary>
internal static class RunFiles
{
    private static readonly string[] Names =
    [
        "args.txt", RunHistory.FileName, RunMessages.FileName, ReportPage.FileName, "running.json", ".running.lock", "convolutions.jsonl",
        "convolution_choices.json",
    ];

    /// <summary>Refuses to write over a file of a run, which an output's name given by mistake would lose.</summary>
    /// <param name="path">Where an output is to go.</param>
    /// <exception cref="SlttException">A file that a run keeps is there.</exception>
    internal static void RequireNone(string path)
    {
        string name = Path.GetFileName(path);
        if (File.Exists(path) && (Names.Contains(name) || name.StartsWith("checkpoint_", StringComparison.Ordinal)))
        {
            throw new SlttException(ErrorKind.Usage, $"{path}: would replace a file of a run", "give another file with -o");
        }
    }
}
