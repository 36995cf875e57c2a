using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SlttEngine.IO;

namespace SlttEngine.Tests.Cli;

/// <summary>Whole runs of the command: what they write, how they are stopped, and what they say to bad input.</summary>
public sealed partial class TrainProcessTests
{
    private const int Interrupted = 130;

    private SmallCifar data = null!;

    [SetUp]
    public void MakeData() => data = new SmallCifar();

    [TearDown]
    public void RemoveData() => data.Dispose();

    [Test]
    public void ARunWritesTheOfficialFolder()
    {
        SlttProcess.Result run = SlttProcess.Run(data.Train("-epochs", "2", "-save_init"));
        Assert.That(SmallCifar.WithoutWarnings(run.Error), Is.Empty);
        Assert.That(run.ExitCode, Is.Zero);
        string[] lines = Lines(run.Output);
        Assert.That(lines[0], Is.EqualTo("device: CPU (as asked)"));
        Assert.That(lines.Where(l => l.StartsWith("epoch=", StringComparison.Ordinal)).Count(), Is.EqualTo(2));
        Assert.That(
            lines[^1], Does.Match(
            @"^epoch=1, train_loss=[\d.]+, train_acc=[\d.]+, test_loss=[\d.]+, test_acc=[\d.]+, max_test_acc=[\d.]+, total_time="));

        string folder = Path.Combine(
            data.OutDir,
            "SLTT_cifar10_spiking_resnet18__T1_tau1.1_e2_bs8_SGD_lr0.1_wd0_SG_triangle_drop0.0_losslamb0.05_CosALR_300_width32");
        Assert.That(Directory.GetDirectories(data.OutDir), Is.EqualTo(new[] { folder }));
        Assert.That(File.ReadAllText(Path.Combine(folder, "args.txt")), Does.StartWith("Namespace(seed=2022, name='', T=1, "));
        Assert.That(File.Exists(Path.Combine(folder, "checkpoint_0.safetensors")));
        Assert.That(File.Exists(Path.Combine(folder, "checkpoint_latest.safetensors")));
        Assert.That(Directory.GetFiles(Path.Combine(folder, "logs"), "events.out.tfevents.*"), Has.Length.EqualTo(1));

        string[] epochs = File.ReadAllLines(Path.Combine(folder, "convolutions.jsonl"));
        Assert.That(epochs, Has.Length.EqualTo(2));
        for (int epoch = 0; epoch < 2; epoch++)
        {
            JsonElement line = JsonDocument.Parse(epochs[epoch]).RootElement;
            Assert.That(line.GetProperty("epoch").GetInt32(), Is.EqualTo(epoch));
            JsonElement[] convolutions = [.. line.GetProperty("convolutions").EnumerateArray()];
            Assert.That(convolutions.Count(c => c.GetProperty("pass").GetString() == "backward filter"), Is.GreaterThan(1));
            Assert.That(
                convolutions.Select(c => c.GetProperty("event").GetInt32() + c.GetProperty("dense").GetInt32()), Is.All.GreaterThan(0));
        }
    }

