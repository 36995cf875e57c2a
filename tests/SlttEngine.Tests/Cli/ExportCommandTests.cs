using SlttEngine.Cli;
using SlttEngine.Data;
using SlttEngine.IO;
using SlttEngine.Models;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

/// <summary>sltt export, as a user calls it.</summary>
public sealed class ExportCommandTests
{
    private static readonly string Official = Path.Combine(GoldenFiles.Folder, "checkpoint", "resnet18_sltt.pth");

    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-export-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    /// <summary>A run's folder says all by itself: model, T, constants, input, normalisation, classes.</summary>
    [Test]
    public void A_run_is_exported_into_its_folder()
    {
        string run = Path.Combine(folder, "run");
        Train(run, new ModelOptions(3, 3, 25, 25, WidthDivisor: 32));
        SlttProcess.Result result = SlttProcess.Run("export", run, "--to", "onnx", "--unrolled", "2");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, string.Empty)));
        string path = Path.Combine(run, "spiking_resnet18.onnx");
        string[] lines = result.Output.Split('\n');
        Assert.That(lines[0], Does.StartWith(path + ": "));
        Assert.That(lines[1], Does.StartWith("ONNX opset 13, 2 time steps: "));
        Onnx.ModelProto model = Onnx.ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        Dictionary<string, string> metadata = model.MetadataProps.ToDictionary(m => m.Key, m => m.Value);
        Assert.That(metadata["neuron"], Does.EndWith("tau 1.7, v_th 1"));
        Assert.That(metadata["input_normalisation"], Does.EndWith("scale 0.5, 0.5, 0.5; shift 1, 1, 1"));
        Assert.That(lines, Has.Some.EqualTo("  the input is normalised outside of it: " + metadata["input_normalisation"]));
        Assert.That(metadata["classes"], Is.EqualTo("ant, bee, cow"));

        // The best checkpoint is taken if there is one, else the latest; without one it is an error.
        File.Delete(Path.Combine(run, TrainingRun.BestCheckpoint));
        Assert.That(SlttProcess.Run("export", run, "--to", "nir", "-o", Path.Combine(folder, "x.nir")).ExitCode, Is.Zero);
        File.Delete(Path.Combine(run, TrainingRun.LatestCheckpoint));
        SlttProcess.Result empty = SlttProcess.Run("export", run, "--to", "nir");
        Assert.That(empty.ExitCode, Is.EqualTo(4));
        Assert.That(empty.Error, Does.StartWith($"sltt: {run}: holds neither {TrainingRun.BestCheckpoint} nor"));
    }

    [Test]
    public void An_official_checkpoint_needs_its_model_named()
    {
        string target = Path.Combine(folder, "net.py");
        SlttProcess.Result result = SlttProcess.Run(
            "export", Official, "--to", "torch", "-o", target, "-model", "spiking_resnet18", "-width_divisor", "16", "-tau", "2");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, string.Empty)));
        Assert.That(File.ReadAllText(target), Does.Contain("Lif(tau=2.0, v_th=1.0)"));
        Assert.That(CheckpointFile.Read(Path.Combine(folder, "net.pth")).Tensors, Has.Count.EqualTo(126));
        Assert.That(new FileInfo(Path.Combine(folder, "net.pth")).Length, Is.InRange(4 * 45_000, 300_000));
    }

    [Test]
    public void What_can_not_be_done_is_one_line_and_a_hint()
    {
        string copy = Path.Combine(folder, "net.pth"), text = Path.Combine(folder, "text.pth");
        File.Copy(Official, copy);
        File.WriteAllText(text, "no checkpoint");
        string[] model = ["-model", "spiking_resnet18", "-width_divisor", "16"];
        AssertRefused(2, "export takes one run or checkpoint, not 0");
        AssertRefused(2, "unknown format 'onxn'; did you mean 'onnx'?", copy, "--to", "onxn");
        AssertRefused(2, "--to does not say what to write", copy);
        AssertRefused(4, $"{folder}/none: no such checkpoint", folder + "/none", "--to", "onnx");
        AssertRefused(2, "only ONNX has time steps in one graph", [copy, "--to", "nir", "--unrolled", "3", .. model]);
        AssertRefused(2, $"{copy}: the export would replace the checkpoint", [copy, "--to", "torch", "-o", copy, .. model]);
        string latest = Path.Combine(folder, "checkpoint_latest.pth");
        File.WriteAllText(latest, "a run's");
        AssertRefused(
            2, $"{latest}: would replace a file of a run",
            [copy, "--to", "torch", "-o", Path.ChangeExtension(latest, ".py"), .. model]);
        AssertRefused(4, $"{text}: not a checkpoint", text, "--to", "onnx");
        string nowhere = folder + "/no/x.onnx";
        AssertRefused(4, $"cannot write {nowhere}: folder not found", [copy, "--to", "onnx", "-o", nowhere, .. model]);
        Assert.That(File.ReadAllBytes(copy), Is.EqualTo(File.ReadAllBytes(Official)));
    }

    private static void AssertRefused(int exitCode, string message, params string[] arguments)
    {
        // Without options of the network it ends before a device is opened: this process can do it.
        bool opens = arguments.Contains("-model");
        SlttProcess.Result result = opens ? SlttProcess.Run(["export", .. arguments]) : RunHere(["export", .. arguments]);
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((exitCode, string.Empty)), result.Error);
        Assert.That(result.Error, Does.StartWith("sltt: " + message));
        Assert.That(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.LessThanOrEqualTo(2));
    }

    private static SlttProcess.Result RunHere(string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exitCode = CommandLine.Run(arguments, CliContext.Plain(output, error, CancellationToken.None));
        return new SlttProcess.Result(exitCode, output.ToString(), error.ToString());
    }

    private static void Train(string run, ModelOptions model)
    {
        byte[] pixels = [.. Enumerable.Range(0, 6 * 3 * 25 * 25).Select(i => (byte)(i % 7))];
        ArrayDataSet samples = new(pixels, new[] { 0, 1, 2, 0, 1, 2 }, new FrameShape(1, 3, 25, 25), 3, 0.5f, 1, ["ant", "bee", "cow"]);
        using Trainer trainer = new(
            SharedDevice.Device, ModelCatalog.Build("spiking_resnet18", model),
            new TrainingOptions { Steps = 2, BatchSize = 6, Neuron = new(1.7) });
        trainer.Fit(samples, samples, 1, run, observer: new RecordingObserver());
    }
}
