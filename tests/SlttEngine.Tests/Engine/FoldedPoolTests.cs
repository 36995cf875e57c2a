using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>
/// An average pool folded into the neurons in front of it trains as the layer of its own does, bit for bit, in less memory; both as
/// cuDNN's batch norm with the neurons behind it, but for rounding.
/// </summary>
public sealed class FoldedPoolTests
{
    private const int Batch = 3, Steps = 3, Channels = 2, Height = 8, Width = 12, Classes = 5;

    private static readonly Method[] Methods = [new Sltt(), new Bptt()];

    [Test]
    public void Training_is_the_same(
        [ValueSource(nameof(Methods))] Method method, [Values] bool staticInput, [Values(0f, 0.25f)] float dropRate)
    {
        float[] folded = Train(method, staticInput, dropRate, folds: true);
        Assert.Multiple(() =>
        {
            Assert.That(folded, Is.EqualTo(Train(method, staticInput, dropRate, folds: false)));
            Assert.That(folded, Has.All.Matches<float>(float.IsFinite));
        });
        float[] cudnn = Train(method, staticInput, dropRate, folds: true, BatchNormKind.Cudnn, iterations: 1);
        Near(cudnn, Train(method, staticInput, dropRate, folds: true, iterations: 1));
    }

    [Test]
    public void Spikes_that_are_pooled_never_have_memory()
    {
        Network network = Build(dropRate: 0, folds: true);
        ParameterStore store = new(SharedDevice.Device, network, Device.ComputeType.Float32, 0);
        ProgramBuilder<float> b = new(
            store, new ProgramShape(Batch, Steps, Device.ComputeType.Float32, true, false, true), new NeuronOptions());
        b.SetActivation(network.Input, b.Keep<float>("input", BufferKind.Batch, b.Count(network.Input)));
        List<Action> backward = [.. network.Layers.Select(layer => layer.Emit(b))];
        b.AddGradient(network.Logits, b.Scratch<float>("gradient", Batch * Classes));
        backward.Reverse();
        backward.ForEach(emit => emit());
        long pooled = 4 * b.Count(network.Layers[1].Output);
        Op[] spikes = [.. b.Ops(Section.Forward).Concat(b.Ops(Section.Backward)).Where(
            op => op.Name.StartsWith("lif1", StringComparison.Ordinal))];
        Assert.Multiple(() =>
        {
            Assert.That(spikes.Select(op => op.Name), Is.EqualTo(
                new[] { "lif1 normalise, fire and pool", "lif1 pooled spikes recomputed", "lif1 backward" }));
            Assert.That(spikes[0].Writes.Min(t => t.Bytes), Is.EqualTo(pooled));
            Assert.That(spikes[1].Writes.Single().Bytes, Is.EqualTo(pooled));
        });
    }

    [Test]
    public void A_window_that_leaves_pixels_over_is_refused()
    {
        Network network = new("test", Channels, 5, 4, Classes);
        BatchNormModule norm = BatchNormModule.Declare(network, "bn", Channels);
        Edge x = LayerHarness.Input("x", 5, 4, Channels);
        Assert.That(BatchNormLif.CanPool(x, 2), Is.False);
        Assert.That(() => new BatchNormLif("lif", norm, new(x), pool: 2), Throws.TypeOf<SlttException>().With.Message.Contains("5×4"));
    }

    private static float[] Train(
        Method method, bool staticInput, float dropRate, bool folds, BatchNormKind kind = BatchNormKind.Sltt, int iterations = 2)
    {
        Network network = Build(dropRate, folds, kind);
        InputFormat.Frames format = new("u8", staticInput ? 1 : Steps, [0.01f, 0.01f], [-1, -1]);
        using TrainingEngine engine = new(SharedDevice.Device, network, new EngineOptions
        {
            Method = method,
            Steps = Steps,
            StaticInput = staticInput,
            TrainInput = format,
            TestInput = format,
            TrainBatches = [Batch],
            TestBatches = [Batch],
        });
        engine.Store.Initialize(3);
        Random random = new(5);
        byte[] input = new byte[Channels * Height * Width * Batch * (staticInput ? 1 : Steps)];
        random.NextBytes(input);
        int[] labels = [0, 3, 4];
        for (int i = 0; i < iterations; i++)
        {
            engine.TrainIteration(input, labels, 0.1);
        }

        float[] weights = [.. network.Parameters.SelectMany(engine.Store.GetWeight)];
        engine.Evaluate(input, labels);
        return
        [
            .. weights,
            .. network.Parameters.SelectMany(engine.Store.GetGradient),
            .. network.Statistics.SelectMany(s => s.IsCounter ? [engine.Store.GetCounter(s)] : engine.Store.GetStatistic(s)),
            (float)engine.WaitForMetrics().Loss,
        ];
    }

    private static void Near(float[] actual, float[] expected)
    {
        double difference = Math.Sqrt(actual.Zip(expected, (a, e) => (double)(a - e) * (a - e)).Sum());
        Assert.That(difference / Math.Sqrt(expected.Sum(e => (double)e * e)), Is.LessThan(1e-5));
    }

    /// <summary>Two convolutions with normalised neurons, pools behind them, and a classifier.</summary>
    private static Network Build(float dropRate, bool folds, BatchNormKind kind = BatchNormKind.Sltt)
    {
        Network network = new("test", Channels, Height, Width, Classes);
        Edge x = network.Input;
        const int Window = 2;
        foreach ((int i, int channels) in new[] { (1, 7), (2, 16) })
        {
            ConvolutionModule conv = ConvolutionModule.Declare(
                network, $"conv{i}", x.Channels, channels, 3, 1, 1, new Initializer.Uniform(0.5));
            BatchNormModule norm = BatchNormModule.Declare(network, $"bn{i}", channels);
            Edge y = network.Add(new Convolution(conv, x));
            x = NormalisedNeurons.Add(network, kind, $"lif{i}", norm, new(y, conv.Bias), dropRate, folds ? Window : 1, $"pool{i}");
            x = folds ? x : network.Add(new AvgPool($"pool{i}", x, Window, Window));
        }

        network.Add(new Linear(network, "fc", x, new Initializer.Normal(0.5)));
        return network;
    }
}
