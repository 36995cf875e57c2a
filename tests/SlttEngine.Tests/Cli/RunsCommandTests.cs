using System.Text.Json;
using SlttEngine.Cli;
using SlttEngine.Cli.Commands;
using SlttEngine.Cli.Options;
using SlttEngine.IO;
using SlttEngine.Reports;
using SlttEngine.Tests.Reports;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

/// <summary>sltt runs and sltt compare-runs, on folders as runs leave them.</summary>
public sealed class RunsCommandTests
{
    private string root = null!;

    [SetUp]
    public void MakeFolder() => root = Directory.CreateTempSubdirectory("sltt-runs-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(root, recursive: true);

    [Test]
    public void Each_run_has_its_state()
    {
        Make("a-done", 0, new RunEnd(SampleRun.Start, RunEnd.Done));
        Make("b-stopped", 1, new RunEnd(SampleRun.Start, RunEnd.Stopped));
        Make("sub/c-failed", 2, new RunEnd(SampleRun.Start, RunEnd.Failed, "conv1.weight is NaN"));
        Make("d-died", 3, null);
        using IDisposable held = RunLock.Acquire(Make("e-running", 4, null), takeover: false);
        Directory.CreateDirectory(Path.Combine(root, "no run"));
        (int code, string output, _) = Sltt("runs", root);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(code, Is.Zero);
        Assert.That(lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(
            ["state", "best", "last", "epochs", "time", "method", "model", "data", "T", "folder"]));
        Assert.That(
            lines.Skip(1).Select(l => l.Split(' ')[0]), Is.EqualTo(["done", "stopped", "failed", "died", "running"]), "latest last");
        Assert.That(lines[1], Does.Contain("3/3").And.Contain("spiking_resnet18").And.Contain("0:03:06").And.EndWith("  a-done"));
        Assert.That(lines[3], Does.EndWith("  sub/c-failed (conv1.weight is NaN)"));
    }

    /// <summary>Runs of earlier versions and official programs have no history; broken folders have a line.</summary>
    [Test]
    public void Folders_without_a_history_are_listed_too()
    {
        string older = Path.Combine(root, "older"), official = Path.Combine(root, "official");
        Directory.CreateDirectory(older);
        Directory.CreateDirectory(official);
        TrainOptions options = new() { Epochs = 7, T = 3, Model = "spiking_resnet34" };
        File.WriteAllText(Path.Combine(older, "args.txt"), options.ToArgsText());
        Dictionary<string, string> metadata = new() { ["epoch"] = "6", ["max_test_acc"] = "0.875" };
        new CheckpointFile([NamedTensor.Float32("net.a", [1], [1f])], metadata)
            .WriteSafeTensors(Path.Combine(older, TrainingRun.BestCheckpoint));
        File.WriteAllText(Path.Combine(official, "args.txt"), "Namespace(T=4, b=8)");
        Broken("broken-history", RunHistory.FileName, "{\"type\":\"epoch\"\n");
        Broken("broken-args", "args.txt", "what is this?");
        Broken("broken-checkpoint", TrainingRun.LatestCheckpoint, "nothing");
        Broken("empty-history", RunHistory.FileName, string.Empty);
        (int code, string output, string error) = Sltt("runs", root, "--json");
        Assert.That((code, error), Is.EqualTo((0, string.Empty)));
        Dictionary<string, JsonElement> runs = JsonDocument.Parse(output).RootElement.EnumerateArray()
            .ToDictionary(r => Path.GetFileName(r.GetProperty("folder").GetString())!);
        Assert.That(runs["older"].GetProperty("state").GetString(), Is.EqualTo("done"));
        Assert.That(runs["older"].GetProperty("best_accuracy").GetDouble(), Is.EqualTo(0.875));
        Assert.That(runs["older"].GetProperty("model").GetString(), Is.EqualTo("spiking_resnet34"));
        Assert.That(runs["official"].GetProperty("steps").GetInt32(), Is.EqualTo(4));
        foreach (string name in new[] { "broken-history", "broken-args", "broken-checkpoint" })
        {
            Assert.That(runs[name].GetProperty("state").GetString(), Is.EqualTo("unreadable"), name);
            Assert.That(runs[name].GetProperty("message").GetString(), Does.Contain(name).And.Not.Contain("\n"));
        }

        Assert.That(runs, Does.ContainKey("empty-history"));
        Assert.That(Sltt("runs", root).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1 + runs.Count));
    }

