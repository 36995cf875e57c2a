using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.IO;
using SlttEngine.Tests.CpuDevice;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>A run that was stopped and goes on is the run that was not.</summary>
public sealed class ResumeTests
{
    private string folder = string.Empty;

    [SetUp]
    public void MakeData()
    {
        folder = Directory.CreateTempSubdirectory("sltt-resume-").FullName;
        string batches = Path.Combine(folder, "cifar-10-batches-bin");
        Directory.CreateDirectory(batches);
        Random random = new(7);
        foreach (string file in (string[])["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"])
        {
            byte[] bytes = new byte[4 * 3073];
            random.NextBytes(bytes);
            for (int i = 0; i < 4; i++)
            {
                bytes[i * 3073] = (byte)random.Next(10);
            }

            File.WriteAllBytes(Path.Combine(batches, file + ".bin"), bytes);
        }
    }

    [TearDown]
    public void RemoveData() => Directory.Delete(folder, recursive: true);

    [TestCase(OptimizerKind.Sgd, 0.0, MethodTable.Sltt, 1)]
    [TestCase(OptimizerKind.AdamW, 0.2, MethodTable.SlttK, 1)]
    [TestCase(OptimizerKind.Sgd, 0.2, MethodTable.Sltt, 2)]
    [TestCase(OptimizerKind.Sgd, 0.0, MethodTable.SlttK, 2)]
    public void A_resumed_run_continues_bit_for_bit_in_mid_epoch(OptimizerKind optimizer, double dropRate, string method, int stepsAtOnce)
    {
        TrainOptions options = new()
        {
            DataDir = folder,
            AllowIncomplete = true,
            OutDir = Path.Combine(folder, "whole"),
            Model = "spiking_resnet18",
            WidthDivisor = 16,
            T = 2,
            K = 1,
            StepsAtOnce = stepsAtOnce,
            BatchSize = 6,
            Epochs = 2,
            Workers = 1,
            Device = SharedDevice.Choice,
            Optimizer = optimizer,
            LearningRate = optimizer == OptimizerKind.AdamW ? 0.001 : 0.05,
            DropRate = dropRate,
            Method = method,
        };
        CheckpointFile whole = Run(options, stopAfter: int.MaxValue);

        // 20 samples make 4 batches an epoch, the last of 2: stop in mid-epoch, and again in the second one.
        TrainOptions parts = options with { OutDir = Path.Combine(folder, "parts") };
        string latest = Path.Combine(parts.RunFolder, TrainingRun.LatestCheckpoint);
        Run(parts, stopAfter: 2);
        Run(parts with { Resume = latest }, stopAfter: 4);
        CheckpointFile resumed = Run(parts with { Resume = latest }, stopAfter: int.MaxValue);
        Assert.Multiple(() =>
        {
            Assert.That(resumed.Metadata, Is.EqualTo(whole.Metadata));
            Assert.That(resumed.Tensors.Select(t => t.Name), Is.EqualTo(whole.Tensors.Select(t => t.Name)));
            foreach ((NamedTensor a, NamedTensor b) in resumed.Tensors.Zip(whole.Tensors))
            {
                Assert.That(a.Bytes.SequenceEqual(b.Bytes), Is.True, a.Name);
            }
        });
    }

    /// <summary>Steps side by side are chosen by the memory that there is; a run that goes on has as many as before.</summary>
    [Test]
    public void Steps_side_by_side_are_as_many_as_fit_and_stay_as_many()
    {
        TrainOptions options = new()
        {
            DataDir = folder,
            AllowIncomplete = true,
            OutDir = folder,
            Model = "spiking_resnet18",
            WidthDivisor = 4,
            T = 4,
            BatchSize = 6,
            Epochs = 2,
            Workers = 1,
            Device = SharedDevice.Choice,
        };
        long Total(int steps) => TestRuns.Plan(options with { StepsAtOnce = steps }).Total;
        Assert.That(Total(4), Is.GreaterThan(Total(2)).And.GreaterThan(Total(1)));
        long room = ((Total(2) + Total(4)) / 2) >> 20;
        Assert.That(room << 20, Is.InRange(Total(2), Total(4) - 1), "a whole number of MiB lies between");
        TrainOptions chosen = options with { StepsAtOnce = 0, Memory = room };
        CheckpointFile first = Run(chosen, stopAfter: 2);
        string latest = Path.Combine(options.RunFolder, TrainingRun.LatestCheckpoint);
        CheckpointFile second = Run(chosen with { Resume = latest, Memory = 1 << 20 }, stopAfter: int.MaxValue);
        Assert.That(
            () => Run(chosen with { Memory = 1, OutDir = Path.Combine(folder, "small") }, stopAfter: 1),
            Throws.TypeOf<SlttException>().With.Message.Contains("one time step at a time needs"));
        Assert.Multiple(() =>
        {
            Assert.That(RunDescription.Read(first)!.StepsAtOnce, Is.EqualTo(2));
            Assert.That(RunDescription.Read(second)!.StepsAtOnce, Is.EqualTo(2), "there is room for more now");
        });
    }

