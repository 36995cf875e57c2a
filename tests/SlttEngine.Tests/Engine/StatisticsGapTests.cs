using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Models;
using SlttEngine.Tests.Cli;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Training samples scored with running and with batch statistics: what, when, and that training does not notice.</summary>
public sealed class StatisticsGapTests
{
    private const int Batch = 16;

    /// <summary>With its batch's statistics a batch scores as in training, whatever the running ones are; these stay.</summary>
    [Test]
    public void Batch_statistics_are_trainings_and_nothing_moves([Values] BatchNormKind kind, [Values] bool isStatic)
    {
        using TrainingEngine engine = Engine(kind, isStatic ? 1 : 3);
        (byte[] input, int[] labels) = Samples(isStatic ? 1 : 3);
        SetStatistics(engine, variance: 0.02f);
        byte[] before = State(engine);
        BatchMetrics running = Score(engine, input, labels, batchStatistics: false);
        BatchMetrics batch = Score(engine, input, labels, batchStatistics: true);
        Assert.That(State(engine), Is.EqualTo(before));
        SetStatistics(engine, variance: 1e6f);
        Assert.Multiple(() =>
        {
            Assert.That(Score(engine, input, labels, batchStatistics: true).Top1, Is.EqualTo(batch.Top1));
            Assert.That(Score(engine, input, labels, batchStatistics: false).Loss, Is.Not.EqualTo(running.Loss));
            engine.TrainIteration(input, labels, 0);
            BatchMetrics trained = engine.WaitForMetrics();
            Assert.That(batch.Loss, Is.EqualTo(trained.Loss).Within(1e-5 * trained.Loss));
            Assert.That(batch.Top1, Is.EqualTo(trained.Top1));
        });
        engine.Evaluate(input, labels);
        BatchMetrics evaluated = engine.WaitForMetrics();
        Assert.That(Score(engine, input, labels, batchStatistics: false), Is.EqualTo(evaluated), "of the test program");
    }

    [Test]
    public void Training_between_looks_is_training([Values(MethodTable.Sltt, MethodTable.SlttK, MethodTable.Bptt)] string method)
    {
        byte[] Train(bool looks)
        {
            using TrainingEngine engine = Engine(BatchNormKind.Sltt, 1, method);
            (byte[] input, int[] labels) = Samples(1);
            for (int i = 0; i < 4; i++)
            {
                engine.TrainIteration(input, labels, 0.05);
                engine.WaitForMetrics();
                if (looks)
                {
                    Score(engine, input, labels, batchStatistics: i % 2 == 0);
                    Score(engine, input, labels, batchStatistics: i % 2 == 1);
                }
            }

            return State(engine);
        }

        Assert.That(Train(looks: true), Is.EqualTo(Train(looks: false)));
    }

    [Test]
    public void A_gap_is_warned_of_one_time()
    {
        using Setup setup = new();
        setup.Label(batchStatistics: true);
        setup.Gap.Check(3, trained: 0.9, tested: 0.2, default);
        setup.Gap.Check(9, trained: 0.9, tested: 0.2, default);
        Assert.That(setup.Observer.Warnings, Has.Count.EqualTo(1));
        Assert.That(
            setup.Observer.Warnings[0],
            Does.Match(@"^epoch 3: 32 training samples score 100\.0 % with .* but [0-8]?\d\.\d % with .*docs/guide/batch-norm\.md"));
    }

    [Test]
    public void Without_a_gap_there_is_no_warning_and_ever_fewer_looks()
    {
        using Setup setup = new();
        setup.Label(batchStatistics: false);
        List<int> looks = [];
        for (int epoch = 0; epoch < 24; epoch++)
        {
            setup.Set.Reads = 0;
            setup.Gap.Check(epoch, trained: 0.9, tested: epoch == 1 ? 0.9 : 0.75, default);
            if (setup.Set.Reads > 0)
            {
                looks.Add(epoch);
            }
        }

        Assert.That(setup.Observer.Warnings, Is.Empty);
        Assert.That(looks, Is.EqualTo(new[] { 0, 2, 5, 10, 19 }));
    }

    [Test]
    public void Statistics_that_are_new_and_tests_as_good_as_training_are_no_reason_to_look()
    {
        using Setup setup = new();
        setup.Label(batchStatistics: true);
        setup.Set.Reads = 0;
        setup.Gap.Check(0, trained: 0.9, tested: 0.81, default);
        setup.Engine.Iteration = 43; // 0.9^43 is more than 1 %
        setup.Gap.Check(0, trained: 0.9, tested: 0.2, default);
        Assert.That(setup.Set.Reads, Is.Zero);
        setup.Engine.Iteration = 44;
        setup.Gap.Check(0, trained: 0.9, tested: 0.2, default);
        Assert.That(setup.Set.Reads, Is.Positive);
        Assert.That(setup.Observer.Warnings, Has.Count.EqualTo(1));
    }

    /// <summary>A large set is looked at after every epoch: 1,024 evaluations are less than 1 % of it.</summary>
    [Test]
    public void A_large_set_needs_no_reason()
    {
        using Setup setup = new(samples: 40_000);
        setup.Label(batchStatistics: true);
        setup.Gap.Check(0, trained: 0.5, tested: 0.5, default);
        Assert.That(setup.Observer.Warnings, Has.Count.EqualTo(1).And.One.StartsWith("epoch 0: 512 training samples score 100.0 %"));
    }

