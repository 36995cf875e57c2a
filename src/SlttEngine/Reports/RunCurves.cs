namespace SlttEngine.Reports;

/// <summary>The curves of a run, or of several over each other.</summary>
internal static class RunCurves
{
    private const int Train = 0;
    private const int Test = 1;

    /// <summary>Adds a run's curves.</summary>
    /// <param name="page">Receives them.</param>
    /// <param name="record">The run.</param>
    internal static void Write(HtmlBuilder page, RunRecord record)
    {
        page.Add($"<section id=\"curves\"><h2>Curves</h2><p>An epoch is one pass over the training samples; the test follows it. ");
        page.Add($"Train and ");
        page.Add($"test that part mean overfitting; a test accuracy that stays near chance while training's rises means running ");
        page.Add($"statistics ");
        page.Add($"of batch norm that don't fit.</p><div class=\"plots\">");
        Curve Of(string name, Func<EpochRecord, double> value, int style) =>
            new(name, [.. record.Epochs.Select(e => (e.Epoch, value(e)))], style);

        CurvePlot[] plots =
        [
            new("Loss", [Of("train", e => e.TrainLoss, Train), Of("test", e => e.TestLoss, Test)]) { Hint = "Lower is better." },
            new("Accuracy", [Of("train", e => 100 * e.TrainAccuracy, Train), Of("test", e => 100 * e.TestAccuracy, Test)])
            {
                Unit = "\u00a0%",
                Hint = $"Chance is {Figures.Percent(1.0 / Math.Max(1, record.Begin.ClassNames.Count), "0.#")}.",
            },
            new("Learning rate", [Of("learning rate", e => e.LearningRate, Test)])
            {
                FromZero = true,
                Hint = "As the schedule has it; loss often falls where it does.",
            },
            new("Training samples a second", [Of("samples/s", e => e.ImagesPerSecond, Test)])
            {
                FromZero = true,
                Hint = "Even is healthy; the first epoch may be slower.",
            },
            new("Waiting for data", [Of("share", e => 100 * e.DataSeconds / Math.Max(1e-9, e.TrainSeconds), Test)])
            {
                FromZero = true,
                Unit = "\u00a0%",
                Hint = "Of the training pass. Near 0: the device is the limit; high: more loader threads help.",
            },
        ];
        foreach (CurvePlot plot in plots)
        {
            plot.Write(page);
        }

        Curve firing = FiringSection.Mean(record, "firing rate", Test);
        if (firing.Points.Count > 0)
        {
            new CurvePlot("Mean firing rate", [firing])
            {
                FromZero = true,
                Hint = "Mean of the layers: spikes for each neuron and step. Fewer spikes cost less.",
            }.Write(page);
        }

        page.Add($"</div></section>");
    }
}
