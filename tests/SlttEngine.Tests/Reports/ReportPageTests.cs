using System.Text.RegularExpressions;
using SlttEngine.Reports;

namespace SlttEngine.Tests.Reports;

/// <summary>The page of a run, as text; ReportBrowserTests look at it in a browser.</summary>
public sealed partial class ReportPageTests
{
    private static readonly RunEnd Done = new(SampleRun.Start.AddHours(3), "done", null);

    [Test]
    public void A_long_run_of_a_deep_network_has_a_small_page()
    {
        string page = ReportPage.Html(SampleRun.Record(200, 40, end: Done), SampleRun.Inspection(199, 40, 10));
        Assert.That(page, Has.Length.LessThan(3_000_000).And.Length.GreaterThan(100_000));
        Assert.That(Regex.Count(page, "class=\"strip\""), Is.EqualTo(40));
        Assert.That(Regex.Count(page, "class=\"vth\""), Is.EqualTo(40), "v_th in each histogram");
        Assert.That(page, Does.Not.Contain("xception"), "OxyPlot draws what went wrong into the plot");
    }

    /// <summary>It opens without a network: nothing is loaded but what is in it.</summary>
    [Test]
    public void All_is_in_the_file()
    {
        string page = ReportPage.Html(SampleRun.Record(3, 5), SampleRun.Inspection(2, 5, 10));
        Assert.That(Reference().Matches(page).Select(m => m.Groups[2].Value), Is.Not.Empty.And.All.StartsWith("data:").Or.StartsWith("#"));
        Assert.That(page, Does.Not.Contain("://").And.Not.Contain("@import").And.Not.Contain("url("));
    }

    [Test]
    public void Text_from_outside_is_text()
    {
        const string evil = "<script>alert('1')</script>\"&";
        string[] names = [evil, .. Enumerable.Range(1, 9).Select(i => $"class {i}")];
        RunRecord run = SampleRun.Record(2, 4, names: names, end: new RunEnd(SampleRun.Start, "failed", evil));
        RunBegin begin = run.Begin with
        {
            Command = evil,
            Device = evil,
            Model = evil,
            DataSet = evil,
            Method = evil,
            Options = new Dictionary<string, string> { [evil] = evil },
            Versions = new Dictionary<string, string> { [evil] = evil },
            Memory = new Dictionary<string, long> { [evil] = 7 },
        };
        EpochRecord[] epochs = [.. run.Epochs.Select(e => e with { Layers = [new LayerFiring(evil, 0.1, 0, 0)] })];
        RunInspection seen = SampleRun.Inspection(1, 4, 10);
        seen = seen with { Layers = [seen.Layers[1] with { Name = evil }] };
        string page = ReportPage.Html(run with { Begin = begin, Epochs = epochs }, seen);
        Assert.That(Regex.Count(page, "<script"), Is.EqualTo(1), "the page's own");
        Assert.That(page, Does.Contain("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"));
        Assert.That(page, Does.Not.Contain("alert('1')"));
    }

    [Test]
    public void A_page_reloads_itself_as_long_as_the_run_goes_on()
    {
        string running = ReportPage.Html(SampleRun.Record(2, 4), null), done = ReportPage.Html(SampleRun.Record(2, 4, end: Done), null);
        Assert.That(running, Does.Contain("http-equiv=\"refresh\"").And.Contain("data-reload=").And.Contain("<b>running</b>"));
        Assert.That(done, Does.Not.Contain("http-equiv=\"refresh\"").And.Not.Contain("data-reload=").And.Contain("<b>done</b>"));
    }

    [TestCase("can't write /srv/runs/a b/checkpoint.safetensors: disk full", "can't write …/a b/checkpoint.safetensors: disk full")]
    [TestCase("sltt train -data_dir=/srv/x/data -out_dir '/srv/my logs'", "sltt train -data_dir=…/data -out_dir '…/my logs'")]
    [TestCase(@"D:\a\x\y.txt is missing", "…/y.txt is missing")]
    [TestCase("./logs/a and images/s, 1/2, -lr 0.1", "./logs/a and images/s, 1/2, -lr 0.1")]
    public void Absolute_paths_are_cut(string text, string expected) => Assert.That(Figures.WithoutFolders(text), Is.EqualTo(expected));

    [Test]
    public void A_message_has_no_absolute_path()
    {
        RunEnd end = new(SampleRun.Start, "failed", "/srv/x/events.bin: can't be read");
        Assert.That(ReportPage.Html(SampleRun.Record(1, 4, end: end), null), Does.Contain("…/events.bin: can&#39;t be read"));
    }

    [Test]
    public void Silent_and_saturated_layers_are_named_in_words()
    {
        LayerFiring[] layers = [new("a", 0, 1, 0), new("b", 1, 0, 1), new("c", 0.1, 0.6, 0), new("d", 0.2, 0.01, 0)];
        RunRecord run = SampleRun.Record(2, 4);
        string page = ReportPage.Html(run with { Epochs = [.. run.Epochs.Select(e => e with { Layers = layers })] }, null);
        IEnumerable<string> marks = Regex.Matches(page, "▲ ([a-z ]+)").Select(m => m.Groups[1].Value);
        Assert.That(marks, Is.EqualTo(["silent", "saturated", "mostly silent"]));
    }

