namespace SlttEngine.Reports;

/// <summary>Memory, and what it takes to do the run a second time.</summary>
internal static class RunSection
{
    /// <summary>Adds memory by kind.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="record">The run.</param>
    internal static void Memory(HtmlBuilder page, RunRecord record)
    {
        (string Kind, long Bytes)[] kinds = [
            .. record.Begin.Memory.Where(m => m.Value > 0).OrderByDescending(m => m.Value).Select(m => (m.Key, m.Value))];
        if (kinds.Length == 0)
        {
            return;
        }

        long all = kinds.Sum(k => k.Bytes);
        string growth = record.Begin.Method.Contains("bptt", StringComparison.OrdinalIgnoreCase)
            ? "BPTT keeps what backward needs of every time step, so the saved activations grow with T."
            : "It does not grow with the number of time steps: what backward needs of a step is gone when the step ends.";
        page.Add($"<section id=\"memory\"><h2>Device memory</h2><p>Planned before the run, by what it holds. {growth}</p>");
        PageFrame.BeginTable(page, "Device memory", "bars", ["kind", "#size", "#share", string.Empty]);
        foreach ((string kind, long bytes) in kinds)
        {
            page.Add($"<tr><th scope=\"row\">{kind}</th><td class=\"n\">{Figures.Bytes(bytes)}</td>");
            page.Add($"<td class=\"n\">{Figures.Percent(bytes / (double)all)}</td>");
            page.Add($"<td class=\"bar\"><span style=\"width:{100.0 * bytes / kinds[0].Bytes:0.0}%\"></span></td></tr>");
        }

        page.Add($"</tbody><tfoot><tr><th scope=\"row\">all</th><td class=\"n\">{Figures.Bytes(all)}</td><td></td><td></td></tr></tfoot>");
        page.Add($"</table></div></section>");
    }

    /// <summary>Adds command, device, versions, options, data.</summary>
    /// <param name="page">Receives them.</param>
    /// <param name="record">The run.</param>
    internal static void Describe(HtmlBuilder page, RunRecord record)
    {
        RunBegin run = record.Begin;
        page.Add($"<section id=\"run\"><h2>This run</h2><p>What it takes to do it a second time, or to say what was done.</p>");
        if (run.Command is { } command)
        {
            page.Add($"<pre tabindex=\"0\" aria-label=\"Command\">{Figures.WithoutFolders(command)}</pre>");
        }

        page.Add($"<dl>");
        Item("program", run.Program);
        Item("began", Figures.Time(run.Time) + (run.FirstEpoch > 0 ? $", going on with epoch {run.FirstEpoch}" : string.Empty));
        Item("device", run.Device);
        Item("model", $"{run.Model}, {Figures.Count(run.Parameters)} parameters");
        Item("method", $"{run.Method}, T = {run.Steps}, batches of {run.BatchSize}, {run.Type}");
        Item("data", $"{run.DataSet ?? "own data"}: {run.TrainSamples:#,##0} training and {run.TestSamples:#,##0} test samples, "
            + $"{run.ClassNames.Count} classes");
        if (record.Epochs.Count > 0 && record.Epochs[^1].SkippedSteps > 0)
        {
            Item("skipped", $"{record.Epochs[^1].SkippedSteps} updates whose loss scale overflowed");
        }

        double looking = record.Epochs.Sum(e => e.ReportSeconds), all = record.Epochs.Sum(e => e.TotalSeconds);
        if (looking > 0 && all > 0)
        {
            Item("this page", $"looking at the network and writing it took {Figures.Percent(looking / all, "0.00")} of the epochs' time");
        }

        page.Add($"</dl>");
        Details("Versions", run.Versions);
        Details("Options", run.Options);
        page.Add($"</section>");

        void Item(string name, string value) => page.Add($"<dt>{name}</dt><dd>{value}</dd>");

        void Details(string title, IReadOnlyDictionary<string, string> values)
        {
            if (values.Count == 0)
            {
                return;
            }

            page.Add($"<details id=\"{title.ToLowerInvariant()}\"><summary>{title}</summary><dl class=\"many\">");
            foreach ((string name, string value) in values)
            {
                Item(name, Figures.WithoutFolders(value));
            }

            page.Add($"</dl></details>");
        }
    }
}
