using SlttEngine.Cli;
using SlttEngine.Cli.Options;
using SlttEngine.IO;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

/// <summary>-resume, eval and convert --describe of checkpoints that describe themselves.</summary>
public sealed class ResumeCommandTests
{
    private static readonly string[] Run = [
        "-epochs", "2", "-lr", "0.05", "-weight_decay", "5e-4", "-T_max", "10", "-momentum", "0.8", "-drop_rate", "0.1", "-tau", "1.3",
        "-seed", "5"];

    private SmallCifar data = null!;
    private string stopped = null!;
    private byte[] whole = null!;

    /// <summary>A run, and the same run stopped in its second epoch.</summary>
    [OneTimeSetUp]
    public void Train()
    {
        data = new SmallCifar();
        Assert.That(Sltt(data.Train(Run)).ExitCode, Is.Zero);
        string latest = Path.Combine(Directory.GetDirectories(data.OutDir).Single(), TrainingRun.LatestCheckpoint);
        whole = File.ReadAllBytes(latest);
        stopped = Path.Combine(data.Folder, "stopped.safetensors");
        TrainOptionSet set = new(new TrainOptions());
        ArgumentParser.Parse([.. data.Train(Run).Skip(1)], set.Options, "train");
        using CancellationTokenSource stop = new();
        TestRuns.WithRun(set.Read(), new Stopper(stop, batches: 6), trainer => trainer.Run(stop.Token));
        File.Copy(latest, stopped);
        Directory.Delete(data.OutDir, recursive: true);
    }

    [OneTimeTearDown]
    public void RemoveData() => data.Dispose();

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    public void ARunGoesOnBitForBit(bool withOptions, bool throughPth)
    {
        string checkpoint = stopped;
        if (throughPth)
        {
            checkpoint = Path.Combine(data.Folder, "stopped.pth");
            Assert.That(Sltt("convert", stopped, checkpoint).ExitCode, Is.Zero);
        }

        string[] command = withOptions ? [.. data.Train(Run), "-resume", checkpoint] : Resume(checkpoint);
        (int exitCode, string output, string error) = Sltt(command);
        Assert.That((exitCode, SmallCifar.WithoutWarnings(error)), Is.EqualTo((0, string.Empty)));
        Assert.That(output, Does.Contain("going on with epoch 1, 1 of whose 5 batches are done"));
        string folder = Directory.GetDirectories(data.OutDir).Single();
        Assert.That(folder, Does.EndWith("_T1_tau1.3_e2_bs8_SGD_lr0.05_wd0.0005_SG_triangle_drop0.1_losslamb0.05_CosALR_10_seed5_width32"));
        Assert.That(File.ReadAllBytes(Path.Combine(folder, TrainingRun.LatestCheckpoint)), Is.EqualTo(whole));
    }

    [Test]
    public void AnOptionThatDiffersIsAnnouncedWithWhichOneHolds()
    {
        (int exitCode, _, string error) = Sltt(
            [.. Resume(stopped), "-lr", "0.2", "-weight_decay", "0", "-T_max", "7", "-momentum", "0.8", "-opt", "AdamW", "-tau", "2"]);
        Assert.That(exitCode, Is.Zero, error);
        Assert.That(SmallCifar.WithoutWarnings(error).Split('\n'), Is.EqualTo(new[]
        {
            "warning: -opt AdamW differs from the checkpoint's SGD, which holds",
            "warning: -weight_decay 0.0 differs from the checkpoint's 0.0005, which holds",
            "warning: -lr 0.2 differs from the checkpoint's 0.05, which holds",
            "warning: -T_max 7 differs from the checkpoint's 10, which holds",
            $"warning: tau 2 holds, not the checkpoint's 1.3 ({stopped})",
        }));
        string text = Sltt("convert", "--describe", Latest()).Output;
        Assert.That(text, Does.Contain("tau: 2\n").And.Contain("optimizer initial_lr: 0.05\n").And.Contain("lr_scheduler T_max: 10\n"));
        Assert.That(text, Does.Contain("optimizer weight_decay: 0.0005\n"));
    }

