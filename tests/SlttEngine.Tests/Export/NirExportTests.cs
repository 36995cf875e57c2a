using SlttEngine.Export;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Export;

/// <summary>A NIR file, simulated by the specification's text alone, fires as our evaluation does.</summary>
public sealed class NirExportTests
{
    private const double Dt = 1e-4;

    /// <summary>What float32's rounding may make of a potential: a neuron nearer to its threshold is left out, and counted.</summary>
    private const double Rounding = 2e-5;

    [TestCaseSource(typeof(ExportedNetwork), nameof(ExportedNetwork.Names))]
    public void It_fires_as_our_evaluation_does(string name)
    {
        ExportedNetwork network = ExportedNetwork.Create(name);
        string path = network.Path("net.nir");
        network.Trainer.Export(path, ExportFormat.Nir);
        int t = 0;
        long compared = 0, leftOut = 0, fired = 0;
        double largest = 0;
        NirSimulator simulator = new(path, Dt)
        {
            Fired = (layer, spikes, v) =>
            {
                SpikeRecord ours = network.Watched[layer];
                float[] u = [.. ours.Potentials(t)];
                for (int i = 0; i < u.Length; i++)
                {
                    bool fires = u[i] >= ours.Threshold;
                    largest = Math.Max(largest, Math.Abs(v[i] - u[i]));
                    fired += fires ? 1 : 0;
                    if (Math.Abs(u[i] - ours.Threshold) <= Rounding)
                    {
                        leftOut++;
                        spikes[i] = fires ? 1 : 0; // so that what follows is comparable
                        continue;
                    }

                    compared++;
                    Assert.That(spikes[i] > 0, Is.EqualTo(fires), $"{layer}, step {t}, neuron {i}: u {u[i]:R}, in NIR {v[i]:R}");
                }

                return spikes;
            },
        };
        int frame = (int)network.Trainer.Network.Input.Elements;
        double[] sum = new double[network.Trainer.Network.Classes];
        for (; t < network.Steps; t++)
        {
            double[] logits = simulator.Step(network.Sample.AsSpan(network.FramePerStep ? t * frame : 0, frame).ToArray());
            sum = [.. sum.Zip(logits, (a, b) => a + b)];
        }

        TestContext.Out.WriteLine(
            $"{name}: {compared} decisions compared ({fired} spikes), {leftOut} left out, largest difference of potentials {largest:g3}");
        Assert.That(compared, Is.EqualTo(network.Watched.Values.Sum(r => (long)r.Neurons * r.Steps) - leftOut));
        Assert.That(leftOut, Is.LessThan(compared / 1000));
        Assert.That(largest, Is.LessThan(Rounding));
        Assert.That(sum.Select(s => (float)(s / network.Steps)), Is.EqualTo(network.Trainer.Predict(network.Sample).Logits).Within(5e-5f));
    }

    /// <summary>The other way: LIF nodes, which fire alike until the first reset.</summary>
    [Test]
    public void A_LIF_node_a_layer_fires_alike_until_it_is_reset()
    {
        ExportedNetwork network = ExportedNetwork.Create("resnet18");
        string path = network.Path("lif.nir");
        ExportSummary summary = network.Trainer.Export(path, ExportFormat.Nir, new ExportOptions { SingleNodeNeurons = true });
        Assert.That(summary.Notes, Has.Some.Contain("spikes differ from those of the training"));
        int t = 0;
        int[] differ = new int[network.Steps];
        NirSimulator simulator = new(path, Dt)
        {
            Fired = (layer, spikes, _) =>
            {
                bool[] ours = network.Watched[layer].Spikes(t);
                differ[t] += ours.Where((fires, i) => fires != spikes[i] > 0).Count();
                return spikes;
            },
        };
        for (; t < network.Steps; t++)
        {
            simulator.Step(network.Sample);
        }

        TestContext.Out.WriteLine($"decisions that differ at each step: {string.Join(", ", differ)}");
        Assert.That(differ[0], Is.Zero);
        Assert.That(differ[^1], Is.Positive); // by the specification's text; so the default is the exact form
        Assert.That(simulator.Nodes.Values.Select(n => n.Type), Has.None.EqualTo("Threshold"));
    }

    [Test]
    public void Batch_norm_is_folded_where_one_convolution_stands_in_front()
    {
        ExportedNetwork network = ExportedNetwork.Create("resnet18");
        string path = network.Path("net.nir");
        ExportSummary summary = network.Trainer.Export(path, ExportFormat.Nir);
        NirSimulator file = new(path, Dt);
        Assert.That(summary.Notes[0], Is.EqualTo("batch norm: 9 folded into the weights in front, 8 as an affine map of each channel"));
        Assert.That(file.Nodes, Does.Not.ContainKey("layer1.0.bn1").And.Not.ContainKey("layer1.0.bn2"));
        Assert.That(file.Nodes["layer1.1.bn1"].Dimensions("weight"), Is.EqualTo(new[] { 2, 2, 1, 1 }));
        Assert.That(file.Nodes["layer1.1.bn1"]["weight"][1], Is.Zero);
        Assert.That(file.Nodes["layer1.0.relu1.membrane"]["r"], Is.All.EqualTo(1.1f));
        Assert.That(new FileInfo(path).Length, Is.LessThan((4 * network.Trainer.Network.ParameterCount) + 250_000));
    }

