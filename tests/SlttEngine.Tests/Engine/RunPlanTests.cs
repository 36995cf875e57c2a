using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Models;
using SlttEngine.Tests.Cli;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>What is said before a run is what the run then has and does.</summary>
public sealed class RunPlanTests
{
    private static readonly TrainOptions Small =
        new() { Model = "spiking_resnet18", WidthDivisor = 16, T = 3, BatchSize = 5, Device = SharedDevice.Choice };

    [Test]
    public void A_runs_memory_is_what_was_planned_to_the_byte(
        [ValueSource(typeof(MethodTable), nameof(MethodTable.Names))] string method, [Values] ComputeType type)
    {
        using SmallCifar data = new();
        TrainOptions options =
            Small with
            {
                Method = method,
                DataDir = data.Folder,
                AllowIncomplete = true,
                Amp = type != ComputeType.Float32,
                AmpType = type == ComputeType.Float32
            ? ComputeType.Float16 : type
            };
        TestRuns.WithRun(options, new Silent(), trainer => Assert.That(TestRuns.Plan(options).Total, Is.EqualTo(trainer.DeviceBytes)));
    }

    /// <summary>Evaluation is in float32; its batches are small enough that training in half precision decides the memory.</summary>
    [Test]
    public void Evaluation_needs_no_more_memory_than_training_does([ValueSource(nameof(Models))] string model, [Values] ComputeType type)
    {
        const int Batch = 24;
        TrainOptions options = Small with
        {
            Model = model,
            BatchSize = Batch,
            DataDir = "none",
            Dataset = model.Contains("vgg", StringComparison.Ordinal) ? "DVSCIFAR10" : "cifar10",
            Amp = type != ComputeType.Float32,
            AmpType = type == ComputeType.Float32 ? ComputeType.Float16 : type,
        };
        using EnginePlan planned = RunFactory.Training(options).Plan(SharedDevice.Device, RunFactory.Format(options));
        int batch = planned.EvaluationBatch(Batch);
        RunPlan plan = TestRuns.Plan(options);
        long images = planned.Program(batch, training: false).Shape.Images;
        Assert.Multiple(() =>
        {
            Assert.That(batch, Is.InRange(1, Batch));
            Assert.That(images, Is.AtLeast(type == ComputeType.Float32 ? Batch : Batch / 3), "at once, all steps side by side");
            Assert.That(plan.EvaluationArena, Is.LessThanOrEqualTo(plan.Training.Total - plan.Training.Store));
        });
    }

    [Test]
    public void Layers_add_up_to_the_whole(
        [ValueSource(nameof(Models))] string model, [ValueSource(typeof(MethodTable), nameof(MethodTable.Names))] string method)
    {
        TrainOptions options = Small with
        {
            Model = model,
            Method = method,
            Dataset = model.Contains("vgg", StringComparison.Ordinal)
            ? "DVSCIFAR10" : "cifar10"
        };
        MemoryPlan plan = TestRuns.Memory(options);
        Assert.Multiple(() =>
        {
            Assert.That(plan.Layers.Sum(l => l.Weights), Is.EqualTo(plan.Weights), "weights");
            Assert.That(plan.Layers.Sum(l => l.Gradients), Is.EqualTo(plan.Gradients), "gradients");
            Assert.That(plan.Layers.Sum(l => l.Optimizer), Is.EqualTo(plan.Optimizer), "optimizer");
            Assert.That(plan.Layers.Sum(l => l.State), Is.EqualTo(plan.State), "state");
            Assert.That(plan.Layers.Sum(l => l.Saved), Is.EqualTo(plan.Saved), "saved");
            Assert.That(plan.Workspace, Is.GreaterThan(0).And.LessThanOrEqualTo(plan.Scratch), "workspace");
            Assert.That(plan.Layers.Select(l => l.Name), Is.Unique.And.None.Empty);
        });
    }

    [Test]
    public void The_largest_batch_fits_and_one_more_does_not([ValueSource(typeof(MethodTable), nameof(MethodTable.Names))] string method)
    {
        TrainOptions options = Small with { Method = method, DataDir = "none" };
        RunPlan plan = TestRuns.Plan(options with { BatchSize = 37 });
        long memory = plan.Total;

        // Where algorithms are measured, the search may end one early.
        int tolerance = SharedDevice.Device.IsCpu ? 0 : 1;
        Assert.Multiple(() =>
        {
            Assert.That(plan.LargestBatch(SharedDevice.Device, memory), Is.InRange(37 - tolerance, 37));
            Assert.That(plan.LargestBatch(SharedDevice.Device, memory - 1), Is.InRange(36 - tolerance, 36));
            Assert.That(plan.LargestBatch(SharedDevice.Device, 1 << 20), Is.Zero);
        });
    }

