using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Layers;
using SlttEngine.Models;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Library;

/// <summary>Networks that are put together layer by layer.</summary>
public sealed class NetworkBuilderTests
{
    [Test]
    public void The_official_VGG_comes_out_the_same([Values] bool drops)
    {
        ModelOptions options = new(10, 2, 32, 32, drops ? 0.3f : 0, WidthDivisor: 16);
        NetworkBuilder x = new(2, 32, 32);
        int[][] stages = [[64], [128], [256, 256], [512, 512], [512, 512]];
        for (int stage = 0; stage < stages.Length; stage++)
        {
            string prefix = $"layer{stage + 1}.";
            for (int i = 0; i < stages[stage].Length; i++)
            {
                int at = 4 * i;
                x = x.Conv(stages[stage][i] / 16, 3, bias: true, name: prefix + at).BatchNorm(prefix + (at + 1))
                    .Lif(name: prefix + (at + 2));
                x = drops ? x.Dropout(0.3f, prefix + (at + 3)) : x;
            }

            x = x.AvgPool(2, name: prefix + (4 * stages[stage].Length));
        }

        Network built = x.AdaptiveAvgPool(7, "avgpool").Linear(10, "classifier.1").Build("vgg");
        AssertSame(built, SpikingVgg.Build(options), new Bptt());
    }

    [Test]
    public void The_official_ResNet_comes_out_the_same()
    {
        ModelOptions options = new(10, 3, 32, 32, WidthDivisor: 16);
        NetworkBuilder x = new NetworkBuilder(3, 32, 32).Conv(4, 3, name: "conv1", bias: false);
        int channels = 4;
        for (int stage = 0; stage < 4; stage++)
        {
            int stride = stage == 0 ? 1 : 2, output = 4 << stage;
            string name = $"layer{stage + 1}.0.";
            NetworkBuilder spikes = x.BatchNorm(name + "bn1").Lif(name: name + "relu1");
            NetworkBuilder main = spikes.Conv(output, 3, stride, bias: true, name: name + "conv1").BatchNorm(name + "bn2")
                .Lif(name: name + "relu2").Conv(output, 3, bias: true, name: name + "conv2");
            x = main.Add(
                stride == 1 && channels == output ? spikes : spikes.Conv(output, 1, stride, 0, bias: true, name: name + "shortcut"));
            channels = output;
        }

        Network built = x.BatchNorm("bn1").Lif(name: "relu1").AvgPool(4).Linear(10, "linear").Build("resnet");
        AssertSame(built, SpikingResNet.Build("spiking_resnet10", [1, 1, 1, 1], options), new Sltt());
    }

    [Test]
    public void Constants_of_a_layer_count_for_it_alone([Values] bool pooled, [Values] bool normalised)
    {
        NetworkBuilder Start() => new NetworkBuilder(2, 8, 8).Conv(6, 3);
        NetworkBuilder Normalise(NetworkBuilder x) => normalised ? x.BatchNorm() : x;
        NetworkBuilder End(NetworkBuilder x) => (pooled ? x.AvgPool(2) : x).GlobalAvgPool().Linear(4);
        NeuronOptions constants = new(Tau: 2, Surrogate.Rectangle, Threshold: 0.6f);
        Network own = End(Normalise(Start()).Lif(2, 0.6f, Surrogate.Rectangle)).Build();
        Network plain = End(Normalise(Start()).Lif()).Build();
        float[][] withOwn = Train(own, new Bptt(), new NeuronOptions());
        Assert.That(withOwn, Is.EqualTo(Train(plain, new Bptt(), constants)));
        Assert.That(withOwn, Is.Not.EqualTo(Train(plain, new Bptt(), new NeuronOptions())));
    }

    /// <summary>Six readers of one spike tensor: the same as one convolution of six times the channels, its filters side by side.</summary>
    [Test]
    public void A_value_may_have_many_readers([Values] bool dropped, [Values] bool pooled)
    {
        NetworkBuilder Spikes()
        {
            NetworkBuilder spikes = new NetworkBuilder(2, 8, 8).Conv(4, 3).BatchNorm().Lif();
            spikes = dropped ? spikes.Dropout(0.25f) : spikes;
            return pooled ? spikes.AvgPool(2) : spikes;
        }

        NetworkBuilder shared = Spikes();
        NetworkBuilder sum = shared.Conv(4, 3, bias: false);
        for (int i = 1; i < 5; i++)
        {
            sum = sum.Add(shared.Conv(4, 3, bias: false));
        }

        Network many = sum.Add(shared).Lif().GlobalAvgPool().Linear(3).Build();
        Network one = Spikes().Residual(x => x.Conv(4, 3, bias: false)).Lif().GlobalAvgPool().Linear(3).Build();

        // Five equal filters of a fifth: the sum is the one convolution, and each filter gets the one's gradient.
        using BatchRun a = Run(many, new Sltt(), new NeuronOptions()), b = Run(one, new Sltt(), new NeuronOptions());
        foreach (Parameter parameter in many.Parameters)
        {
            float[] values = one.Parameters.Any(p => p.Name == parameter.Name) ? b.Engine.Store.GetWeight(Find(one, parameter.Name))
                : b.Engine.Store.GetWeight(Find(one, "conv2.weight"));
            bool isPart = parameter.Name.StartsWith("conv", StringComparison.Ordinal) && parameter.Name != "conv1.weight";
            a.Engine.Store.SetWeight(parameter, isPart ? [.. values.Select(v => v / 5)] : values);
        }

        Assert.That(a.Iterate().Loss, Is.EqualTo(b.Iterate().Loss).Within(1e-4));
        foreach (Parameter parameter in one.Parameters)
        {
            float[] gradient = a.Engine.Store.GetGradient(Find(many, parameter.Name));
            float[] expected = b.Engine.Store.GetGradient(parameter);
            Assert.That(gradient, Is.EqualTo(expected).Within(1e-5 + (2e-4 * expected.Max(Math.Abs))), parameter.Name);
            Assert.That(expected.Any(g => g != 0), parameter.Name);
        }
    }