    [Test]
    public void A_checkpoint_of_another_model_is_refused_by_name()
    {
        TrainOptions options = new()
        {
            DataDir = folder,
            AllowIncomplete = true,
            OutDir = folder,
            Model = "spiking_resnet18",
            WidthDivisor = 16,
            T = 1,
            BatchSize = 10,
            Epochs = 1,
            Workers = 1,
            Device = SharedDevice.Choice,
        };
        Run(options, stopAfter: int.MaxValue);
        string latest = Path.Combine(options.RunFolder, TrainingRun.LatestCheckpoint);
        Assert.That(
            () => Run(options with { WidthDivisor = 8, Resume = latest }, stopAfter: int.MaxValue),
            Throws.TypeOf<SlttException>().With.Message.Contains("conv1.weight has shape (4, 3, 3, 3), not (8, 3, 3, 3)"));
        Assert.That(
            () => Run(options with { Optimizer = OptimizerKind.AdamW, Resume = latest }, stopAfter: int.MaxValue),
            Throws.TypeOf<SlttException>().With.Message.Contains("exp_avg"));
    }

    [Test]
    public void Within_an_epoch_batch_size_and_seed_stay()
    {
        TrainOptions options = new()
        {
            DataDir = folder,
            AllowIncomplete = true,
            OutDir = folder,
            Model = "spiking_resnet18",
            WidthDivisor = 16,
            T = 1,
            BatchSize = 6,
            Epochs = 2,
            Workers = 1,
            Device = SharedDevice.Choice,
        };
        CheckpointFile within = Run(options, stopAfter: 2);
        string latest = Path.Combine(options.RunFolder, TrainingRun.LatestCheckpoint);
        string message = "inside epoch 0, which began with -b 6 -seed 2022: it can't go on with";
        Assert.That(
            () => Run(options with { BatchSize = 4, Resume = latest }, stopAfter: int.MaxValue),
            Throws.TypeOf<SlttException>().With.Message.Contains($"{message} -b 4 -seed 2022"));
        Assert.That(
            () => Run(options with { Seed = 5, Resume = latest }, stopAfter: int.MaxValue),
            Throws.TypeOf<SlttException>().With.Message.Contains($"{message} -b 6 -seed 5"));

        // As checkpoints were before they named their batch size.
        Dictionary<string, string> older = new(within.Metadata);
        older["sltt_run"] = Regex.Replace(older["sltt_run"], "\"batch_size\":6,", string.Empty);
        Assert.That(older["sltt_run"], Is.Not.EqualTo(within.Metadata["sltt_run"]));
        string olderFile = Path.Combine(folder, "older.safetensors");
        new CheckpointFile(within.Tensors, older).WriteSafeTensors(olderFile);
        Run(options with { Resume = olderFile, Epochs = 1 }, stopAfter: int.MaxValue);

        string between = Path.Combine((options with { Epochs = 1 }).RunFolder, TrainingRun.LatestCheckpoint);
        Run(options with { BatchSize = 4, Seed = 5, Resume = between }, stopAfter: int.MaxValue);
    }

