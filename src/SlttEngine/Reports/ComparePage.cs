using System.Globalization;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Reports;

/// <summary>A run of a comparison.</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="State">running, done, stopped, died or failed.</param>
/// <param name="Record">The run.</param>
internal sealed record ComparedRun(string Name, string State, RunRecord Record);

/// <summary>One page of several runs: curves over each other, results, and what differs.</summary>
internal static class ComparePage
{
    /// <summary>Styles in the order in which runs get them; neighbours differ in colour and in dashes.</summary>
    private static readonly int[] Styles = [1, 2, 3, 4, 0, 5, 6, 7];

    /// <summary>What a run is called or where it is kept changes no result.</summary>
    private static readonly string[] Places = ["name", "out_dir", "data_dir", "resume", "take_over", "from", "j"];

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="runs">At least two.</param>
    /// <exception cref="SlttException">It can't be written.</exception>
    internal static void Write(string path, IReadOnlyList<ComparedRun> runs)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Html(runs));
        AtomicFile.Write(path, file => file.Write(bytes), durable: false);
    }

    /// <summary>The page.</summary>
    /// <param name="runs">At least two.</param>
    internal static string Html(IReadOnlyList<ComparedRun> runs)
    {
        HtmlBuilder page = new();
        (string Name, string[] Values)[] differences = [.. Differences(runs)];
        string[] labels = [.. runs.Select((_, i) => Label(i, differences))];
        string[] sets = [.. runs.Select(r => r.Record.Begin.DataSet ?? "own data").Distinct()];
        string data = string.Join(", ", sets);
        PageFrame.Begin(page, $"{runs.Count} runs compared · {data}", reloadSeconds: null);
        page.Add($"<header><p class=\"kicker\">{runs.Count} runs compared</p><h1>");
        page.Add($"{string.Join(", ", runs.Select(r => r.Record.Begin.Model).Distinct())} <span>on {data}</span></h1>");
        ComparedRun best = runs.MaxBy(r => Last(r)?.MaxTestAccuracy ?? -1)!;
        if (sets.Length == 1 && Last(best) is { } last)
        {
            page.Add($"<p class=\"state\">Best test accuracy: <b>{Figures.Percent(last.MaxTestAccuracy, "0.00")}</b> ");
            page.Add($"{labels[runs.ToList().IndexOf(best)]}</p>");
        }

        page.Add($"</header><main id=\"main\">");
        Results(page, runs);
        Curves(page, runs, labels);
        Options(page, runs, differences);
        page.Add($"</main>");
        PageFrame.End(page);
        return page.ToString();
    }

    private static EpochRecord? Last(ComparedRun run) => run.Record.Epochs.Count > 0 ? run.Record.Epochs[^1] : null;

    private static string Letter(int run) =>
        run < 26 ? ((char)('A' + run)).ToString() : string.Create(CultureInfo.InvariantCulture, $"R{run}");

    /// <summary>A letter, and the first options by which a reader tells the runs apart.</summary>
    private static string Label(int run, (string Name, string[] Values)[] differences)
    {
        IEnumerable<string> told = differences.Where(d => d.Values[run].Length is > 0 and <= 24).Take(2)
            .Select(d => $"{d.Name} {d.Values[run]}");
        string text = string.Join(", ", told);
        return text.Length == 0 ? Letter(run) : $"{Letter(run)}: {text}";
    }

    private static void Results(HtmlBuilder page, IReadOnlyList<ComparedRun> runs)
    {
        page.Add($"<section id=\"results\"><h2>Results</h2><p>A difference of a few tenths of a percent may be the seed's: compare ");
        page.Add($"runs of ");
        page.Add($"several seeds before you believe it.</p>");
        PageFrame.BeginTable(
            page, "Results", string.Empty,
            [
                "run", "method", "model", "data", "#T", "#epochs", "#best", "#last", "#time", "#samples/s", "#device memory",
                "#firing rate", "state", "folder",
            ]);
        for (int i = 0; i < runs.Count; i++)
        {
            RunBegin begin = runs[i].Record.Begin;
            EpochRecord? last = Last(runs[i]);
            Curve firing = FiringSection.Mean(runs[i].Record, string.Empty, 0);
            page.Add($"<tr><th scope=\"row\"><span class=\"key\">{PageFrame.Line(Style(i))}<b>{Letter(i)}</b></span></th>");
            page.Add($"<td>{begin.Method}</td><td>{begin.Model}</td>");
            page.Add($"<td>{begin.DataSet ?? "own data"}</td><td class=\"n\">{begin.Steps}</td>");
            page.Add($"<td class=\"n\">{(last is null ? 0 : last.Epoch + 1)} of {begin.Epochs}</td>");
            page.Add($"<td class=\"n\"><b>{(last is null ? "–" : Figures.Percent(last.MaxTestAccuracy, "0.00"))}</b></td>");
            page.Add($"<td class=\"n\">{(last is null ? "–" : Figures.Percent(last.TestAccuracy, "0.00"))}</td>");
            page.Add($"<td class=\"n\">{Figures.Duration(runs[i].Record.Epochs.Sum(e => e.TotalSeconds))}</td>");
            page.Add($"<td class=\"n\">{(last is null ? "–" : Figures.Short(last.ImagesPerSecond))}</td>");
            page.Add($"<td class=\"n\">{(last is null ? "–" : Figures.Bytes(last.PeakDeviceBytes))}</td>");
            page.Add($"<td class=\"n\">{(firing.Points.Count == 0 ? "–" : Figures.Number(firing.Points[^1].Value, "0.000"))}</td>");
            page.Add($"<td>{runs[i].State}</td><td>{runs[i].Name}</td></tr>");
        }

        PageFrame.EndTable(page);
        page.Add($"</section>");
    }

    private static int Style(int run) => Styles[run % Styles.Length];

    private static void Curves(HtmlBuilder page, IReadOnlyList<ComparedRun> runs, string[] labels)
    {
        page.Add($"<section id=\"curves\"><h2>Curves</h2><p>All runs over each other, by epoch. Point at a plot, or use the arrow ");
        page.Add($"keys in it, ");
        page.Add($"to read the values of an epoch.</p><ul class=\"legend\">");
        for (int i = 0; i < runs.Count; i++)
        {
            page.Add($"<li class=\"key\">{PageFrame.Line(Style(i))}{labels[i]}</li>");
        }

        page.Add($"</ul><div class=\"plots\">");
        CurvePlot Of(string title, Func<EpochRecord, double> value) => new(
            title, [.. runs.Select((r, i) => new Curve(Letter(i), [.. r.Record.Epochs.Select(e => (e.Epoch, value(e)))], Style(i)))]);

        CurvePlot[] plots =
        [
            Of("Test accuracy", e => 100 * e.TestAccuracy) with { Unit = "\u00a0%" },
            Of("Train accuracy", e => 100 * e.TrainAccuracy) with { Unit = "\u00a0%" },
            Of("Test loss", e => e.TestLoss),
            Of("Train loss", e => e.TrainLoss),
            new("Mean firing rate", [.. runs.Select((r, i) => FiringSection.Mean(r.Record, Letter(i), Style(i)))]) { FromZero = true },
            Of("Training samples a second", e => e.ImagesPerSecond) with { FromZero = true },
        ];
        foreach (CurvePlot plot in plots)
        {
            plot.Write(page);
        }

        page.Add($"</div></section>");
    }

    private static void Options(HtmlBuilder page, IReadOnlyList<ComparedRun> runs, (string Name, string[] Values)[] differences)
    {
        page.Add($"<section id=\"options\"><h2>What differs</h2>");
        if (differences.Length == 0)
        {
            page.Add($"<p>Nothing that is recorded: options, data, device and versions are the same.</p></section>");
            return;
        }

        page.Add($"<p>Options, data, device and versions that are not the same in all runs. All others are.</p>");
        PageFrame.BeginTable(page, "What differs", string.Empty, [string.Empty, .. runs.Select((_, i) => Letter(i))]);
        foreach ((string name, string[] values) in differences)
        {
            page.Add($"<tr><th scope=\"row\">{name}</th>");
            foreach (string value in values)
            {
                page.Add($"<td>{(value.Length == 0 ? "–" : Figures.WithoutFolders(value))}</td>");
            }

            page.Add($"</tr>");
        }

        PageFrame.EndTable(page);
        page.Add($"</section>");
    }

    private static IEnumerable<(string Name, string[] Values)> Differences(IReadOnlyList<ComparedRun> runs)
    {
        IEnumerable<string> options = runs.SelectMany(r => r.Record.Begin.Options.Keys).Distinct();
        IEnumerable<string> versions = runs.SelectMany(r => r.Record.Begin.Versions.Keys).Distinct();
        IEnumerable<(string Name, string[] Values)> all =
        [
            Row("method", b => b.Method),
            Row("model", b => b.Model),
            Row("data", b => b.DataSet ?? "own data"),
            Row("T", b => Text(b.Steps)),
            .. options.Where(o => !Places.Contains(o) && o is not ("method" or "model" or "dataset" or "T" or "b")).Select(
                o => Row(o, b => b.Options.GetValueOrDefault(o, string.Empty))),
            Row("parameters", b => Text(b.Parameters)),
            Row("batch", b => Text(b.BatchSize)),
            Row("type", b => b.Type),
            Row("training samples", b => Text(b.TrainSamples)),
            Row("test samples", b => Text(b.TestSamples)),
            Row("device", b => b.Device),
            Row("program", b => b.Program),
            .. versions.Select(v => Row(v, b => b.Versions.GetValueOrDefault(v, string.Empty))),
        ];
        return all.Where(row => row.Values.Distinct().Count() > 1);

        (string, string[]) Row(string name, Func<RunBegin, string> value) => (name, [.. runs.Select(r => value(r.Record.Begin))]);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