    [Test]
    public void Fused_layers_compute_what_separate_ones_do([Values] bool residual)
    {
        NetworkBuilder Body(NetworkBuilder x, bool apart)
        {
            NetworkBuilder spikes = x.Conv(4, 3).BatchNorm().Lif();
            NetworkBuilder main = spikes.Conv(4, 3, bias: true);
            NetworkBuilder sum = residual ? main.Add(spikes) : main;

            // A second reader keeps the batch norm and its neurons apart.
            NetworkBuilder norm = sum.BatchNorm();
            NetworkBuilder fired = norm.Lif();
            return apart ? fired.Add(norm.Apply((_, e) => new Nothing("nothing", e))) : fired;
        }

        Network fused = Body(new(2, 8, 8), apart: false).GlobalAvgPool().Linear(3).Build();
        Network apart = Body(new(2, 8, 8), apart: true).GlobalAvgPool().Linear(3).Build();
        Assert.That(fused.Layers.OfType<CudnnBatchNorm>(), Is.Empty);
        Assert.That(apart.Layers.OfType<CudnnBatchNorm>().Count(), Is.EqualTo(1));
        float[][] a = Train(fused, new Sltt(), new NeuronOptions()), b = Train(apart, new Sltt(), new NeuronOptions());
        for (int i = 0; i < a.Length; i++)
        {
            Assert.That(a[i], Is.EqualTo(b[i]).Within(2e-4), fused.Parameters[i].Name);
        }
    }

    [Test]
    public void Hidden_linear_layers_read_features_in_PyTorchs_order()
    {
        const int Channels = 3, Height = 4, Width = 5, Hidden = 7;
        Network network = new NetworkBuilder(Channels, Height, Width).Linear(Hidden).Lif(tau: 2, threshold: 0.5f).Linear(2).Build();
        Assert.That(
            network.Parameters.Select(p => (p.Name, string.Join('×', p.Shape))),
            Is.EqualTo(new[] { ("linear1.weight", "7×60"), ("linear1.bias", "7"), ("linear2.weight", "2×7"), ("linear2.bias", "2") }));
        using Trainer trainer = new(SharedDevice.Device, network, new TrainingOptions { Steps = 3 });
        float[] sample = [.. Enumerable.Range(0, 60).Select(i => MathF.Sin(i))];
        CheckpointFile saved = Saved(trainer);
        float[] weight = saved.Tensors.Single(t => t.Name == "net.linear1.weight").ToFloat32();
        float[] bias = saved.Tensors.Single(t => t.Name == "net.linear1.bias").ToFloat32();
        SpikeRecord record = trainer.Watch("lif1", sample);
        double[] v = new double[Hidden];
        for (int t = 0; t < 3; t++)
        {
            for (int o = 0; o < Hidden; o++)
            {
                double u = (0.5 * v[o]) + bias[o] + Enumerable.Range(0, 60).Sum(i => (double)weight[(o * 60) + i] * sample[i]);
                Assert.That(record.Potentials(t)[o], Is.EqualTo(u).Within(1e-5), $"step {t}, neuron {o}");
                Assert.That(record.Spikes(t)[o], Is.EqualTo(u >= 0.5));
                v[o] = u - (u >= 0.5 ? 0.5 : 0);
            }
        }
    }

    /// <summary>A bias is the weight of an input that is 1 everywhere: both get the same gradient.</summary>
    [Test]
    public void A_bias_without_batch_norm_is_added_and_learns()
    {
        Network network = new NetworkBuilder(2, 6, 6).Conv(4, 1).Lif().GlobalAvgPool().Linear(3).Build();
        SampleBatch random = Random(network);
        for (int i = 0; i < random.Elements.Length; i++)
        {
            random.Elements[i] = i / 36 % 2 == 0 ? (byte)1 : random.Elements[i];
        }

        using BatchRun run = Run(network, new Sltt(), new NeuronOptions(), random);
        run.Iterate();
        float[] weight = run.Engine.Store.GetGradient(Find(network, "conv1.weight"));
        float[] bias = run.Engine.Store.GetGradient(Find(network, "conv1.bias"));
        Assert.That(bias, Is.EqualTo(weight.Where((_, i) => i % 2 == 0)).Within(1e-6));
        Assert.That(bias.Any(g => g != 0));
        Network normalised = new NetworkBuilder(2, 8, 8).Conv(4, 3).BatchNorm().Lif().GlobalAvgPool().Linear(3).Build();
        Assert.That(normalised.StateNames, Does.Not.Contain("conv1.bias"));
    }