    [Test]
    public void A_network_without_batch_norm_is_not_planned_for_it()
    {
        TrainOptions options = new() { Model = "spiking_nfresnet34", WidthDivisor = 32, T = 1, BatchSize = 2, Dataset = "imagenet" };
        using EnginePlan plan = RunFactory.Training(options).Plan(SharedDevice.Device, RunFactory.Format(options));
        Assert.That(plan.TrainingSamples(2, measures: false), Is.Empty);
    }

    private static (byte[] Input, int[] Labels) Samples(int steps)
    {
        Random random = new(5);
        byte[] input = new byte[steps * Batch * 3 * 32 * 32];
        random.NextBytes(input);
        return (input, [.. Enumerable.Range(0, Batch).Select(_ => random.Next(10))]);
    }

    private static BatchMetrics Score(TrainingEngine engine, byte[] input, int[] labels, bool batchStatistics)
    {
        engine.EvaluateTrainingSamples(input, labels, batchStatistics);
        return engine.WaitForMetrics();
    }

    private static TrainingEngine Engine(BatchNormKind kind, int steps, string method = MethodTable.Sltt)
    {
        Network network = ModelCatalog.Build("spiking_resnet18", new ModelOptions(10, 3, 32, 32, 0, 16, kind));
        InputFormat.Frames format = new("u8", steps, [1f / 64, 1f / 64, 1f / 64], [-2, -2, -2]);
        TrainingEngine engine = new(SharedDevice.Device, network, new EngineOptions
        {
            Method = MethodTable.Find(method).Create(new TrainOptions { K = 1 }),
            Steps = 3,
            StaticInput = steps == 1,
            TrainInput = format,
            TestInput = format,
            TrainBatches = [Batch],
            TestBatches = [Batch],
            GapBatch = Batch,
        });
        engine.Store.Initialize(3);
        return engine;
    }

    private static void SetStatistics(TrainingEngine engine, float variance)
    {
        foreach (StatisticsBuffer buffer in engine.Network.Statistics.Where(s => s.Name.EndsWith("var", StringComparison.Ordinal)))
        {
            engine.Store.SetStatistic(buffer, [.. Enumerable.Repeat(variance, buffer.Count)]);
        }
    }

    /// <summary>All that a checkpoint holds.</summary>
    private static byte[] State(TrainingEngine engine) =>
    [
        .. NetworkState.Save(engine.Store).SelectMany(t => t.Bytes.ToArray()),
        .. engine.Network.Parameters.SelectMany(p => engine.Store.GetOptimizerState(0, p)).SelectMany(BitConverter.GetBytes),
    ];

    /// <summary>A network whose running statistics silence it, and samples that it can be asked to be right about.</summary>
    private sealed class Setup : IDisposable
    {
        private readonly TrainingData data;

        public Setup(int samples = 40)
        {
            Set = new LabelledNoise(samples);
            TrainOptions options = new() { Model = "spiking_resnet18", WidthDivisor = 32, T = 1, BatchSize = Batch, Workers = 2 };
            TrainingOptions training = RunFactory.Training(options);
            data = new TrainingData(SharedDevice.Device, Set, training, train: true);
            Engine = new TrainingEngine(
                SharedDevice.Device,
                RunFactory.Network(options, Set.Shape, Set.Classes),
                training.Engine(data.Format, data.Format, staticInput: true) with { GapBatch = Batch })
            { Iteration = 44 };
            Engine.Store.Initialize(1);
            SetStatistics(Engine, 1e6f);
            Gap = new StatisticsGap(Engine, data, testSamples: 10, Observer);
        }

        public LabelledNoise Set { get; }

        public TrainingEngine Engine { get; }

        public StatisticsGap Gap { get; }

        public RecordingObserver Observer { get; } = new();

        /// <summary>Gives each sample the class that the network says.</summary>
        public void Label(bool batchStatistics)
        {
            using BatchLoader loader = data.Loader(Batch);
            loader.Start(epoch: 0);
            for (int i = 0; i < Math.Min(32, loader.BatchesPerEpoch); i++)
            {
                Batch batch = loader.Next()!;
                Engine.EvaluateTrainingSamples(data.Input(batch), batch.Labels, batchStatistics);
                Engine.WaitForMetrics();
                float[] logits = Engine.TrainingSamples(batchStatistics).ReadTotal();
                for (int n = 0; n < batch.Count; n++)
                {
                    ReadOnlySpan<float> sample = logits.AsSpan(n * Set.Classes, Set.Classes);
                    Set.Labels[batch.Indices[n]] = sample.IndexOf(logits[(n * Set.Classes)..((n + 1) * Set.Classes)].Max());
                }
            }
        }

        public void Dispose()
        {
            Engine.Dispose();
            data.Dispose();
        }
    }

    private sealed class LabelledNoise(int count) : IFrameSet
    {
        private int reads;

        public int Count => count;

        public FrameShape Shape => new(1, 3, 32, 32);

        public int Classes => 10;

        public IReadOnlyList<float> Scale => [1f / 64, 1f / 64, 1f / 64];

        public IReadOnlyList<float> Shift => [-2, -2, -2];

        public int[] Labels { get; } = new int[count];

        public int Reads
        {
            get => reads;
            set => reads = value;
        }

        public int Label(int index) => Labels[index];

        public void Read(int index, ulong draw, Span<byte> frames)
        {
            Interlocked.Increment(ref reads);
            new Random(index).NextBytes(frames);
        }
    }
}