    [Test]
    public void DescribePrintsAllOfIt()
    {
        string text = Sltt("convert", "--describe", stopped).Output;
        foreach (string line in (string[])[
            "format: 1", "method: SLTT", "T: 1", "tau: 1.3", "threshold: 1", "surrogate: triangle", "loss_lambda: 0.05",
            "model: spiking_resnet18", "model_settings: {\"width_divisor\":\"32\",\"drop_rate\":\"0.1\",\"batch_norm\":\"Sltt\"}",
            "classes: 10", "data_set: cifar10", "mean: [0.4914,0.4822,0.4465]", "dtype: float32", "batch_size: 8", "seed: 5",
            "train_samples: 40", "optimizer momentum: 0.8", "epoch: 0", "run batches: 1", "neuron: LIF, soft reset"])
        {
            Assert.That(text.Split('\n', StringSplitOptions.TrimEntries), Does.Contain(line));
        }

        Assert.That(text, Does.Contain("class_names: [\"airplane\",\"automobile\"").And.Contain("transform: train: random crop 32"));
        Assert.That(text, Does.Match("(?m)^program: SlttEngine [0-9.]+"));
        Assert.That(Sltt("convert", "--describe", stopped, "x.pth").ExitCode, Is.EqualTo(2));
    }

    [Test]
    public void EvalNeedsNothingButTheCheckpointAndTheData()
    {
        string[] command = ["eval", "-resume", stopped, "-data_dir", data.Folder, "--device", "cpu", "--allow-incomplete"];
        (int exitCode, string output, string error) = Sltt(command);
        Assert.That((exitCode, SmallCifar.WithoutWarnings(error)), Is.EqualTo((0, string.Empty)));
        Assert.That(output, Does.Contain("options: the checkpoint, and what was given").And.Contain("T = 1, float32"));
        (exitCode, _, error) = Sltt([.. command, "-T", "2", "-b", "3"]);
        Assert.That(exitCode, Is.Zero);
        Assert.That(SmallCifar.WithoutWarnings(error), Is.EqualTo($"warning: T 2 holds, not the checkpoint's 1 ({stopped})"));
    }

    [TestCase("\"cat\"", "\"tiger\"", 4, "trained on other classes than the data have: class 3 is tiger there and cat here")]
    [TestCase("\"format\":1", "\"format\":2", 4, "its description has form 2")]
    [TestCase("\"T\":1", "\"T\":\"one\"", 4, "its description is malformed")]
    [TestCase("\"tau\":1.3,", "", 4, "its description is malformed")]
    public void ADescriptionThatDoesNotFitIsRefused(string what, string by, int exitCode, string message)
    {
        string changed = Change("sltt_description", text => text.Replace(what, by, StringComparison.Ordinal));
        AssertRefused(
            Sltt("eval", "-resume", changed, "-data_dir", data.Folder, "--device", "cpu", "--allow-incomplete"), exitCode, message);
        AssertRefused(Sltt(Resume(changed)), exitCode, message);
    }

    [TestCase("\"batches\":1", "\"batches\":13", "13 batches of epoch 1 are done, but an epoch of these data has 5")]
    [TestCase("\"batches\":1", "\"batches\":-1", "-1 batches of epoch 1 are done")]
    [TestCase("\"loss_scale\":1", "\"loss_scale\":-1", "its loss scale -1")]
    public void APlaceThatTheDataHaveNotIsRefused(string what, string by, string message) => AssertRefused(
        Sltt(Resume(Change("sltt_run", text => text.Replace(what, by, StringComparison.Ordinal)))), 4, message);

    [Test]
    public void APlaceInAnEpochOfOtherSamplesIsRefused() => AssertRefused(
        Sltt(Resume(Change("sltt_description", t => t.Replace("samples\":40", "samples\":48", StringComparison.Ordinal)))), 4,
        "saved inside epoch 1 of 48 training samples: it can't go on with 40");