    [Test]
    public void FromArgsRunsTheSameAgain()
    {
        SlttProcess.Result first = SlttProcess.Run(data.Train("-epochs", "1", "-seed", "5"));
        string folder = Directory.GetDirectories(data.OutDir).Single(), ways = Path.Combine(
            folder, "convolutions.jsonl"), before = File.ReadAllText(ways);
        SlttProcess.Result second = SlttProcess.Run("train", "--from", Path.Combine(folder, "args.txt"));
        Assert.That(second.ExitCode, Is.Zero, second.Error);
        Assert.That(
            second.Error, Does.StartWith("warning: ").And.Contain("already exists").And.Contain(
            $"-resume {Path.Combine(folder, "checkpoint_latest.safetensors")} would go on"));
        Assert.That(Losses(second.Output), Is.EqualTo(Losses(first.Output)).And.Length.EqualTo(1));
        Assert.That(File.ReadAllText(ways), Is.EqualTo(before));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public void CtrlCSavesAndSaysHowToGoOn()
    {
        using Process process = Process.Start(SlttProcess.StartInfo(data.Train("-epochs", "5000")))!;
        ReadUntil(process, "epoch=1,");
        Signal(process, InterruptIsIgnored() ? "TERM" : "INT");
        string rest = process.StandardOutput.ReadToEnd();
        Assert.That(process.WaitForExit(60_000), Is.True);
        Assert.That(process.ExitCode, Is.EqualTo(Interrupted));
        Assert.That(process.StandardError.ReadToEnd(), Does.Contain("\nstopping after this iteration"));
        Match resume = ResumeHint().Match(rest);
        Assert.That(resume.Success, Is.True, rest);
        int done = 2 + rest.Split('\n').Count(l => l.StartsWith("epoch=", StringComparison.Ordinal));

        SlttProcess.Result second = SlttProcess.Run(
            data.Train("-epochs", (done + 1).ToString(CultureInfo.InvariantCulture), "-resume", resume.Groups[1].Value));
        Assert.That(second.ExitCode, Is.Zero, second.Error);
        Assert.That(Lines(second.Output)[^1], Does.StartWith($"epoch={done},"));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public void AKilledRunGoesOnFromItsLastCheckpoint()
    {
        // Wherever the kill falls, in a write too, the checkpoint under its name is a whole one.
        for (int wait = 0; wait < 60; wait += 20)
        {
            using Process process = Process.Start(SlttProcess.StartInfo(data.Train("-epochs", "5000")))!;
            ReadUntil(process, "epoch=0,");
            Thread.Sleep(wait);
            process.Kill();
            process.WaitForExit();
            string checkpoint = Path.Combine(Directory.GetDirectories(data.OutDir).Single(), "checkpoint_latest.safetensors");
            string finished = (int.Parse(CheckpointFile.Read(checkpoint).Metadata["epoch"], CultureInfo.InvariantCulture) + 1)
                .ToString(CultureInfo.InvariantCulture);
            SlttProcess.Result again = SlttProcess.Run(data.Train("-epochs", finished, "-resume", checkpoint));
            Assert.That(again.ExitCode, Is.Zero, again.Error);
            Assert.That(
                again.Error,
                Does.Match($@"^warning: \S+ has finished {finished} of {finished} epochs: .* a larger -epochs goes on\s*$"),
                $"killed {wait} ms after the first epoch");
            Directory.Delete(data.OutDir, recursive: true);
        }
    }

    private static IEnumerable<TestCaseData> BadInput()
    {
        static TestCaseData Case(string name, int exitCode, string message, params string[] arguments) =>
            new TestCaseData(exitCode, message, arguments).SetArgDisplayNames(name);

        yield return Case("no steps", 2, "-T 0: must be at least 1 time step", "-T", "0");
        yield return Case("batch larger than the data", 2, "-b 41 is more than the 40 training samples", "-b", "41");
        yield return Case(
            "unknown model", 2, "unknown model 'spiking_resnet19'; did you mean 'spiking_resnet18'?", "-model", "spiking_resnet19");
        yield return Case("unknown data set", 2, "unknown data set 'cifra10'; did you mean 'cifar10'?", "-dataset", "cifra10");
        yield return Case("unknown surrogate", 2, "unknown surrogate 'triangel'; did you mean 'triangle'?", "-surrogate", "triangel");
        yield return Case("unknown option", 2, "unknown option '-epoch'; did you mean '-epochs'?", "-epoch", "3");
        yield return Case("divisor too large", 2, "-width_divisor 3", "-width_divisor", "3");
        yield return Case("missing folder", 4, "nowhere", "-data_dir", "nowhere");
        yield return Case("other data set", 4, "cifar-100", "-dataset", "cifar100");
        yield return Case("missing checkpoint", 4, "nowhere.safetensors", "-resume", "nowhere.safetensors");
        yield return Case(
            "more steps than an array holds", 2, "-T 100000 -b 1: too large", "-dataset", "DVSCIFAR10", "-T", "100000", "-b", "1");
        yield return Case(
            "a batch larger than an array", 2, "-T 20000 -b 4: too large", "-dataset", "dvsgesture", "-T", "20000", "-b", "4");
        yield return Case("two starts", 2, "-resume a.safetensors and -pre_train b.pth", "-resume", "a.safetensors", "-pre_train", "b.pth");
        yield return Case("no such action", 2, "unknown action on NaN 'wran'; did you mean 'warn'?", "--on-nan", "wran");
        yield return Case("a learning rate beyond all measure", 2, "no checkpoint was saved before", "-lr", "1e38");
        yield return Case("missing start", 4, "nowhere.pth", "-pre_train", "nowhere.pth");
    }

    [TestCaseSource(nameof(BadInput))]
    public void BadInputIsOneLine(int exitCode, string message, string[] arguments) =>
        AssertRefused(SlttProcess.Run(data.Train(["-epochs", "1", .. arguments])), exitCode, message);

    [Test]
    public void ADivergedRunGoesOnIfAsked()
    {
        SlttProcess.Result run = SlttProcess.Run(data.Train("-epochs", "2", "-lr", "1e38", "--on-nan", "warn"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        string[] warnings = Lines(SmallCifar.WithoutWarnings(run.Error));
        Assert.That(warnings, Has.Length.EqualTo(1).And.All.Match("^warning: epoch 0, iteration [12] of 5: .* in "));
        Assert.That(Lines(run.Output)[^1], Does.StartWith("epoch=1, train_loss=NaN, "));
    }

    [Test]
    public void ATruncatedDataFileIsNamed()
    {
        string file = Path.Combine(data.Batches, "data_batch_3.bin");
        using (FileStream stream = File.OpenWrite(file))
        {
            stream.SetLength(stream.Length - 1);
        }

        AssertRefused(SlttProcess.Run(data.Train("-epochs", "1")), 4, file);
    }

    [Test]
    public void AFileThatIsNoCheckpointIsNamed()
    {
        string file = Path.Combine(data.Folder, "noise.safetensors");
        File.WriteAllBytes(file, [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 37))]);
        AssertRefused(SlttProcess.Run(data.Train("-epochs", "1", "-resume", file)), 4, file);
    }

    [Test]
    public void ACheckpointOfAnotherWidthIsRefused()
    {
        Assert.That(SlttProcess.Run(data.Train("-epochs", "1")).ExitCode, Is.Zero);
        string checkpoint = Path.Combine(Directory.GetDirectories(data.OutDir).Single(), "checkpoint_latest.safetensors");
        AssertRefused(SlttProcess.Run(data.Train("-epochs", "2", "-width_divisor", "16", "-resume", checkpoint)), 4, checkpoint);
        AssertRefused(SlttProcess.Run(data.Train("-epochs", "2", "-model", "spiking_resnet34", "-pre_train", checkpoint)), 4, checkpoint);
    }

    [Test]
    public void AnOutDirThatCannotBeIsNamed()
    {
        string file = Path.Combine(data.Folder, "file");
        File.WriteAllText(file, string.Empty);
        AssertRefused(SlttProcess.Run(data.Train("-epochs", "1", "-out_dir", file)), 4, file);
    }

    [Test]
    [Platform("Linux")]
    public void AFullDiskIsADataError()
    {
        // The device that is always full stands in for the run folder's first file.
        string[] arguments = data.Train("-epochs", "1");
        Assert.That(SlttProcess.Run(arguments).ExitCode, Is.Zero);
        string args = Path.Combine(Directory.GetDirectories(data.OutDir).Single(), "args.txt");
        string before = File.ReadAllText(args);
        File.CreateSymbolicLink(AtomicFile.TemporaryPath(args), "/dev/full");
        AssertRefused(SlttProcess.Run([.. arguments, "-j", "1"]), 4, "No space left on device");
        Assert.That(File.ReadAllText(args), Is.EqualTo(before), "whole, as it was");
    }

    private static void AssertRefused(SlttProcess.Result run, int exitCode, string message)
    {
        Assert.That(run.ExitCode, Is.EqualTo(exitCode), run.Error);
        string[] lines = Lines(run.Error);
        Assert.That(lines.Last(l => l.StartsWith("sltt: ", StringComparison.Ordinal)), Does.Contain(message));
        Assert.That(run.Error, Does.Not.Contain("   at "));
        Assert.That(lines.Count(l => !l.StartsWith("warning: ", StringComparison.Ordinal)), Is.LessThanOrEqualTo(2));
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string[] Losses(string output) =>
        [.. Lines(output).Where(l => l.StartsWith("epoch=", StringComparison.Ordinal)).Select(
        l => l[..l.IndexOf(", total_time", StringComparison.Ordinal)])];

    private static void ReadUntil(Process process, string start)
    {
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"the run ended before '{start}': {process.StandardError.ReadToEnd()}");
    }

    /// <summary>
    /// Whether this process, and so its children, ignore SIGINT: a shell starts its background jobs so. SIGTERM takes the same way then.
    /// </summary>
    private static bool InterruptIsIgnored()
    {
        string? ignored = File.Exists("/proc/self/status")
            ? File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("SigIgn:", StringComparison.Ordinal)) : null;
        return ignored is not null && (Convert.ToUInt64(ignored[7..].Trim(), 16) & 2) != 0;
    }

    private static void Signal(Process process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    [GeneratedRegex(@"^sltt train --from \S+ -resume (\S+)", RegexOptions.Multiline)]
    private static partial Regex ResumeHint();
}
