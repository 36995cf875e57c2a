using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>
/// The layer of examples/own-layer, whose kernels are compiled as the test runs: its gradients, training, memory and resume, on both
/// modes of the CPU device (on the GPU with SLTT_TEST_DEVICE=cuda).
/// </summary>
[TestFixtureSource(typeof(Kernels.KernelTest), nameof(Kernels.KernelTest.Kinds))]
public sealed class OwnLayerTests(DeviceKind kind)
{
    private const int Batch = 6, Steps = 3, Channels = 4, Size = 6, Classes = 3;

    private ComputeDevice device = null!;

    [OneTimeSetUp]
    public void Open() => device = ComputeDevice.Open(kind);

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    [SetUp]
    public void UseDevice() => device.Context.SetCurrent();

    // 5 channels are no whole pack, 8 are one in each type.
    [TestCase(5)]
    [TestCase(8)]
    public void Backward_is_the_difference_quotient_of_forward(int channels)
    {
        GradientCheck check = GradientCheck.Of(device, 3, 2, channels, (network, x) => new ChannelGain("gain", network, x));
        Assert.That(check.Differences.Select(d => d.Name), Is.EqualTo(new[] { "input", "gain.gain" }));
        Assert.That(check.Passes, Is.True, check.ToString());
    }

    [Test]
    public void It_trains([Values] ComputeType type, [Values] bool throughTime)
    {
        using TrainingEngine engine = Engine(type, throughTime);
        double first = 0, last = 0;
        for (int i = 0; i < (kind == DeviceKind.CpuFaithful ? 6 : 25); i++)
        {
            BatchMetrics metrics = Iterate(engine, 0.3);
            last = metrics.Loss / metrics.Samples;
            first = i == 0 ? last : first;
        }

        float[] gain = engine.Store.GetWeight(engine.Store.Find("gain.gain")!);
        Assert.That(last, Is.LessThan((kind == DeviceKind.CpuFaithful ? 0.95 : 0.7) * first));
        Assert.That(gain, Has.None.EqualTo(1f).And.All.InRange(-10f, 10f));
    }

    /// <summary>A 1×1 convolution with a diagonal filter does the same: all gradients of an iteration, and so the updates, agree.</summary>
    [Test]
    public void Its_gradients_are_those_of_built_in_layers([Values] bool throughTime, [Values] bool staticInput)
    {
        float[][] mine = Gradients(throughTime, staticInput, diagonal: false);
        float[][] theirs = Gradients(throughTime, staticInput, diagonal: true);
        theirs[^3] = [.. Enumerable.Range(0, Channels).Select(c => theirs[^3][(c * Channels) + c])];
        foreach ((float[] a, float[] b) in mine.Zip(theirs))
        {
            double norm = Math.Sqrt(b.Sum(v => (double)v * v));
            Assert.That(norm, Is.GreaterThan(1e-6));
            Assert.That(a.Zip(b, (x, y) => Math.Abs(x - y)).Max() / norm, Is.LessThan(1e-5));
        }
    }

    [Test]
    public void The_plan_has_its_bytes([Values] ComputeType type, [Values] bool throughTime)
    {
        using TrainingEngine engine = Engine(type, throughTime);
        using EnginePlan plan = new(device, Network(diagonal: false), Options(type, throughTime, staticInput: false));
        MemoryPlan memory = MemoryPlan.Of(plan.Store, plan.Program(Batch, training: true));
        LayerMemory gain = memory.Layers.Single(l => l.Name == "gain");
        long floats = ParameterStore.Padded(Channels) * 4;
        long weights = ParameterStore.Padded(Channels) * (type == ComputeType.Float32 ? 4 : 6);
        Assert.That((gain.Weights, gain.Gradients, gain.Optimizer), Is.EqualTo((weights, floats, floats)));

        // What it reads is kept, and so belongs to the batch norm in front; what it makes is not.
        long copies = throughTime ? Steps : 1, activation = Arena.Aligned(Batch * Channels * Size * Size * type.Size());
        Assert.That((gain.Saved, gain.State), Is.EqualTo((0L, 0L)));
        Assert.That(memory.Layers.Single(l => l.Name == "bn").Saved, Is.AtLeast(copies * activation));
        long guards = kind == DeviceKind.CpuFaithful ? engine.ArenaBytes - (memory.Total - memory.Store) : 0;
        Assert.That(memory.Total + guards, Is.EqualTo(engine.ArenaBytes + engine.StoreBytes));
    }

