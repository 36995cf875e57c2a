using System.Globalization;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Reports;

/// <summary>The page of a run, for people: one file that needs nothing else.</summary>
internal static class ReportPage
{
    /// <summary>The file in a run folder.</summary>
    internal const string FileName = "report.html";

    private const int ReloadSeconds = 10;

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="record">The run so far.</param>
    /// <param name="inspection">What was seen of the network after its latest epoch; null if nothing was.</param>
    /// <exception cref="SlttException">It can't be written.</exception>
    internal static void Write(string folder, RunRecord record, RunInspection? inspection)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Html(record, inspection));
        AtomicFile.Write(Path.Combine(folder, FileName), file => file.Write(bytes), durable: false);
    }

    /// <summary>The page.</summary>
    /// <param name="record">The run so far.</param>
    /// <param name="inspection">What was seen of the network; null if nothing was.</param>
    internal static string Html(RunRecord record, RunInspection? inspection)
    {
        RunBegin run = record.Begin;
        HtmlBuilder page = new();
        string data = run.DataSet ?? "own data";
        EpochRecord? last = record.Epochs.Count > 0 ? record.Epochs[^1] : null;
        string best = last is null ? string.Empty : $" · {Figures.Percent(last.MaxTestAccuracy, "0.00")}";
        PageFrame.Begin(page, $"{run.Model} on {data}{best} · {State(record)}", record.End is null ? ReloadSeconds : null);
        page.Add($"<header><p class=\"kicker\">{run.Method} · T = {run.Steps}</p><h1>{run.Model} <span>on {data}</span></h1>");
        page.Add($"<p class=\"state {State(record)}\" role=\"status\"><b>{State(record)}</b> {Since(record)}</p>");
        if (record.End?.Message is { } message)
        {
            page.Add($"<p class=\"message\">{Figures.WithoutFolders(message)}</p>");
        }

        Heading(page, record, last);
        page.Add($"</header><main id=\"main\">");
        if (last is null)
        {
            string text = record.End is null ? "Curves appear when the first epoch has been trained and tested."
                : "The run ended before its first epoch was done.";
            page.Add($"<section><h2>No epoch yet</h2><p>{text}</p></section>");
        }
        else
        {
            RunCurves.Write(page, record);
            FiringSection.Write(page, record);
        }

        if (inspection is not null)
        {
            Potentials(page, inspection);
            ConfusionSection.Write(page, run.ClassNames, inspection);
            PictureSections.Mistakes(page, run.ClassNames, inspection);
            PictureSections.Spikes(page, run.ClassNames, inspection);
            CostSection.Write(page, run, inspection);
        }
        else if (last is not null)
        {
            page.Add($"<section><h2>Inside the network</h2><p class=\"none\">No epoch was looked at so far: potentials, confusion, ");
            page.Add($"mistakes ");
            page.Add($"and costs follow after one.</p></section>");
        }

        RunSection.Memory(page, record);
        RunSection.Describe(page, record);
        page.Add($"</main>");
        PageFrame.End(page);
        return page.ToString();
    }

    private static string State(RunRecord record) => record.End?.State ?? "running";

    private static Markup Since(RunRecord record)
    {
        DateTimeOffset time = record.End?.Time ?? (record.Epochs.Count > 0 ? record.Epochs[^1].Time : record.Begin.Time);
        string stamp = time.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        HtmlBuilder text = new();
        if (record.End is null)
        {
            double epoch = record.Epochs.Count > 0 ? record.Epochs[^1].TotalSeconds : 0;
            text.Add($"since {Figures.Time(record.Begin.Time)}; last news <time datetime=\"{stamp}\" ");
            text.Add($"data-patience=\"{Math.Max(600, 5 * epoch):0}\">{Figures.Time(time)}</time>");
        }
        else
        {
            text.Add($"<time datetime=\"{stamp}\">{Figures.Time(time)}</time>");
        }

        return new Markup(text.ToString());
    }

    private static void Heading(HtmlBuilder page, RunRecord record, EpochRecord? last)
    {
        if (last is null)
        {
            string state = record.End is null ? "the first is on its way" : "none was finished";
            PageFrame.KeyFigures(page, [("epochs", $"0 of {record.Begin.Epochs}", state)]);
            return;
        }

        double seconds = record.Epochs.Sum(e => e.TotalSeconds);
        int left = record.Begin.Epochs - last.Epoch - 1;
        double each = record.Epochs.TakeLast(5).Average(e => e.TotalSeconds);
        int best = record.Epochs.MaxBy(e => double.IsNaN(e.TestAccuracy) ? -1 : e.TestAccuracy)!.Epoch;
        PageFrame.KeyFigures(
            page,
            [
                ("best test accuracy", Figures.Percent(last.MaxTestAccuracy, "0.00"), string.Create(
                    CultureInfo.InvariantCulture, $"epoch {best}")),
                ("last test accuracy", Figures.Percent(last.TestAccuracy, "0.00"), $"train {Figures.Percent(last.TrainAccuracy, "0.00")}"),
                ("epochs", $"{last.Epoch + 1} of {record.Begin.Epochs}", $"{Figures.Duration(each)} each"),
                ("time", Figures.Duration(seconds), record.End is null && left > 0 ? $"about {Figures.Duration(each * left)} left"
                    : "training and tests"),
                ("samples a second", Figures.Short(last.ImagesPerSecond), "in training"),
                ("device memory", Figures.Bytes(last.PeakDeviceBytes), record.Begin.Device),
            ]);
    }

    private static void Potentials(HtmlBuilder page, RunInspection seen)
    {
        LayerInspection[] layers = [.. seen.Layers.Where(l => l.Neurons > 0 && l.Counts.Count > 0 && double.IsFinite(l.To - l.From))];
        if (layers.Length == 0)
        {
            return;
        }

        page.Add($"<section id=\"potentials\"><h2>Membrane potentials</h2><p>How often each value of u, the potential before ");
        page.Add($"firing, came up ");
        page.Add($"in {seen.Samples} test samples after epoch {seen.Epoch}. The line is v_th: what lies right of it (orange) ");
        page.Add($"fires. All left ");
        page.Add($"of it is a silent layer; a hump far from the line gets no gradient, since the surrogate is 0 there.</p>");
        page.Add($"<div class=\"plots tiny\">");
        foreach (LayerInspection layer in layers)
        {
            PotentialPlot.Write(page, layer);
        }

        page.Add($"</div></section>");
    }
}
