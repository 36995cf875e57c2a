using System.Text.Json;
using SlttEngine.Reports;

namespace SlttEngine.Tests.Cli;

/// <summary>What runs of the command keep of themselves.</summary>
public sealed class HistoryProcessTests
{
    private SmallCifar data = null!;

    [SetUp]
    public void MakeData() => data = new SmallCifar();

    [TearDown]
    public void RemoveData() => data.Dispose();

    [Test]
    public void AResumedRunGoesOnWithItsHistoryAndNamesNoFolder()
    {
        SlttProcess.Result first = SlttProcess.Run(data.Train("-epochs", "1", "--no-report", "-name", "a b"));
        Assert.That(first.ExitCode, Is.Zero, first.Error);
        string folder = Directory.GetDirectories(data.OutDir).Single();
        Assert.That(File.Exists(Path.Combine(folder, "report.html")), Is.False);
        string latest = Path.Combine(folder, "checkpoint_latest.safetensors");
        SlttProcess.Result second = SlttProcess.Run(
            data.Train("-epochs", "2", "-name", "a b", "--resume=" + latest, "--no-images"));
        Assert.That(second.ExitCode, Is.Zero, second.Error);
        string other = Directory.GetDirectories(data.OutDir).Single(d => d != folder); // -epochs is part of its name
        string text = File.ReadAllText(Path.Combine(other, RunHistory.FileName));
        Assert.That(text, Does.Not.Contain(data.Folder).And.Not.Contain(Path.GetTempPath()));
        string page = File.ReadAllText(Path.Combine(other, "report.html"));
        Assert.That(page, Does.Not.Contain(data.Folder));
        string mistakes = page[page.IndexOf("id=\"mistakes\"", StringComparison.Ordinal)..];
        Assert.That(mistakes[..mistakes.IndexOf("</section>", StringComparison.Ordinal)], Does.Not.Contain("<img"));

        RunRecord record = RunHistory.Read(other)!;
        Assert.That(record.Epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 0, 1 }), "the earlier folder's epoch too");
        Assert.That(record.End!.State, Is.EqualTo(RunEnd.Done));
        Assert.That(record.Begin.FirstEpoch, Is.EqualTo(1));
        Assert.That(record.Begin.Command, Does.StartWith("sltt train -data_dir " + Path.GetFileName(data.Folder) + " -out_dir logs "));
        Assert.That(record.Begin.Command, Does.Contain("'a b'").And.Contain("--resume=checkpoint_latest.safetensors --no-images"));
        Assert.That(record.Begin.Options["data_dir"], Is.EqualTo(Path.GetFileName(data.Folder)));
        Assert.That(record.Begin.Options["resume"], Is.EqualTo("checkpoint_latest.safetensors"));
        Assert.That((record.Begin.Options["T"], record.Begin.Options["no_images"]), Is.EqualTo(("1", "True")));
        Assert.That(record.Epochs.Select(e => e.Layers.Count > 0), Is.EqualTo(new[] { false, true }), "the first had no report");
        string[] types = [.. File.ReadAllLines(Path.Combine(other, RunHistory.FileName)).Select(
            l => JsonDocument.Parse(l).RootElement.GetProperty("type").GetString()!)];
        Assert.That(types, Is.EqualTo(new[] { "begin", "epoch", "end", "begin", "epoch", "end" }));
    }
}
