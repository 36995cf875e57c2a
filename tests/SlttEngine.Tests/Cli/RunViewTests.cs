using System.Text.Json;

namespace SlttEngine.Tests.Cli;

/// <summary>How a run is shown to scripts: --quiet and --json-lines.</summary>
public sealed class RunViewTests
{
    [Test]
    public void JsonLinesAreOneObjectALineFromStartToDone()
    {
        using SmallCifar data = new();
        SlttProcess.Result run = SlttProcess.Run(data.Train("-epochs", "2", "-T_max", "1", "--json-lines"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Is.Empty, "warnings are events too");
        JsonElement[] events = [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(
            line => JsonDocument.Parse(line).RootElement)];
        string[] names = [.. events.Select(e => e.GetProperty("event").GetString()!)];
        Assert.Multiple(() =>
        {
            Assert.That(names, Does.Contain("start").And.Contain("warning").And.Contain("checkpoint"));
            Assert.That(names.Count(name => name == "epoch"), Is.EqualTo(2));
            Assert.That(names[^1], Is.EqualTo("done"));
            Assert.That(events.Select(e => DateTimeOffset.Parse(e.GetProperty("time").GetString()!)), Is.Ordered);
        });
        JsonElement start = events.First(e => e.GetProperty("event").GetString() == "start");
        JsonElement epoch = events.Last(e => e.GetProperty("event").GetString() == "epoch");
        Assert.Multiple(() =>
        {
            Assert.That(start.GetProperty("train_samples").GetInt32(), Is.EqualTo(5 * SmallCifar.PerFile));
            Assert.That(Directory.Exists(start.GetProperty("run_folder").GetString()), Is.True);
            Assert.That(epoch.GetProperty("epoch").GetInt32(), Is.EqualTo(1));
            Assert.That(epoch.GetProperty("test_loss").GetDouble(), Is.GreaterThan(0));
        });
    }

    [Test]
    public void QuietSaysWarningsAlone()
    {
        using SmallCifar data = new();
        SlttProcess.Result run = SlttProcess.Run(data.Train("-epochs", "1", "-T_max", "1", "--quiet"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Is.Empty);
        Assert.That(SmallCifar.WithoutWarnings(run.Error), Is.Empty);
    }

    [Test]
    public void QuietAndJsonLinesTogetherAreRefused()
    {
        SlttProcess.Result run = SlttProcess.Run("train", "--quiet", "--json-lines");
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.StartWith("sltt: --quiet and --json-lines are two ways to show a run"));
    }
}
