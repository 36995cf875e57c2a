using SlttEngine.Data;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Models;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Export;

/// <summary>Removes what the tests made.</summary>
[SetUpFixture]
public sealed class ExportedNetworks
{
    [OneTimeTearDown]
    public void Remove() => ExportedNetwork.DisposeAll();
}

/// <summary>A small network with random parameters and statistics, and a sample of which no neuron comes too near its threshold.</summary>
internal sealed class ExportedNetwork
{
    private static readonly Dictionary<string, ExportedNetwork> Made = [];

    /// <summary>|u − v_th| beyond float32's rounding in another order of sums.</summary>
    internal const float Margin = 4e-6f;

    private ExportedNetwork(Trainer trainer, string folder) => (Trainer, Folder) = (trainer, folder);

    internal Trainer Trainer { get; }

    internal string Folder { get; }

    internal int Steps => Trainer.Options.Steps;

    /// <summary>Names for cases of tests.</summary>
    internal static string[] Names => ["small", "resnet18", "vgg11", "nfresnet34", "nfresnet50"];

    /// <summary>Potentials of all layers of neurons for the sample.</summary>
    internal IReadOnlyDictionary<string, SpikeRecord> Watched { get; private set; } = new Dictionary<string, SpikeRecord>();

    /// <summary>The sample: one frame, or one a step.</summary>
    internal float[] Sample { get; private set; } = [];

    internal bool FramePerStep { get; private init; }

    /// <summary>A network, made once for all tests.</summary>
    internal static ExportedNetwork Create(string name)
    {
        if (!Made.TryGetValue(name, out ExportedNetwork? network))
        {
            Made[name] = network = Make(name);
        }

        _ = SharedDevice.Device;
        return network;
    }

    internal static void DisposeAll()
    {
        foreach (ExportedNetwork network in Made.Values)
        {
            network.Trainer.Dispose();
            Directory.Delete(network.Folder, recursive: true);
        }
    }

    private static ExportedNetwork Make(string name) => name switch
    {
        "small" => Create(Small(), new NeuronOptions(2.5, Threshold: 0.75f), 4, framePerStep: true),
        "resnet18" => Create(Built("spiking_resnet18", new ModelOptions(10, 3, 25, 25, 0.3f, 32)), new NeuronOptions(), 3, false),
        "vgg11" => Create(Built("spiking_vgg11_bn", new ModelOptions(11, 2, 32, 32, 0.2f, 32)), new NeuronOptions(1.5), 3, true),
        "nfresnet34" => Create(Built("spiking_nfresnet34", new ModelOptions(7, 3, 32, 32, 0, 32)), new NeuronOptions(), 2, false),
        _ => Create(Built("spiking_nfresnet50", new ModelOptions(7, 3, 17, 17, 0, 32)), new NeuronOptions(1.25), 2, false),
    };

    /// <summary>Each standard layer once: a folded batch norm, one behind a sum, one behind a hidden linear layer; own constants.</summary>
    internal static Network Small() => new NetworkBuilder(channels: 2, height: 9, width: 9)
        .Conv(4, 3).BatchNorm().Lif().Dropout(0.2f).AvgPool(3, 2, 1)
        .Residual(x => x.Conv(4, 3, bias: true).BatchNorm().Lif(tau: 1.3).Conv(4, 3, bias: true)).BatchNorm().Lif(threshold: 0.5f)
        .Residual(x => x.Conv(6, 1), x => x.Conv(6, 3)).Lif()
        .AdaptiveAvgPool(2).Linear(12).BatchNorm().Lif().Linear(9).Lif().Linear(5).Build("small");

    internal string Path(string file) => System.IO.Path.Combine(Folder, file);

    private static Network Built(string model, ModelOptions options) => ModelCatalog.Build(model, options);

    private static ExportedNetwork Create(Network network, NeuronOptions neuron, int steps, bool framePerStep)
    {
        string folder = Directory.CreateTempSubdirectory("sltt-export-").FullName;
        Trainer trainer = new(SharedDevice.Device, network, new TrainingOptions { Steps = steps, Neuron = neuron, Seed = 5 });
        ExportedNetwork created = new(trainer, folder) { FramePerStep = framePerStep };
        Randomise(trainer, created.Path("random.safetensors"));
        for (int seed = 0; seed < 40; seed++)
        {
            created.Look(seed);
            int lively = created.Watched.Values.Count(r => r.FiringRate is > 0 and < 1);
            Assert.That(lively, Is.GreaterThan(created.Watched.Count * 0.8), $"{network.Model}: layers that fire, but not always");
            if (created.Watched.Values.All(r => Enumerable.Range(0, steps).All(t => IsClear(r, t))))
            {
                return created;
            }
        }

        throw new InvalidOperationException($"{network.Model}: no sample without a neuron near its threshold");
    }

    private static bool IsClear(SpikeRecord record, int t)
    {
        foreach (float u in record.Potentials(t))
        {
            if (MathF.Abs(u - record.Threshold) < Margin)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Parameters and statistics as no initialisation has them: gains and variances that differ, skip gains that are not 0.
    /// </summary>
    private static void Randomise(Trainer trainer, string path)
    {
        trainer.Save(path);
        Random random = new(17);
        NamedTensor[] tensors = [.. CheckpointFile.Read(path).Tensors.Select(t => t.Type != TensorType.F32 ? t : NamedTensor.Float32(
            t.Name, [.. t.Shape], [.. t.ToFloat32().Select(v => Changed(t, v, random))]))];
        new CheckpointFile(tensors, new Dictionary<string, string>()).WriteSafeTensors(path);
        trainer.Load(path);
    }

    private static float Changed(NamedTensor tensor, float value, Random random)
    {
        float noise = (float)((random.NextDouble() * 2) - 1);
        return tensor.Name.Split('.')[^1] switch
        {
            "running_var" or "gain" => 1 + (0.5f * noise),
            "skipinit_gain" => 1 + noise,
            "running_mean" => value + (0.3f * noise),
            "bias" => 0.5f + (0.7f * noise), // so that layers neither are silent nor always fire
            "weight" when tensor.Shape.Length == 1 => 1.5f + noise,
            _ => value + (0.1f * noise),
        };
    }

    private void Look(int seed)
    {
        Random random = new(seed);
        Edge input = Trainer.Network.Input;
        int numbers = (int)input.Elements * (FramePerStep ? Steps : 1);
        Sample = [.. Enumerable.Range(0, numbers).Select(_ => (float)(random.NextDouble() * 3) - 1)];
        Watched = Trainer.Network.Layers.Where(l => l.Spikes is not null).ToDictionary(l => l.Name, l => Trainer.Watch(l.Name, Sample));
    }
}
