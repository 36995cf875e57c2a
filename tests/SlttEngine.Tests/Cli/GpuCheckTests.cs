using System.Diagnostics;
using SlttEngine.Device;
using SlttEngine.Tests.Engine;

namespace SlttEngine.Tests.Cli;

/// <summary>
/// tools/gpu-check.sh, rehearsed on the CPU device: a script that first runs on a lent GPU must not fail for a typing error.
/// </summary>
[Platform("Linux")]
public sealed class GpuCheckTests
{
    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-gpu-check-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void PassedPiecesAreSummedUp()
    {
        File.Copy(GoldenFiles.Of("neuron").First(), Path.Combine(folder, "neuron.safetensors"));
        (int exitCode, string output) = Run(
            "--device", "cpu", "--vectors", folder, "--out", Path.Combine(folder, "out"), "devices", "verify", "racecheck");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("1 of 1 file passed"));
        Assert.That(
            File.ReadAllText(Path.Combine(folder, "out", "summary.txt")),
            Does.Match(@"devices +passed +\d+ s\nverify +passed +\d+ s\nracecheck +left out +\d+ s\n"));
    }

    [Test]
    public void AFailedPieceFailsTheWhole()
    {
        File.WriteAllText(Path.Combine(folder, "broken.safetensors"), "no vector");
        (int exitCode, string output) = Run(
            "--device", "cpu", "--vectors", folder, "--out", Path.Combine(folder, "out"), "verify", "devices");
        Assert.That(exitCode, Is.EqualTo(1), output);
        Assert.That(output, Does.Match(@"verify +FAILED \(\d+\)").And.Match("devices +passed"));
    }

    [Test]
    public void ADeviceThatFailsIsNotLeftOut()
    {
        // Where there is a GPU, that device opens.
        Assume.That(NativeLibraries.WhyNoCuda(), Is.Not.Null);
        File.Copy(GoldenFiles.Of("neuron").First(), Path.Combine(folder, "neuron.safetensors"));
        (int exitCode, string output) = Run("--device", "cuda", "--vectors", folder, "--out", Path.Combine(folder, "out"), "verify");
        Assert.That(exitCode, Is.EqualTo(1), output);
        Assert.That(output, Does.Match(@"verify +FAILED \(\d+\)"));
    }

    [TestCase("unknown argument 'everything'", "everything")]
    [TestCase("--device is cuda or cpu, not 'tpu'", "--device", "tpu")]
    [TestCase("--out needs a value", "--out")]
    public void WrongArgumentsAreNamed(string message, params string[] arguments)
    {
        (int exitCode, string output) = Run(arguments);
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(output, Does.StartWith("gpu-check: " + message));
    }

    // As in a bundle on a machine with a GPU, with stand-ins for all programs.
    [Test]
    public void EveryPieceRunsOnAGpu()
    {
        const string Bench = """[ "$1" = bench ] && echo '{ "seconds_per_iteration": 1, "device_bytes": 7, "device_in_use_bytes": 9 }'""";
        string script = StandIns(
            sltt: $"""case $1 in devices) echo 'auto  is cuda' ;; *) echo "sltt $*" ;; esac; {Bench}; exit 0""",
            tests: "echo \"$SLTT_TEST_DEVICE $*\"");
        (int exitCode, string output) = RunScript(script, "--out", Path.Combine(folder, "out"));
        Assert.That(exitCode, Is.Zero, output);
        string summary = File.ReadAllText(Path.Combine(folder, "out", "summary.txt"));
        string[] pieces = ["devices", "tests", "verify", "memcheck", "racecheck", "kernels", "training", "profile"];
        Assert.That(summary, Does.Match("^" + string.Concat(pieces.Select(piece => piece + @" +passed +\d+ s\n")) + "$"));
        string Log(string piece) => File.ReadAllText(Path.Combine(folder, "out", piece + ".log"));
        Assert.That(Log("racecheck"), Does.Contain("--tool racecheck").And.Contain("--error-exitcode").And.Contain("Tests.Kernels"));
        Assert.That(Log("tests"), Does.StartWith("cuda "));
        Assert.That(
            File.ReadAllText(Path.Combine(folder, "out", "vgg11-f16-profile.txt")),
            Does.StartWith("sltt profile -dataset dvsgesture").And.Contain("--device cuda"));
        Assert.That(Log("training"), Does.Contain("device memory at T = 48 is that at T = 6").And.Contain("device_in_use_bytes"));
    }

    [Test]
    public void APieceLeavesNoProgramBehindAndItsLineBeforeTheNextBegins()
    {
        string found = Path.Combine(folder, "found"), left = Path.Combine(folder, "left");
        string script = StandIns(
            sltt: $"case $1 in devices) echo 'auto  is cuda'; (trap '' TERM; exec sleep 300) & echo $! > '{left}' ;; "
                + $"*) cat '{folder}/out/summary.txt' > '{found}' ;; esac",
            tests: "");
        (int exitCode, string output) = RunScript(script, "--out", Path.Combine(folder, "out"), "devices", "verify");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(File.ReadAllText(found), Does.Match(@"^devices +passed +\d+ s\n$"));
        string process = $"/proc/{File.ReadAllText(left).Trim()}/cmdline";
        Assert.That(() => File.Exists(process) ? File.ReadAllText(process) : "", Does.Not.Contain("sleep").After(5000, 50));
    }

    private string StandIns(string sltt, string tests)
    {
        string script = Path.Combine(folder, "tools", "gpu-check.sh");
        Directory.CreateDirectory(Path.Combine(folder, "tools"));
        Directory.CreateDirectory(Path.Combine(folder, "lib", "Golden"));
        File.WriteAllText(Path.Combine(folder, "lib", "Golden", "vector.safetensors"), "");
        File.Copy(Script(), script);
        (string Name, string Text)[] programs =
            [("sltt", sltt), ("sltt-tests", tests), ("sltt-bench", "echo bench"), ("nvidia-smi", "echo a GPU"), (
                "compute-sanitizer", "echo \"$*\"")];
        foreach ((string name, string text) in programs)
        {
            string program = Path.Combine(folder, name);
            File.WriteAllText(program, "#!/bin/bash\n" + text + "\n");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        return script;
    }

    private (int ExitCode, string Output) Run(params string[] arguments) => RunScript(Script(), arguments);

    private (int ExitCode, string Output) RunScript(string script, params string[] arguments)
    {
        ProcessStartInfo start = new("bash", [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = folder + Path.PathSeparator + start.Environment["PATH"];
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    /// <summary>The script of the sources that the tests were built from, or of the bundle that they lie in.</summary>
    private static string Script()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string script = Path.Combine(at.FullName, "tools", "gpu-check.sh");
            if (File.Exists(script))
            {
                return script;
            }
        }

        throw new FileNotFoundException("tools/gpu-check.sh is in no folder above " + AppContext.BaseDirectory);
    }
}