    /// <summary>
    /// The layer reads a convolution's output as forward left it. A batch norm adds the same output to its own, and would have it
    /// recomputed.
    /// </summary>
    [Test]
    public void What_it_keeps_is_not_recomputed([Values] bool throughTime, [Values(1, 3)] int stepsAtOnce)
    {
        float[][] Gradients(bool recompute)
        {
            NetworkBuilder spikes = new NetworkBuilder(2, Size, Size).Conv(8, 3).BatchNorm().Lif();
            NetworkBuilder shared = spikes.Conv(8, 3, bias: false, name: "shared");
            NetworkBuilder gained = shared.Apply((network, edge) => new ChannelGain("gain", network, edge)).Lif();
            Network network = spikes.Conv(8, 3, bias: false).Add(shared).BatchNorm().Lif().Add(gained).Lif().Linear(Classes).Build("own");
            using TrainingEngine engine = new(
                device, network, Options(ComputeType.Float32, throughTime, staticInput: false) with
                {
                    Recompute = recompute,
                    StepsAtOnce = stepsAtOnce,
                });
            engine.Store.Initialize(2);
            Iterate(engine, 0);
            return [.. network.Parameters.Select(engine.Store.GetGradient)];
        }

        Assert.That(Gradients(recompute: true), Is.EqualTo(Gradients(recompute: false)));
    }

    private static Network Network(bool diagonal)
    {
        NetworkBuilder x = new NetworkBuilder(2, Size, Size).Conv(Channels, 3).BatchNorm("bn");
        x = diagonal
            ? x.Conv(Channels, 1, bias: false, name: "gain")
            : x.Apply((network, edge) => new ChannelGain("gain", network, edge));
        return x.Lif().Linear(Classes).Build("own");
    }

    private static EngineOptions Options(ComputeType type, bool throughTime, bool staticInput)
    {
        InputFormat.Frames frames = new("u8", staticInput ? 1 : Steps, [1 / 64f, 1 / 64f], [-2, -2]);
        return new EngineOptions
        {
            Method = throughTime ? new Bptt() : new Sltt(),
            Steps = Steps,
            Type = type,
            StaticInput = staticInput,
            TrainInput = frames,
            TestInput = frames,
            TrainBatches = [Batch],
        };
    }

    private static BatchMetrics Iterate(TrainingEngine engine, double learningRate)
    {
        byte[] input = new byte[engine.Program(training: true, Batch).InputBytes];
        new Random(5).NextBytes(input);
        engine.TrainIteration(input, [0, 1, 2, 0, 1, 2], learningRate);
        return engine.WaitForMetrics();
    }

    private TrainingEngine Engine(ComputeType type, bool throughTime, bool staticInput = false, bool diagonal = false)
    {
        TrainingEngine engine = new(device, Network(diagonal), Options(type, throughTime, staticInput));
        engine.Store.Initialize(2);
        return engine;
    }

    private float[][] Gradients(bool throughTime, bool staticInput, bool diagonal)
    {
        using TrainingEngine engine = Engine(ComputeType.Float32, throughTime, staticInput, diagonal);
        float[] gain = [0.7f, 1.3f, -0.9f, 1.1f];
        Parameter parameter = engine.Network.Parameters[^3];
        engine.Store.SetWeight(parameter, diagonal
            ? [.. Enumerable.Range(0, Channels * Channels).Select(i => i / Channels == i % Channels ? gain[i % Channels] : 0f)] : gain);
        Iterate(engine, 0);
        return [.. engine.Network.Parameters.Select(engine.Store.GetGradient)];
    }
}
