using SlttEngine.Cli.Options;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Tests.Cli;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Layers that never or always fire are named, each one time.</summary>
public sealed class FiringCheckTests
{
    [Test]
    public void Layers_that_never_or_always_fire_are_named_one_time([Values] BatchNormKind kind)
    {
        TrainOptions options = new()
        {
            Model = "spiking_resnet18",
            WidthDivisor = 16,
            T = 2,
            BatchSize = 4,
            BatchNorm = kind,
            Device = SharedDevice.Choice,
        };
        SampleBatch samples = SampleBatch.Random(RunFactory.Format(options), 8);
        InputFormat.Frames format = new("u8", 1, [1f / 64, 1f / 64, 1f / 64], [-2, -2, -2]);
        using TrainingEngine engine = new(
            SharedDevice.Device,
            RunFactory.Network(options, samples.Shape, samples.Classes),
            new EngineOptions { Steps = 2, TrainInput = format, TestInput = format, TestBatches = [4], WatchFiring = true });
        engine.Iteration = 22; // as if after 44 steps
        engine.Store.Initialize(1);
        foreach (StatisticsBuffer buffer in engine.Network.Statistics.Where(s => s.Name.EndsWith("var", StringComparison.Ordinal)))
        {
            engine.Store.SetStatistic(buffer, [.. Enumerable.Repeat(0.05f, buffer.Count)]); // so that all layers fire
        }

        RecordingObserver told = new();
        FiringCheck check = new(engine, told);
        Pass(0);
        Assert.That(told.Warnings, Is.Empty, "a network as it begins");

        // The neurons behind these biases: below the threshold in every step, and above it.
        Bias("layer1.0.bn2", -50);
        Bias("layer3.1.bn1", 50);
        Bias("layer4.1.bn2", 50);
        Pass(1);
        Pass(2);
        Assert.That(told.Warnings, Has.Count.EqualTo(2));
        Assert.That(told.Warnings[0], Does.StartWith("layer1.0.relu2 did not fire once in epoch 1's test pass: "));
        Assert.That(
            told.Warnings[1], Does.StartWith("layer3.1.relu1, layer4.1.relu2 fired in every neuron and step in epoch 1's test pass: "));
        Bias("layer4.1.bn1", -50);
        Pass(3);
        Assert.That(told.Warnings, Has.Count.EqualTo(3));
        Assert.That(told.Warnings[2], Does.StartWith("layer4.1.relu1 did not fire once in epoch 3's test pass: "));

        void Bias(string norm, float value)
        {
            Parameter bias = engine.Store.Find(norm + ".bias")!;
            engine.Store.SetWeight(bias, [.. Enumerable.Repeat(value, bias.Count)]);
        }

        void Pass(int epoch)
        {
            check.Begin();
            int half = samples.Elements.Length / 2;
            engine.Evaluate(samples.Elements.AsSpan(0, half), samples.Labels.AsSpan(0, 4));
            engine.Evaluate(samples.Elements.AsSpan(half), samples.Labels.AsSpan(4));
            check.End(epoch);
        }
    }

    /// <summary>One neuron that fires one time in the whole pass, and one that rests, are enough.</summary>
    [Test]
    public void A_layer_is_named_only_if_all_of_it_is_so()
    {
        TrainOptions options = new() { Model = "spiking_resnet18", WidthDivisor = 32, T = 1, BatchSize = 1, Device = SharedDevice.Choice };
        SampleBatch samples = SampleBatch.Random(RunFactory.Format(options), 2);
        InputFormat.Frames format = new("u8", 1, [1f / 64, 1f / 64, 1f / 64], [-2, -2, -2]);
        using TrainingEngine engine = new(
            SharedDevice.Device,
            RunFactory.Network(options, samples.Shape, samples.Classes),
            new EngineOptions { Steps = 1, TrainInput = format, TestInput = format, TestBatches = [1], WatchFiring = true });
        engine.Store.Initialize(1);
        Parameter bias = engine.Store.Find("layer1.0.bn1.bias")!;
        Parameter weight = engine.Store.Find("layer1.0.bn1.weight")!;
        engine.Store.SetWeight(weight, new float[weight.Count]);
        engine.Store.SetWeight(bias, [-50, 50]);
        (string Layer, bool Fired, bool Silent) = Read();
        Assert.That((Fired, Silent), Is.EqualTo((true, true)), "a channel of each");
        engine.Store.SetWeight(bias, [-50, -50]);
        Assert.That(Read(), Is.EqualTo((Layer, false, true)));
        engine.Store.SetWeight(bias, [50, 50]);
        Assert.That(Read(), Is.EqualTo((Layer, true, false)));
        engine.Store.SetWeight(bias, [-50, -50]);
        Assert.That(Read(clear: false), Is.EqualTo((Layer, true, true)), "over two passes");

        (string Layer, bool Fired, bool Silent) Read(bool clear = true)
        {
            if (clear)
            {
                engine.FiringFlags!.Clear();
            }

            engine.Evaluate(samples.Elements.AsSpan(0, samples.Elements.Length / 2), samples.Labels.AsSpan(0, 1));
            return engine.FiringFlags!.Read().Single(l => l.Layer == "layer1.0.relu1");
        }
    }

    /// <summary>From the epoch on in which the running statistics, which testing uses, are those of the data.</summary>
    [Test]
    public void A_run_names_them()
    {
        using SmallCifar data = new();
        TrainOptions options = new()
        {
            DataDir = data.Folder,
            AllowIncomplete = true,
            OutDir = data.OutDir,
            Model = "spiking_resnet18",
            WidthDivisor = 32,
            T = 5,
            BatchSize = 8,
            Epochs = 3,
            Workers = 1,
            LearningRate = 0,
            Device = SharedDevice.Choice,
        };
        TestRuns.WithRun(options with { Epochs = 1 }, new RecordingObserver(), trainer => trainer.Run(default));
        string silent = Path.Combine(data.Folder, "silent.safetensors");
        ChangedCheckpoint.Write(
            Path.Combine((options with { Epochs = 1 }).RunFolder, TrainingRun.LatestCheckpoint), silent, "net.layer1.0.bn2.bias",
            values => Array.Fill(values, -50));
        RecordingObserver told = new();
        TestRuns.WithRun(options with { PreTrain = silent }, told, trainer => trainer.Run(default));
        string[] named = [.. told.Warnings.Where(w => w.Contains("layer1.0.relu2", StringComparison.Ordinal))];
        Assert.That(named, Has.Length.EqualTo(1).And.All.Contains("did not fire once in epoch 1's test pass: "));
    }
}
