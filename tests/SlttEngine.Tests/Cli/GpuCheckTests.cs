using System.Diagnostics;
using SlttEngine.Device;
using SlttEngine.Tests.Engine;

namespace SlttEngine.Tests.Cli;

/// <summary>tools/gpu-check.sh, rehearsed on the CPU device: a script that first runs on a lent GPU must not fail for a typing error.</summary>
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
        (int exitCode, string output) = Run("--device", "cpu", "--vectors", folder, "--out", Path.Combine(folder, "out"), "devices", "verify", "racecheck");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("1 of 1 file passed"));
        Assert.That(File.ReadAllText(Path.Combine(folder, "out", "summary.txt")), Does.Match(@"devices +passed +\d+ s\nverify +passed +\d+ s\nracecheck +left out +\d+ s\n"));
    }

    [Test]
    public void AFailedPieceFailsTheWhole()
    {
        File.WriteAllText(Path.Combine(folder, "broken.safetensors"), "no vector");
        (int exitCode, string output) = Run("--device", "cpu", "--vectors", folder, "--out", Path.Combine(folder, "out"), "verify", "devices");
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

    private static (int ExitCode, string Output) Run(params string[] arguments)
    {
        ProcessStartInfo start = new("bash", [Script(), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
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