    [TestCase(10, "<table class=\"matrix\">", "<img class=\"matrix\"")]
    [TestCase(100, "<img class=\"matrix\"", "<table class=\"matrix\">")]
    [TestCase(200, "Confused the most often", "class=\"matrix\"")]
    public void A_confusion_matrix_fits_its_classes(int classes, string expected, string other)
    {
        string page = ReportPage.Html(SampleRun.Record(2, 4, classes), SampleRun.Inspection(1, 4, classes));
        Assert.That(page, Does.Contain(expected).And.Not.Contain(other));
    }

    /// <summary>An estimate of energy stands beside its constants, and follows from them.</summary>
    [Test]
    public void Energy_comes_with_its_constants()
    {
        RunInspection seen = SampleRun.Inspection(1, 0, 10) with
        {
            Layers = [new("conv1", 0, 0, 0, 0, [], 0, 0, 1e6), new("sn1", 100, 1, 0, 1, [1], 50, 2e6, 8e6)],
        };
        string page = ReportPage.Html(SampleRun.Record(2, 4), seen);
        Assert.That(page, Does.Contain("6.40 µJ an image, instead of 41.40 µJ in full"), "2·0.9 + 1·4.6; 9·4.6");
        Assert.That(page, Does.Contain("0.9 pJ").And.Contain("4.6 pJ").And.Contain("45 nm").And.Contain("Horowitz").And.Contain("32-bit"));
    }

    [Test]
    public void A_run_without_pictures_says_so()
    {
        string page = ReportPage.Html(SampleRun.Record(2, 4), SampleRun.Inspection(1, 4, 10, pictures: false));
        Assert.That(Regex.Count(page, "--no-images"), Is.EqualTo(2));
        Assert.That(page, Does.Not.Contain("class=\"pixels"));
    }

    /// <summary>No epoch, one epoch, numbers that are not finite, layers that never fired: a page each.</summary>
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void Unusual_runs_have_a_page(int epochs)
    {
        RunRecord run = SampleRun.Record(epochs, 3);
        run = run with
        {
            Epochs = [
                .. run.Epochs.Select(e => e with
                {
                    TrainLoss = double.NaN,
                    TestLoss = double.PositiveInfinity,
                    LearningRate = 0,
                    ImagesPerSecond = 0,
                    Layers = [new LayerFiring("a", 0, 1, 0)],
                })],
        };
        RunInspection seen = SampleRun.Inspection(0, 2, 10) with
        {
            Layers = [new("a", 10, 1, 0, 0, [0, 0], 0, 0, 0), new("b", 10, 1, 2, 3, [5, 5], 0, 0, 0)],
            Confusion = new int[100],
            Mistakes = [],
        };
        string page = ReportPage.Html(run, epochs == 0 ? null : seen);
        Assert.That(page, Does.Not.Contain("xception").And.Not.Contain("∞"));
        Assert.That(page, Does.Contain(epochs == 0 ? "No epoch yet" : "No finite number so far."));
        if (epochs == 0)
        {
            string ended = ReportPage.Html(run with { End = new RunEnd(DateTimeOffset.UnixEpoch, "failed", "x") }, null);
            string running = ReportPage.Html(run with { End = null }, null);
            Assert.That(ended, Does.Contain("none was finished").And.Not.Contain("on its way"));
            Assert.That(running, Does.Contain("the first is on its way").And.Not.Contain("none was finished"));
        }
    }

    /// <summary>A curve of many epochs is thinned to few points, and keeps its peak.</summary>
    [Test]
    public void Thinning_keeps_the_extremes()
    {
        Curve curve = new("x", [.. Enumerable.Range(0, 3000).Select(i => (i, i == 1234 ? 7.25 : 0.5))], 0);
        HtmlBuilder page = new();
        new CurvePlot("Title", [curve]).Write(page);
        Assert.That(page.ToString(), Has.Length.LessThan(12_000).And.Contain("&quot;7.25&quot;").And.Contain("2999"));
    }

    [Test]
    public void A_page_is_written_whole()
    {
        string folder = Directory.CreateTempSubdirectory("sltt-report-").FullName;
        try
        {
            ReportPage.Write(folder, SampleRun.Record(1, 2), null);
            Assert.That(Directory.GetFiles(folder).Select(Path.GetFileName), Is.EqualTo([ReportPage.FileName]));
            string page = File.ReadAllText(Path.Combine(folder, ReportPage.FileName));
            Assert.That(page, Does.StartWith("<!DOCTYPE html>").And.EndWith("</html>\n"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex("(src|href|action|poster)=\"([^\"]{0,12})")]
    private static partial Regex Reference();
}
