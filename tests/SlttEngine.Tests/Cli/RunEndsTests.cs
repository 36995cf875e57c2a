using System.Diagnostics;
using System.Globalization;

namespace SlttEngine.Tests.Cli;

/// <summary>How runs end without the user's Ctrl-C, and who may run in a folder.</summary>
[Platform(Exclude = "Win")]
public sealed class RunEndsTests
{
    private const int Interrupted = 130;

    private SmallCifar data = null!;

    [SetUp]
    public void MakeData() => data = new SmallCifar();

    [TearDown]
    public void RemoveData() => data.Dispose();

    [Test]
    public void ASecondRunInAFolderIsRefused()
    {
        using Process first = Start(data.Train("-epochs", "5000"));
        string folder = WaitForRun();
        SlttProcess.Result second = SlttProcess.Run(data.Train("-epochs", "5000"));
        SlttProcess.Result beside = SlttProcess.Run(data.Train("-epochs", "5000", "-seed", "3", "-epochs", "1"));
        Assert.That(second.ExitCode, Is.EqualTo(4));
        Assert.That(second.Error, Does.Contain($"{folder}: process {first.Id} on ").And.Contain("runs in this folder"));
        Assert.That(second.Error, Does.Contain("-resume").And.Contain("-out_dir"));
        Assert.That(beside.ExitCode, Is.Zero, "another seed has a folder of its own: " + beside.Error);

        SlttProcess.Result taken = SlttProcess.Run(data.Train("-epochs", "5000", "--take-over"));
        Assert.That(taken.ExitCode, Is.EqualTo(4), "a run that lives on this host is never pushed aside");
        Signal(first, "TERM");
        Assert.That(first.WaitForExit(60_000), Is.True);
        Assert.That(first.ExitCode, Is.EqualTo(Interrupted));
    }

    [Test]
    public void AKilledRunsFolderIsFreeAndAnotherHostsIsNot()
    {
        using Process first = Start(data.Train("-epochs", "5000"));
        string folder = WaitForRun();
        first.Kill();
        first.WaitForExit();
        string owner = Path.Combine(folder, "running.json");
        string text = File.ReadAllText(owner);
        SlttProcess.Result resumed = SlttProcess.Run(
            [.. data.Train("-epochs", "5000"), "-resume", Path.Combine(folder, "checkpoint_latest.safetensors"), "-epochs", "1"]);
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);

        File.WriteAllText(owner, text.Replace($"\"{Environment.MachineName}\"", "\"elsewhere\"", StringComparison.Ordinal));
        SlttProcess.Result refused = SlttProcess.Run(data.Train("-epochs", "5000"));
        Assert.That(refused.ExitCode, Is.EqualTo(4));
        Assert.That(refused.Error, Does.Contain("on elsewhere").And.Contain("--take-over"));

        using Process taken = Start(data.Train("-epochs", "5000", "--take-over"));
        Wait(() => File.ReadAllText(owner).Contains($"\"{Environment.MachineName}\"", StringComparison.Ordinal));
        Signal(taken, "TERM");
        Assert.That(taken.WaitForExit(60_000), Is.True);
        Assert.That(File.Exists(owner), Is.False, "an orderly end leaves no owner");
    }

    [Test]
    public void ATerminalThatGoesAwaySavesTheRun()
    {
        // Under nohup the signal is ignored, here and in every child: the run is to go on then.
        string ignored = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal));
        Assume.That(Convert.ToUInt64(ignored[7..].Trim(), 16) & 1, Is.Zero, "SIGHUP is ignored: the tests run under nohup");
        string command = ShellCommand(data.Train("-epochs", "5000"));
        using Process terminal = Process.Start(new ProcessStartInfo("script", ["-qec", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        string folder = WaitForRun();
        DateTime before = File.GetLastWriteTimeUtc(Path.Combine(folder, "checkpoint_latest.safetensors"));
        terminal.Kill(); // The terminal alone, as when a connection breaks.
        Wait(() => !File.Exists(Path.Combine(folder, "running.json")));
        Assert.That(
            File.GetLastWriteTimeUtc(Path.Combine(folder, "checkpoint_latest.safetensors")), Is.GreaterThan(before), "saved at the end");
    }

    [TestCase(40)]
    [TestCase(60)]
    [TestCase(80)]
    public void TooFewFilesAreOneLine(int limit)
    {
        ProcessStartInfo shell = new("sh", ["-c", $"ulimit -n {limit}; exec {ShellCommand(data.Train("-epochs", "1"))}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        SlttProcess.Result run = SlttProcess.Run(shell);
        Assert.That(run.ExitCode, Is.EqualTo(3), run.Error);
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(2));
        Assert.That(run.Error, Does.StartWith($"sltt: this process may open {limit} files only").And.Contain("ulimit -n"));
    }

    private static string ShellCommand(string[] arguments)
    {
        ProcessStartInfo start = SlttProcess.StartInfo(arguments);
        return string.Join(' ', start.ArgumentList.Prepend(start.FileName).Select(a => $"'{a}'"));
    }

    private static Process Start(string[] arguments)
    {
        ProcessStartInfo start = SlttProcess.StartInfo(arguments);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (false, false);
        return Process.Start(start)!;
    }

    /// <summary>The folder of the only run, once it has saved a checkpoint.</summary>
    private string WaitForRun()
    {
        Wait(() => Directory.Exists(data.OutDir)
            && Directory.GetFiles(data.OutDir, "checkpoint_latest.safetensors", SearchOption.AllDirectories).Length > 0);
        return Directory.GetDirectories(data.OutDir).Single();
    }

    private static void Wait(Func<bool> condition)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)), "waited too long");
            Thread.Sleep(20);
        }
    }

    private static void Signal(Process process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