    [Test]
    public void Networks_that_cannot_be_are_refused()
    {
        NetworkBuilder x = new NetworkBuilder(2, 8, 8).Conv(4, 3).BatchNorm().Lif();
        NetworkBuilder other = new(2, 8, 8);
        Refused(() => x.Build(), "lif1 can't be the last layer");
        Refused(() => x.Add(other), "input: a value of another network");
        Refused(() => new NetworkBuilder(2, 8, 8).Conv(4, 9, padding: 0).Lif().Linear(2).Build(), "conv1: a window of 9×9 is larger");
        Refused(() => new NetworkBuilder(2, 8, 8).Lif(tau: 1).Linear(2).Build(), "lif1.Tau 1: must be greater than 1");
        Refused(() => new NetworkBuilder(2, 8, 8).Lif(threshold: 0).Linear(2).Build(), "lif1.Threshold 0");
        Refused(() => new NetworkBuilder(2, 8, 8).Lif().Dropout(1).Linear(2).Build(), "dropout1: a dropout rate of 1");
        Refused(
            () => new NetworkBuilder(2, 8, 8).Residual(b => b.Conv(4, 3)).Lif().Linear(2).Build(),
            "a residual must have the height",
            hint: true);
        NetworkBuilder branch = new(2, 8, 8);
        branch.Conv(3, 3);
        Refused(() => branch.Lif().Linear(2).Build(), "conv1: no layer reads it");
        Refused(() => new NetworkBuilder(2, 8, 8).Conv(2, 3, name: "a").Lif(name: "a").Linear(2).Build(), "a: two layers have this name");
    }

    private static void Refused(Action build, string message, bool hint = false)
    {
        SlttException error = Assert.Throws<SlttException>(() => build())!;
        Assert.That(hint ? error.Hint : error.Message, Does.Contain(message));
    }

    private static void AssertSame(Network built, Network official, Method method)
    {
        Assert.That(built.StateNames, Is.EqualTo(official.StateNames));
        Assert.That(
            built.Layers.Select(l => l.GetType().Name).Order(), Is.EqualTo(official.Layers.Select(l => l.GetType().Name).Order()));
        using BatchRun a = Run(built, method, new NeuronOptions()), b = Run(official, method, new NeuronOptions());
        NetworkState.Load(a.Engine.Store, new CheckpointFile(NetworkState.Save(b.Engine.Store), new Dictionary<string, string>()));
        for (int i = 0; i < 2; i++)
        {
            Assert.That(a.Iterate().Loss, Is.EqualTo(b.Iterate().Loss));
        }

        Assert.That(Weights(a), Is.EqualTo(Weights(b)));
    }

    private static float[][] Train(Network network, Method method, NeuronOptions neuron)
    {
        using BatchRun run = Run(network, method, neuron);
        run.Iterate();
        run.Iterate();
        return Weights(run);
    }

    private static BatchRun Run(Network network, Method method, NeuronOptions neuron, SampleBatch? batch = null)
    {
        TrainingOptions options = new() { Network = (_, _) => network, Steps = 3, Method = method, Neuron = neuron, BatchSize = 4 };
        return new BatchRun(SharedDevice.Device, options, batch ?? Random(network));
    }

    private static SampleBatch Random(Network network)
    {
        Edge input = network.Input;
        float[] ones = [.. Enumerable.Repeat(1f, input.Channels)];
        FrameShape shape = new(3, input.Channels, input.Height, input.Width);
        return SampleBatch.Random(
            new SampleFormat.Frames(shape, network.Classes, SampleElement.UInt8, ones, new float[input.Channels]), 4);
    }

    private static float[][] Weights(BatchRun run) =>
        [.. run.Engine.Network.Parameters.Select(run.Engine.Store.GetWeight)];

    private static Parameter Find(Network network, string name) => network.Parameters.Single(p => p.Name == name);

    private static CheckpointFile Saved(Trainer trainer)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".safetensors");
        try
        {
            trainer.Save(path);
            return CheckpointFile.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Makes zeros of a value, and hands no gradient back.</summary>
    private sealed class Nothing : Layer
    {
        private readonly Edge input;

        public Nothing(string name, Edge input)
            : base(name)
        {
            this.input = input;
            Output = new Edge(name, input.Height, input.Width, input.Channels, dependsOnInputOnly: false);
        }

        public override IReadOnlyList<Edge> Inputs => [input];

        public override Action Emit<T>(ProgramBuilder<T> b)
        {
            DeviceBuffer<T> x = b.Activation(input), y = b.NewActivation(Output);
            long n = b.Count(Output);
            b.Add(Section.Forward, new Op(Name, [x], [y], t => b.Device.Kernels.Scale(b.Elementwise(n), y.At(t), x.At(t), 0f, n)));
            return () => b.DrainGradient(Output);
        }
    }
}