    /// <summary>
    /// Nothing but the tensors' size bounds the batch where memory does not. On a GPU the last batches may be refused for another reason:
    /// cuDNN has no algorithm for them, or the device's own memory is too small for their workspaces. 512 is no such batch, although from
    /// there on the weight gradient in float32 needs more than the usual workspace.
    /// </summary>
    [Test]
    public void A_batch_beyond_cuDNNs_tensors_does_not_fit_any_memory()
    {
        // The stem's output has 64 x 32 x 32 elements a sample: 2^15 samples are 2^31.
        TrainOptions options = Small with { DataDir = "none", WidthDivisor = 1 };
        int least = SharedDevice.Device.IsCpu ? 32767 : 512;
        RunPlan plan = TestRuns.Plan(options with { BatchSize = 512 });
        Assert.That(plan.LargestBatch(SharedDevice.Device, 1L << 50), Is.InRange(least, 32767));
        SlttException error = Assert.Throws<SlttException>(() => TestRuns.Plan(options with { BatchSize = 32768 }))!;
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Usage));
        Assert.That(error.Message, Does.StartWith("-b 32768: too large for cuDNN"));
        Assert.That(error.Hint, Does.Contain("32767"));
    }

    // One image through the full-width network: 0.5558 billion multiplications in the 3x3 and 1x1 convolutions, of which the stem's
    // 1.77 million come once an iteration and have no gradient of their input.
    [TestCase(MethodTable.Sltt, 6, 6)]
    [TestCase(MethodTable.SlttK, 6, 2)]
    [TestCase(MethodTable.Bptt, 6, 6)]
    public void Work_is_that_of_the_passes(string method, int forward, int backward)
    {
        const long Stem = 3L * 9 * 64 * 32 * 32;
        long steps = 0;
        (int In, int Out, int Size, int Blocks)[] stages = [(64, 64, 32, 2), (64, 128, 16, 2), (128, 256, 8, 2), (256, 512, 4, 2)];
        foreach ((int input, int output, int size, int blocks) in stages)
        {
            long area = size * size;
            steps += area * 9 * output * (input + (output * ((2L * blocks) - 1))) + (input == output ? 0 : area * input * output);
        }

        steps += 512 * 10;
        TrainOptions options = Small with { WidthDivisor = 1, T = 6, K = 2, BatchSize = 2, Method = method };
        long planned = TestRuns.Plan(options).Work.MultiplyAdds;
        Assert.That(planned, Is.EqualTo(2 * ((steps * (forward + (2 * backward))) + (2 * Stem))));
    }

    // A classifier alone, N = 2, 12 features, 5 classes, T = 3: w (5, 12) and b (5), each padded to 64 elements.
    [TestCase(ComputeType.Float32)]
    [TestCase(ComputeType.Float16)]
    public void Bytes_are_those_of_the_operations(ComputeType type)
    {
        const long Batch = 2, Features = 12, Classes = 5, Weights = Features * Classes, Stored = 128, Steps = 3;
        long size = type.Size();
        Network network = new("test", 3, 2, 2, (int)Classes);
        network.Add(new Linear(network, "fc", network.Input, new Initializer.Constant(0)));
        InputFormat.Frames format = new("u8", 1, [1, 1, 1], [0, 0, 0]);
        using EnginePlan plan = new(
            SharedDevice.Device, network, new EngineOptions { Type = type, TrainInput = format, TestInput = format });
        IterationWork work = plan.Program((int)Batch, training: true).Work(new Sltt().Schedule((int)Steps, 0, 0));
        (long x, long logits, long losses) = (Batch * Features * size, Batch * Classes * 4, Batch * 4);
        long gradLogits = Batch * Classes * size;
        long once = 512 // sums over the steps are set to zero: logits and losses, 256 bytes each
            + (4 * Stored) // so are the gradients
            + (type == ComputeType.Float32 ? 0 : (4 + size) * Stored) // working weights
            + (type == ComputeType.Float32 ? 0 : 4 * Stored) // gradients are looked through for an overflow
            + (Batch * Features) + x // frames are expanded
            + logits + losses + losses + losses // metrics: sums, losses, labels, ranks
            + (20 * Stored); // SGD reads weights, momentum and gradients, writes weights and momentum
        long step = logits // bias
            + x + (2 * logits) + (size * Weights) // forward
            + logits + losses + (2 * (logits + losses)) + gradLogits // the loss reads logits and labels, updates sums, writes the gradient
            + gradLogits // bias's gradient
            + x + gradLogits + (8 * Weights) // weight's gradient
            + gradLogits + (size * Weights) + x; // input's gradient
        Assert.Multiple(() =>
        {
            Assert.That(work.Bytes, Is.EqualTo(once + (Steps * step)));
            Assert.That(work.MultiplyAdds, Is.EqualTo(Steps * 3 * Batch * Weights));
        });
    }

    [Test]
    public void Rates_are_those_of_a_machine()
    {
        DeviceRates rates = DeviceRates.Measure(SharedDevice.Device, ComputeType.Float32);
        Assert.Multiple(() =>
        {
            Assert.That(rates.Flops, Is.InRange(1e8, 1e16));
            Assert.That(rates.Bandwidth, Is.InRange(1e8, 1e14));
            Assert.That(new IterationWork(500, 3000).Seconds(new DeviceRates(1000, 1000)), Is.EqualTo((1.0, 3.0)));
        });
    }

    private static IEnumerable<string> Models => ModelCatalog.All.Select(m => m.Name);

    private sealed class Silent : ITrainingObserver
    {
        public void RunStarted(RunStarted run)
        {
        }

        public void IterationFinished(in IterationFinished iteration)
        {
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
