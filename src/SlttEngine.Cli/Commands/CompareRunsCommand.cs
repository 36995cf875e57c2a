using SlttEngine.Reports;

namespace SlttEngine.Cli.Commands;

/// <summary>Makes one page of several runs.</summary>
internal sealed class CompareRunsCommand : Command
{
    private string output = "compare.html";

    internal CompareRunsCommand() => Options =
    [
        new CliOption("o", "FILE", $"the page (default: {output}, in this folder)", path => output = path),
    ];

    /// <inheritdoc/>
    internal override string? Positionals => "RUN RUN…";

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        if (positionals.Count < 2)
        {
            throw new SlttException(
                ErrorKind.Usage, "compare-runs takes at least two runs",
                "sltt compare-runs RUN RUN…: run folders, which sltt runs lists");
        }

        RunFiles.RequireNone(output);
        ComparedRun[] runs = [.. positionals.Select(Read)];
        ComparePage.Write(output, runs);
        context.WriteLine(output);
        return 0;
    }

    private static ComparedRun Read(string given)
    {
        string folder = Path.GetFileName(given) == RunHistory.FileName ? Path.GetDirectoryName(given) ?? "." : given;
        if (!Directory.Exists(folder))
        {
            throw new SlttException(ErrorKind.Data, $"{given}: no such folder", "sltt runs DIR lists the runs below DIR");
        }

        RunRecord record = RunHistory.Read(folder) ?? throw new SlttException(
            ErrorKind.Data, $"{given}: no run with a history: there is no {RunHistory.FileName} in it",
            "sltt runs DIR lists the runs below DIR; runs of before version 0.2 have no history");
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        return new ComparedRun(name, RunSummary.StateOf(folder, record), record);
    }
}