    [Test]
    public void A_run_that_learns_nothing_any_more_warns_once()
    {
        TrainOptions options = new()
        {
            DataDir = folder,
            AllowIncomplete = true,
            OutDir = folder,
            Model = "spiking_resnet18",
            WidthDivisor = 16,
            T = 1,
            BatchSize = 6,
            Epochs = 1,
            Workers = 1,
            LearningRate = 0.01,
            Amp = true,
            Device = SharedDevice.Choice,
        };
        CheckpointFile first = Run(options, stopAfter: int.MaxValue);
        Dictionary<string, string> metadata = new(first.Metadata);
        metadata["sltt_run"] = Regex.Replace(metadata["sltt_run"], "\"loss_scale\":[^,]+", "\"loss_scale\":1e38");
        string changed = Path.Combine(folder, "changed.safetensors");
        new CheckpointFile(first.Tensors, metadata).WriteSafeTensors(changed);
        RecordingObserver told = new();
        TestRuns.WithRun(options with { Epochs = 3, LearningRate = 0, Resume = changed }, told, trainer => trainer.Run(default));
        Assert.That(told.Warnings.Where(w => w.Contains("updates", StringComparison.Ordinal)), Has.Exactly(1).Items);
        Assert.That(told.Warnings, Has.One.StartsWith("epoch 1: all 4 updates were skipped"));
    }

    [Test]
    public void A_resumed_run_takes_the_first_ones_ways_of_convolution()
    {
        if (SharedDevice.Choice != DeviceChoice.Cpu)
        {
            Assert.Ignore("a GPU has its own choices");
        }

        TrainOptions options = new()
        {
            DataDir = folder,
            AllowIncomplete = true,
            OutDir = folder,
            Model = "spiking_resnet18",
            WidthDivisor = 2,
            T = 1,
            BatchSize = 10,
            Epochs = 2,
            Workers = 1,
            Device = DeviceChoice.Cpu,
        };
        CpuDriver.sltt_cpu_choose_convolution("measure", null, 0);
        try
        {
            Run(options, stopAfter: 2); // an epoch's batches
        }
        finally
        {
            CpuDriver.sltt_cpu_choose_convolution("auto", null, 0);
        }

        string choices = Path.Combine(options.RunFolder, ConvolutionChoices.FileName);
        Assert.That(File.ReadAllText(choices), Does.Contain("forward f32 (32, 32, 32) by (32, 3, 3, 32) stride 1 padding 1"));

        // As if measured on a machine where nothing but the direct way is worth it.
        File.WriteAllText(choices, Regex.Replace(File.ReadAllText(choices), "\"DensestEvent\": [0-9.]+", "\"DensestEvent\": 0"));
        string before = File.ReadAllText(choices);
        Run(options with { Resume = Path.Combine(options.RunFolder, TrainingRun.LatestCheckpoint) }, stopAfter: int.MaxValue);
        Assert.That(File.ReadAllText(choices), Is.EqualTo(before));
        JsonElement epoch = JsonDocument.Parse(File.ReadLines(Path.Combine(options.RunFolder, "convolutions.jsonl")).Last()).RootElement;
        JsonElement[] wide = [
            .. epoch.GetProperty("convolutions").EnumerateArray().Where(c => c.GetProperty("filter").ToString() == "[32,3,3,32]")];
        Assert.That(wide, Is.Not.Empty);
        Assert.That(wide.Select(c => c.GetProperty("event").GetInt32()), Is.All.Zero);
        Assert.That(wide.Select(c => c.GetProperty("dense").GetInt32()), Is.All.Positive);
    }

    private static CheckpointFile Run(TrainOptions options, int stopAfter)
    {
        using CancellationTokenSource cancel = new();
        TestRuns.WithRun(options, new Stopper(cancel, stopAfter), trainer => trainer.Run(cancel.Token));
        return CheckpointFile.Read(Path.Combine(options.RunFolder, TrainingRun.LatestCheckpoint));
    }

    /// <summary>Asks the run to stop after a number of training batches.</summary>
    private sealed class Stopper(CancellationTokenSource cancel, int after) : ITrainingObserver
    {
        private int batches;

        public void RunStarted(RunStarted run)
        {
        }

        public void IterationFinished(in IterationFinished iteration)
        {
            if (iteration.Phase == TrainingPhase.Train && ++batches == after)
            {
                cancel.Cancel();
            }
        }

        public void EpochFinished(EpochFinished epoch) =>
            Assert.That(double.IsFinite(epoch.TrainLoss), Is.True, epoch.TrainLoss.ToString(CultureInfo.InvariantCulture));

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
