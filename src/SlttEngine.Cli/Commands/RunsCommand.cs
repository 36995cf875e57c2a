using System.Globalization;
using SlttEngine.Cli.Options;

namespace SlttEngine.Cli.Commands;

/// <summary>Lists runs in a table that fits the terminal.</summary>
internal sealed class RunsCommand : Command
{
    /// <summary>Columns that a folder's name gets at least.</summary>
    private const int FolderWidth = 24;

    /// <summary>In the order of the table; the rank says which go first where there is no room.</summary>
    private static readonly Column[] Columns =
    [
        new("state", false, 0, r => r.State),
        new("best", true, 0, r => Percent(r.BestAccuracy)),
        new("last", true, 3, r => Percent(r.LastAccuracy)),
        new("epochs", true, 1, r => $"{Number(r.EpochsDone)}/{Number(r.Epochs)}"),
        new("time", true, 4, r => r.Seconds is { } s ? Units.Clock(s) : "-"),
        new("method", false, 2, r => r.Method ?? "-"),
        new("model", false, 2, r => r.Model ?? "-"),
        new("data", false, 3, r => r.Data ?? "-"),
        new("T", true, 4, r => Number(r.Steps)),
    ];

    private bool json;

    internal RunsCommand() => Options = [new CliOption("json", null, "the list as JSON", _ => json = true)];

    /// <inheritdoc/>
    internal override string? Positionals => "[DIR]";

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        if (positionals.Count > 1)
        {
            throw new SlttException(ErrorKind.Usage, $"runs takes one folder, and {positionals.Count} were given", "sltt runs DIR");
        }

        string root = positionals.Count == 0 ? new TrainOptions().OutDir : positionals[0];
        IReadOnlyList<RunSummary> runs = positionals.Count == 0 && !Directory.Exists(root) ? [] : RunSummary.Find(root);
        if (json)
        {
            JsonOutput.Write(context, runs);
            return 0;
        }

        if (runs.Count == 0)
        {
            context.WriteLine($"no run below {root}");
            return 0;
        }

        int? width = context.Console.Profile.Capabilities.Interactive ? context.Console.Profile.Width - 1 : null;
        foreach (string line in Lines(runs, root, width))
        {
            context.WriteLine(line);
        }

        return 0;
    }

    /// <summary>The table. On a narrow terminal columns go, and a folder's name is cut in its middle.</summary>
    /// <param name="runs">One a line.</param>
    /// <param name="root">Folders are relative to it.</param>
    /// <param name="width">Columns of the terminal; null: as many as it takes.</param>
    internal static IEnumerable<string> Lines(IReadOnlyList<RunSummary> runs, string root, int? width)
    {
        string[] folders = [.. runs.Select(r => Path.GetRelativePath(root, r.Folder) + (r.Message is { } m ? $" ({m})" : string.Empty))];
        Column[] shown = Columns;
        int Room(Column[] columns) => (width ?? int.MaxValue) - columns.Sum(c => c.Width(runs) + 2);
        for (int rank = 4; rank > 0 && Room(shown) < FolderWidth; rank--)
        {
            shown = [.. shown.Where(c => c.Rank < rank)];
        }

        int room = Math.Max(8, Room(shown));
        yield return string.Concat(shown.Select(c => c.Text(c.Name, runs))) + "folder";
        for (int i = 0; i < runs.Count; i++)
        {
            yield return string.Concat(shown.Select(c => c.Text(c.Value(runs[i]), runs))) + Cut(folders[i], room);
        }
    }

    /// <summary>A text without its middle: the beginning of a folder's name says the method, its end what is special.</summary>
    private static string Cut(string text, int width) =>
        text.Length <= width ? text : string.Concat(text.AsSpan(0, width / 2), "…", text.AsSpan(text.Length - (width - (width / 2) - 1)));

    private static string Percent(double? share) =>
        share is { } s ? (100 * s).ToString("0.00", CultureInfo.InvariantCulture) : "-";

    private static string Number(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private sealed record Column(string Name, bool Right, int Rank, Func<RunSummary, string> Value)
    {
        internal int Width(IReadOnlyList<RunSummary> runs) => Math.Max(Name.Length, runs.Max(r => Value(r).Length));

        internal string Text(string text, IReadOnlyList<RunSummary> runs) =>
            (Right ? text.PadLeft(Width(runs)) : text.PadRight(Width(runs))) + "  ";
    }
}