    [TestCase(40)]
    [TestCase(60)]
    [TestCase(80)]
    [TestCase(120)]
    [TestCase(200)]
    public void A_table_fits_the_terminal(int width)
    {
        TrainOptions options = new() { Name = "a name of some length" };
        RunSummary[] runs = [
            RunSummary.Read(Make(Path.GetFileName(options.RunFolder), 0, null)), RunSummary.Read(Make("short", 1, null))];
        string[] lines = [.. RunsCommand.Lines(runs, root, width)];
        Assert.That(lines.Select(l => l.Length), Is.All.LessThanOrEqualTo(width));
        Assert.That(lines[0], Does.StartWith("state").And.Contain("best").And.EndWith("folder"));
        Assert.That(lines[0].Contains("method", StringComparison.Ordinal), Is.EqualTo(width >= 80));
        Assert.That(lines[2], Does.EndWith("short"));
    }

    [Test]
    public void A_folder_without_runs_says_so()
    {
        Assert.That(Sltt("runs", root), Is.EqualTo((0, $"no run below {root}{Environment.NewLine}", string.Empty)));
        (int code, _, string error) = Sltt("runs", Path.Combine(root, "none"));
        Assert.That((code, error), Is.EqualTo((4, error)));
        Assert.That(error, Does.Contain("no such folder"));
    }

    [Test]
    public void Runs_are_compared_on_a_page()
    {
        string one = Make("one", 0, new RunEnd(SampleRun.Start, RunEnd.Done)), two = Make("two", 1, null);
        string page = Path.Combine(root, "both.html");
        Assert.That(Sltt("compare-runs", one, Path.Combine(two, RunHistory.FileName), "-o", page), Is.EqualTo(
            (0, page + Environment.NewLine, string.Empty)));
        Assert.That(File.ReadAllText(page), Does.Contain("<td>done</td><td>one</td>").And.Contain("<td>died</td><td>two</td>"));
        Assert.That(File.ReadAllText(page), Does.Not.Contain(root), "no absolute path");
    }

    [Test]
    public void What_cannot_be_compared_is_named()
    {
        string one = Make("one", 0, null), empty = Path.Combine(root, "empty");
        Directory.CreateDirectory(empty);
        Broken("broken", RunHistory.FileName, "x\n");
        Assert.That(Sltt("compare-runs", one), Is.EqualTo((2, string.Empty, Error(
            "compare-runs takes at least two runs", "sltt compare-runs RUN RUN…: run folders, which sltt runs lists"))));
        foreach (string bad in new[] { empty, Path.Combine(root, "none"), Path.Combine(root, "broken") })
        {
            (int code, string output, string error) = Sltt("compare-runs", one, bad);
            Assert.That((code, output), Is.EqualTo((4, string.Empty)), bad);
            Assert.That(error, Does.StartWith($"sltt: {bad}").And.Not.Contain("   at "));
        }
    }

    private static string Error(string message, string hint) => $"sltt: {message}{Environment.NewLine}      {hint}{Environment.NewLine}";

    private static (int Code, string Output, string Error) Sltt(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int code = CommandLine.Run(arguments, CliContext.Plain(output, error, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }

    private string Make(string name, int minutes, RunEnd? end)
    {
        string folder = Path.Combine(root, name);
        Directory.CreateDirectory(folder);
        RunRecord run = SampleRun.Record(3, 2);
        RunHistory.Start(folder, run.Begin with { Time = run.Begin.Time.AddMinutes(minutes) }, resumed: null);
        foreach (EpochRecord epoch in run.Epochs)
        {
            RunHistory.Append(folder, epoch);
        }

        if (end is not null)
        {
            RunHistory.Append(folder, end);
        }

        return folder;
    }

    private void Broken(string name, string file, string text)
    {
        Directory.CreateDirectory(Path.Combine(root, name));
        File.WriteAllText(Path.Combine(root, name, file), text);
    }
}
