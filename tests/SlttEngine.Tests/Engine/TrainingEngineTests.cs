using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Whole iterations: determinism, memory over T, what the methods and the number types have in common.</summary>
public sealed class TrainingEngineTests
{
    private const int Batch = 3;

    [Test]
    public void Same_seed_gives_the_same_bits_twice([Values("spiking_resnet18", "spiking_vgg11_bn")] string model)
    {
        float[] first = Train(Options(model) with { DropRate = 0.25 }, iterations: 3);
        float[] second = Train(Options(model) with { DropRate = 0.25 }, iterations: 3);
        float[] other = Train(Options(model) with { DropRate = 0.25, Seed = 1 }, iterations: 3);
        Assert.Multiple(() =>
        {
            Assert.That(second, Is.EqualTo(first));
            Assert.That(other, Is.Not.EqualTo(first));
            Assert.That(first, Has.All.Matches<float>(float.IsFinite));
        });
    }

    [Test]
    public void SlttK_with_K_equal_T_trains_as_SLTT() => Assert.That(
        Train(Options("spiking_resnet18") with { Method = MethodTable.SlttK, K = 3, T = 3 }, iterations: 2),
        Is.EqualTo(Train(Options("spiking_resnet18") with { T = 3 }, iterations: 2)));

    [Test]
    public void Bptt_with_one_step_trains_as_SLTT() => Assert.That(
        Train(Options("spiking_resnet18") with { Method = MethodTable.Bptt, T = 1 }, iterations: 2),
        Is.EqualTo(Train(Options("spiking_resnet18") with { T = 1 }, iterations: 2)));

    [Test]
    public void Memory_does_not_grow_with_T_but_for_Bptt([Values("spiking_resnet18", "spiking_nfresnet34")] string model)
    {
        TrainOptions options = Options(model);
        long Plan(string method, int steps) =>
            TestRuns.Memory(options with { Method = method, T = steps, K = 2 }).Total;
        long sltt = Plan(MethodTable.Sltt, 6);
        Assert.Multiple(() =>
        {
            Assert.That(Plan(MethodTable.Sltt, 48), Is.EqualTo(sltt));
            Assert.That(Plan(MethodTable.SlttK, 6), Is.EqualTo(sltt));
            Assert.That(
                Plan(MethodTable.Bptt, 48) - Plan(MethodTable.Bptt, 24),
                Is.EqualTo(2 * (Plan(MethodTable.Bptt, 24) - Plan(MethodTable.Bptt, 12))));
            Assert.That(Plan(MethodTable.Bptt, 24), Is.GreaterThan(Plan(MethodTable.Bptt, 12)));
        });
    }

    [Test]
    public void What_is_planned_is_allocated(
        [ValueSource(typeof(MethodTable), nameof(MethodTable.Names))] string method, [Values] ComputeType type)
    {
        TrainOptions options = Options("spiking_resnet18") with { Method = method, Amp = type != ComputeType.Float32, AmpType = type };
        using BatchRun run = TestRuns.OnRandomBatch(options);
        Assert.That(run.Engine.ArenaBytes + run.Engine.StoreBytes, Is.EqualTo(TestRuns.Memory(options).Total));
    }

    [Test]
    public void Mixed_precision_learns_as_float32(
        [ValueSource(typeof(MethodTable), nameof(MethodTable.Names))] string method,
        [Values(ComputeType.Float16, ComputeType.BFloat16)] ComputeType type)
    {
        TrainOptions options = Options("spiking_resnet18") with { Method = method, T = 2, LearningRate = 0.02 };
        double exact = LastLoss(options, iterations: 6, out double before);
        double mixed = LastLoss(options with { Amp = true, AmpType = type }, iterations: 6, out double mixedBefore);
        Assert.Multiple(() =>
        {
            Assert.That(mixedBefore, Is.EqualTo(before).Within(0.05 * before), "the first loss differs by rounding alone");
            Assert.That(exact, Is.LessThan(0.97 * before), "it learns");
            Assert.That(mixed, Is.EqualTo(exact).Within(0.03 * before), "and as much");
        });
    }

    [Test]
    public void An_overflow_skips_the_update_and_halves_the_scale()
    {
        TrainOptions options = Options("spiking_resnet18") with { Amp = true };
        using BatchRun run = TestRuns.OnRandomBatch(options);
        TrainingEngine engine = run.Engine;
        RunState state = engine.ReadState();
        state.LossScale = 1e30f;
        state.GradScale = 1e-30f;
        engine.WriteState(state);
        float[] before = Weights(engine);
        run.Iterate();
        RunState after = engine.ReadState();
        Assert.Multiple(() =>
        {
            Assert.That(Weights(engine), Is.EqualTo(before));
            Assert.That(after.SkippedSteps, Is.EqualTo(1));
            Assert.That(after.LossScale, Is.EqualTo(0.5e30f));
            Assert.That(after.OptimizerSteps, Is.Zero);
        });
    }

