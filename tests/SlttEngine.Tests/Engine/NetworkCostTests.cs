using System.Text.Json;
using SlttEngine.Cli.Options;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>What sltt models and sltt eval count.</summary>
public sealed class NetworkCostTests
{
    private static IEnumerable<string> Models => ModelCatalog.All.Select(m => m.Name);

    [TestCaseSource(nameof(Models))]
    public void Multiply_adds_are_those_of_the_official_weights(string model)
    {
        // Each weight is used once for each pixel of its layer's output: from the official shapes, and sizes as the models' papers give
        // them.
        using JsonDocument official = JsonDocument.Parse(File.ReadAllText(Path.Combine(GoldenFiles.Folder, "state_dicts.json")));
        long expected = 0;
        foreach (JsonElement entry in official.RootElement.GetProperty(model).GetProperty("state_dict").EnumerateArray())
        {
            string name = entry[0].GetString()!;
            long[] shape = [.. entry[1].EnumerateArray().Select(d => d.GetInt64())];
            if (name.EndsWith(".weight", StringComparison.Ordinal) && shape.Length is 2 or 4)
            {
                long size = Size(model, name, shape);
                expected += shape.Aggregate((a, b) => a * b) * size * size;
            }
        }

        Assert.That(new NetworkCost(Build(model)).MultiplyAdds, Is.EqualTo(expected));
    }

    [TestCaseSource(nameof(Models))]
    public void Multiply_adds_are_those_of_the_planned_operations(string model)
    {
        ModelEntry entry = ModelCatalog.All.Single(m => m.Name == model);
        TrainOptions options = new() { Model = model, Dataset = entry.DataSet, WidthDivisor = 16, BatchSize = 1, T = 2 };
        using EnginePlan plan = RunFactory.Training(options).Plan(SharedDevice.Device, RunFactory.Format(options));
        NetworkProgram program = plan.Program(1, training: false);
        long planned = program.Ops(Section.Begin).Concat(program.Ops(Section.Forward)).Sum(op => op.MultiplyAdds);
        SlttEngine.Data.SampleFormat format = RunFactory.Format(options);
        Assert.That(new NetworkCost(RunFactory.Network(options, format.Shape, format.Classes)).MultiplyAdds, Is.EqualTo(planned));
    }

    [Test]
    public void Neurons_of_the_small_models_by_hand()
    {
        // ResNet-18: relu1 of each block on its input, relu2 on its own map; then the last map once more.
        long resnet = (4 * 64 * 1024) + (64 * 1024) + (3 * 128 * 256) + (128 * 256)
            + (3 * 256 * 64) + (256 * 64) + (3 * 512 * 16) + (512 * 16);
        long vgg = (64 * 48 * 48) + (128 * 24 * 24) + (2 * 256 * 12 * 12) + (2 * 512 * 6 * 6) + (2 * 512 * 3 * 3);
        Assert.That(new NetworkCost(Build("spiking_resnet18")).Neurons, Is.EqualTo(resnet));
        Assert.That(new NetworkCost(Build("spiking_vgg11_bn")).Neurons, Is.EqualTo(vgg));
    }

    [Test]
    public void A_spike_meets_the_weights_that_its_neighbours_use()
    {
        // 3×3, stride 2, padding 1 on 5×4: outputs at rows 0, 2, 4 and columns 0, 2.
        ConvolutionModule conv = new("c", 1, 10, 3, 2, 1, new Parameter("w", [10, 1, 3, 3], new Initializer.Constant(0)), null);
        long[] rows = [1, 2, 1, 2, 1];
        long[] columns = [1, 2, 1, 1];
        Assert.That(conv.FanOut(5, 4), Is.EqualTo(rows.SelectMany(r => columns.Select(c => 10 * r * c))));
    }

    private static Network Build(string model)
    {
        (int classes, int channels, int size) = Input(model);
        return ModelCatalog.Build(model, new ModelOptions(classes, channels, size, size));
    }

    private static (int Classes, int Channels, int Size) Input(string model) =>
        model.Contains("nfresnet", StringComparison.Ordinal) ? (1000, 3, 224)
        : model.Contains("vgg", StringComparison.Ordinal) ? (10, 2, 48)
        : (10, 3, 32);

    /// <summary>Height and width of what a weight makes.</summary>
    private static long Size(string model, string name, long[] shape)
    {
        if (shape.Length == 2)
        {
            return 1;
        }

        int stage = name.StartsWith("layer", StringComparison.Ordinal) ? name[5] - '1' : 0;
        if (model.Contains("vgg", StringComparison.Ordinal))
        {
            return 48 >> stage;
        }

        if (!model.Contains("nfresnet", StringComparison.Ordinal))
        {
            return 32 >> stage;
        }

        // A bottleneck's first convolution comes before the stride.
        bool before = stage > 0 && name.EndsWith(".0.conv1.weight", StringComparison.Ordinal) && shape[2] == 1;
        return name == "conv1.weight" ? 112 : (before ? 112 : 56) >> stage;
    }
}
