using System.ComponentModel;
using System.Diagnostics;
using SlttEngine.Tests.House;

namespace SlttEngine.Tests.Cli;

/// <summary>tools/record-golden.py as far as it runs without PyTorch and without the official programs.</summary>
[Platform("Linux")]
public sealed class RecordGoldenTests
{
    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder()
    {
        folder = Directory.CreateTempSubdirectory("sltt-record-").FullName;
        Write("sltt/modules/neuron.py");
        Write("sltt/models/spiking_resnet.py");
        Write("jelly/spikingjelly/clock_driven/neuron.py");
        Write("python/numpy.py");
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [TestCase("--help")]
    [TestCase("--official", "sltt", "--spikingjelly", "jelly", "model", "--help")]
    [TestCase("--official", "sltt", "--spikingjelly", "jelly", "neuron", "--help")]
    public void HelpNeedsNoPyTorch(params string[] arguments)
    {
        (int exitCode, string output, string error) = Run(arguments);
        Assert.That(exitCode, Is.Zero, error);
        Assert.That(output, Does.StartWith("usage: record-golden.py").And.Contain("--out FILE"));
        Assert.That(error, Is.Empty);
    }

    [TestCase("--official nowhere: no modules/neuron.py in it", "nowhere", "jelly", "model --out a")]
    [TestCase("--spikingjelly sltt: no spikingjelly/clock_driven/neuron.py in it", "sltt", "sltt", "neuron --out a")]
    [TestCase("argument --model: invalid choice: 'resnet18'", "sltt", "jelly", "model --model resnet18 --out a")]
    [TestCase("argument --T: '0' is not a number from 1 on", "sltt", "jelly", "model --T 0 --out a")]
    [TestCase("argument --shape: '3y5' is not a shape", "sltt", "jelly", "neuron --shape 3y5 --out a")]
    [TestCase("--K 3 is more than --T 2", "sltt", "jelly", "model --method slttk --K 3 --T 2 --out a")]
    [TestCase("--out nowhere/a: its folder does not exist", "sltt", "jelly", "neuron --out nowhere/a")]
    [TestCase("--out sltt: a folder", "sltt", "jelly", "neuron --out sltt")]
    [TestCase("the following arguments are required: --out", "sltt", "jelly", "model")]
    public void WhatIsWrongIsOneLine(string message, string official, string spikingjelly, string rest) =>
        AssertRefused(message, official, spikingjelly, rest);

    [Test]
    public void AMissingPyTorchIsOneLine()
    {
        Write("python/torch.py", "raise ImportError('no torch here')");
        AssertRefused("no torch here; install PyTorch 1.13 or later and NumPy", "sltt", "jelly", "model --out a");
    }

    [Test]
    public void AnOldPyTorchIsOneLine()
    {
        Write("python/torch.py", "__version__ = '1.9.1+cu111'");
        AssertRefused("PyTorch 1.9.1+cu111 is too old", "sltt", "jelly", "model --out a");
    }

    [Test]
    public void AnotherProgramInTheFolderIsOneLine()
    {
        Write("python/torch.py", "__version__ = '2.10.0'");
        AssertRefused("the official code cannot be imported: ", "sltt", "jelly", "model --out a");
    }

    private void AssertRefused(string message, string official, string spikingjelly, string rest)
    {
        (int exitCode, string output, string error) = Run(
            ["--official", official, "--spikingjelly", spikingjelly, .. rest.Split(' ')]);
        Assert.That(error, Does.StartWith("record-golden: " + message).And.Match(@"\A[^\n]+\n\z"));
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(output, Is.Empty);
    }

    private void Write(string path, string text = "")
    {
        string full = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text + "\n");
    }

    private (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        string script = Path.Combine(SourceTree.Root, "tools", "record-golden.py");
        ProcessStartInfo start = new("python3", ["-B", script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["PYTHONPATH"] = Path.Combine(folder, "python");
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
        catch (Win32Exception)
        {
            Assert.Ignore("python3 is missing");
            throw;
        }
    }
}