    [Test]
    public void Evaluation_changes_nothing()
    {
        Network network = ModelCatalog.Build("spiking_resnet18", new ModelOptions(10, 3, 32, 32, WidthDivisor: 16));
        InputFormat.Frames format = new("u8", 1, [0.01f, 0.01f, 0.01f], [-1, -1, -1]);
        using TrainingEngine engine = new(SharedDevice.Device, network, new EngineOptions
        {
            Steps = 2,
            TrainInput = format,
            TestInput = format,
            TrainBatches = [Batch],
            TestBatches = [Batch, 2],
        });
        engine.Store.Initialize(3);
        (byte[] input, int[] labels) = Random(3 * 32 * 32 * Batch, 10);
        engine.TrainIteration(input, labels, 0.1);
        float[] before = [.. Weights(engine), .. network.Statistics.Where(s => !s.IsCounter).SelectMany(engine.Store.GetStatistic)];
        engine.WaitForMetrics();
        engine.Evaluate(input, labels);
        BatchMetrics whole = engine.WaitForMetrics();
        engine.Evaluate(input.AsSpan(0, 3 * 32 * 32 * 2), labels.AsSpan(0, 2));
        BatchMetrics first = engine.WaitForMetrics();
        engine.Evaluate([], []);
        engine.Evaluate(input, labels);
        float[] after = [.. Weights(engine), .. network.Statistics.Where(s => !s.IsCounter).SelectMany(engine.Store.GetStatistic)];
        Assert.Multiple(() =>
        {
            Assert.That(after, Is.EqualTo(before));
            Assert.That(engine.WaitForMetrics(), Is.EqualTo(whole));
            Assert.That(whole.Samples, Is.EqualTo(Batch));
            Assert.That(first.Samples, Is.EqualTo(2));
        });
    }

    [TestCase(10)]
    [TestCase(77)]
    [TestCase(-1)]
    public void A_label_beyond_the_classes_is_refused(int label)
    {
        Network network = ModelCatalog.Build("spiking_resnet18", new ModelOptions(10, 3, 32, 32, WidthDivisor: 16));
        InputFormat.Frames format = new("u8", 1, [0.01f, 0.01f, 0.01f], [-1, -1, -1]);
        using TrainingEngine engine = new(SharedDevice.Device, network, new EngineOptions
        {
            Steps = 2,
            TrainInput = format,
            TestInput = format,
            TrainBatches = [Batch],
            TestBatches = [Batch],
        });
        engine.Store.Initialize(3);
        (byte[] input, _) = Random(3 * 32 * 32 * Batch, 10);
        float[] before = Weights(engine);
        string message = $"sample 1 of the batch has label {label}, but the network has 10 classes: 0 to 9";
        Assert.Multiple(() =>
        {
            Assert.That(() => engine.TrainIteration(input, [9, label, 0], 0.1), Refuses());
            Assert.That(() => engine.Evaluate(input, [0, label, 9]), Refuses());
            Assert.That(Weights(engine), Is.EqualTo(before));
            Assert.That(engine.Iteration, Is.Zero);
            Assert.That(engine.WaitForMetrics().Samples, Is.Zero);
        });

        NUnit.Framework.Constraints.IResolveConstraint Refuses() => Throws.TypeOf<SlttException>()
            .With.Message.EqualTo(message).And.Property(nameof(SlttException.Kind)).EqualTo(ErrorKind.Data);
    }

    [Test]
    public void A_captured_iteration_is_the_direct_one()
    {
        float[] captured = Train(Options("spiking_resnet18"), iterations: 3);
        TrainOptions options = Options("spiking_resnet18");
        using BatchRun run = TestRuns.OnRandomBatch(options);
        for (int i = 0; i < 3; i++)
        {
            run.Launch(_ => { });
        }

        Assert.That(Weights(run.Engine), Is.EqualTo(captured));
    }

    private static TrainOptions Options(string model) => new()
    {
        Model = model,
        Dataset = model.Contains("vgg", StringComparison.Ordinal) ? "DVSCIFAR10" : "cifar10",
        WidthDivisor = 16,
        T = 4,
        BatchSize = Batch,
    };

    private static float[] Train(TrainOptions options, int iterations)
    {
        using BatchRun run = TestRuns.OnRandomBatch(options);
        for (int i = 0; i < iterations; i++)
        {
            run.Iterate();
        }

        return Weights(run.Engine);
    }

    private static double LastLoss(TrainOptions options, int iterations, out double first)
    {
        using BatchRun run = TestRuns.OnRandomBatch(options);
        first = 0;
        double last = 0;
        for (int i = 0; i < iterations; i++)
        {
            BatchMetrics metrics = run.Iterate();
            last = metrics.Loss / metrics.Samples;
            first = i == 0 ? last : first;
        }

        // The losses of SLTT-K are sums over the chosen steps alone.
        return last;
    }

    private static float[] Weights(TrainingEngine engine) => [.. engine.Network.Parameters.SelectMany(engine.Store.GetWeight)];

    private static (byte[] Input, int[] Labels) Random(int bytes, int classes)
    {
        Random random = new(5);
        byte[] input = new byte[bytes];
        random.NextBytes(input);
        return (input, [.. Enumerable.Range(0, Batch).Select(_ => random.Next(classes))]);
    }
}