    [Test]
    public void AForeignCheckpointsChangesAreNotes()
    {
        CheckpointFile file = CheckpointFile.Read(stopped);
        string foreign = Path.Combine(data.Folder, "foreign.pth");
        new CheckpointFile(
            [
                .. file.Tensors.Where(t => t.Name.StartsWith("net.", StringComparison.Ordinal)).Select(
                    t => t.Renamed("net.module." + t.Name[4..])),
                NamedTensor.Float32("net.module.total_ops", [1], [7]),
            ],
            new Dictionary<string, string>()).WritePth(foreign);
        (int exitCode, string output, string error) = Sltt(data.Train([.. Run, "-pre_train", foreign, "--reset-head"]));
        Assert.That(exitCode, Is.Zero, error);
        Assert.That(output, Does.Contain("note: " + foreign + ": module. stripped from ").And.Contain("(1 buffers): module.total_ops"));
        Assert.That(output, Does.Contain("begun anew: "));

        // args.txt says reset_head=True: of the start, not of what goes on from there.
        string run = Directory.GetDirectories(data.OutDir).Single(), latest = Path.Combine(run, "checkpoint_latest.safetensors");
        (exitCode, _, error) = Sltt(["train", "--from", Path.Combine(run, "args.txt"), "-resume", latest]);
        Assert.That(exitCode, Is.Zero, error);
        (exitCode, _, error) = Sltt(["eval", "-resume", latest, "-data_dir", data.Folder, "--device", "cpu"]);
        Assert.That(exitCode, Is.Zero, error);
        AssertRefused(Sltt(data.Train("--reset-head")), 2, "-reset_head without -pre_train");
    }

    [SetUp]
    public void RemoveRuns()
    {
        if (Directory.Exists(data.OutDir))
        {
            Directory.Delete(data.OutDir, recursive: true);
        }
    }

    private string[] Resume(string checkpoint) =>
        ["train", "-resume", checkpoint, "-data_dir", data.Folder, "-out_dir", data.OutDir, "--device", "cpu", "--allow-incomplete"];

    private string Latest() => Path.Combine(Directory.GetDirectories(data.OutDir).Single(), TrainingRun.LatestCheckpoint);

    /// <summary>A copy of the stopped run's checkpoint with other metadata.</summary>
    private string Change(string key, Func<string, string> change)
    {
        CheckpointFile file = CheckpointFile.Read(stopped);
        Dictionary<string, string> metadata = new(file.Metadata);
        metadata[key] = change(metadata[key]);
        Assert.That(metadata[key], Is.Not.EqualTo(file.Metadata[key]));
        string path = Path.Combine(data.Folder, "changed.safetensors");
        new CheckpointFile(file.Tensors, metadata).WriteSafeTensors(path);
        return path;
    }

    private static void AssertRefused((int ExitCode, string Output, string Error) run, int exitCode, string message)
    {
        Assert.That(run.Error, Does.StartWith("sltt: ").And.Contain(message).And.Not.Contain("   at "));
        Assert.That(run.ExitCode, Is.EqualTo(exitCode));
    }

    private static (int ExitCode, string Output, string Error) Sltt(params string[] arguments)
    {
        StringWriter output = new StringWriter(), error = new StringWriter();
        int exitCode = CommandLine.Run(arguments, CliContext.Plain(output, error, CancellationToken.None));
        return (exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Stops the run after a number of training batches.</summary>
    private sealed class Stopper(CancellationTokenSource stop, int batches) : ITrainingObserver
    {
        private int done;

        public void RunStarted(RunStarted run)
        {
        }

        public void IterationFinished(in IterationFinished iteration)
        {
            if (iteration.Phase == TrainingPhase.Train && ++done == batches)
            {
                stop.Cancel();
            }
        }

        public void EpochFinished(EpochFinished epoch)
        {
        }

        public void CheckpointSaved(string path)
        {
        }

        public void Warning(string message)
        {
        }

        public void Stopped(string? checkpoint)
        {
        }
    }
}