    [Test]
    public void The_Python_package_h5py_finds_the_layout_that_nir_writes()
    {
        Python.Require("h5py");
        ExportedNetwork network = ExportedNetwork.Create("small");
        string path = network.Path("net.nir"), script = network.Path("layout.py");
        ExportSummary summary = network.Trainer.Export(path, ExportFormat.Nir);
        File.WriteAllText(script, Layout);
        string[] lines = Python.Run(script, path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Is.EqualTo(new[]
        {
            "version 1.0.7", "NIRGraph", "conv1 Conv2d bias dilation groups input_shape padding stride type weight",
            "weight float32 (4, 2, 3, 3)", "stride int64 (2,)", "groups int64 ()", "lif1.membrane LI r tau type v_leak",
            "tau float32 (4, 9, 9) gzip", "steps 4",
        }));
        Assert.That(summary.Content, Does.StartWith("NIR 1.0.7: "));
    }

    [Test]
    public void What_NIR_lacks_is_refused_by_name()
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "refused.nir");
        NetworkBuilder map = new NetworkBuilder(2, 9, 9).Conv(3, 3).Lif();
        AssertRefused(
            map.AdaptiveAvgPool(4, "odd").Conv(2, 1).Lif().Linear(3).Build(), ExportFormat.Nir, path,
            "odd: NIR can't express it: its windows differ");
        AssertRefused(
            new NetworkBuilder(2, 9, 9).Linear(8).Lif().Conv(4, 1, name: "after").Lif().Linear(3).Build(), ExportFormat.Nir, path,
            "after: NIR can't express it: it reads the vector");
        AssertRefused(
            new NetworkBuilder(2, 9, 9).Conv(3, 3, name: "a/b").Lif().Linear(3).Build(), ExportFormat.Nir, path,
            "a/b: a NIR node can't have this name");
        AssertRefused(
            new NetworkBuilder(2, 9, 9).Conv(3, 3, name: "train").Lif().Linear(3).Build(), ExportFormat.Torch, path,
            "train: a PyTorch module can't have this name");
        Assert.That(File.Exists(path), Is.False);
    }

    [TestCase(ExportFormat.Nir)]
    [TestCase(ExportFormat.Onnx)]
    [TestCase(ExportFormat.Torch)]
    public void A_layer_of_ones_own_is_refused_by_name(ExportFormat format)
    {
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "refused");
        Network network = new NetworkBuilder(2, 9, 9).Conv(3, 3).Lif().Apply((n, x) => new OwnLayer("mine", x)).Linear(3).Build();
        AssertRefused(network, format, path, "mine: a layer of the kind OwnLayer can't be exported");
    }

    private static void AssertRefused(Network network, ExportFormat format, string path, string message)
    {
        using Trainer trainer = new(SharedDevice.Device, network, new TrainingOptions { Steps = 2 });
        SlttException error = Assert.Throws<SlttException>(() => trainer.Export(path, format))!;
        Assert.That(error.Message, Does.StartWith(message));
        Assert.That(error.Hint, Is.Not.Null);
    }

    private const string Layout = """
        import sys
        import h5py

        with h5py.File(sys.argv[1]) as f:
            print("version", f["version"][()].decode())
            graph = f["node"]
            print(graph["type"][()].decode())
            nodes = graph["nodes"]
            edges = [(a.decode(), b.decode()) for a, b in graph["edges"][()]]
            assert ("input", "conv1") in edges and ("lif1.reset", "lif1.membrane") in edges
            assert {name for edge in edges for name in edge} == set(nodes)
            for name, fields in (("conv1", ("weight", "stride", "groups")), ("lif1.membrane", ("tau",))):
                node = nodes[name]
                print(name, node["type"][()].decode(), *sorted(node))
                for field in fields:
                    print(field, node[field].dtype, node[field].shape, *([node[field].compression] if node[field].compression else []))
            print("steps", graph["metadata/steps"][()].decode())
        """;

    private sealed class OwnLayer(string name, Edge input) : Layer(name, input.Like(name))
    {
        public override IReadOnlyList<Edge> Inputs => [input];

        public override Action Emit<T>(ProgramBuilder<T> b)
        {
            DeviceBuffer<T> y = b.NewActivation(Output);
            b.Add(b.ForwardOf(Output), Op.ForSteps(Name, [b.Activation(input)], [y], _ => { }));
            return () => b.AddGradient(input, b.DrainGradient(Output));
        }
    }
}
