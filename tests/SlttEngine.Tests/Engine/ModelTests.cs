using System.Text.Json;
using SlttEngine.Graph;
using SlttEngine.Models;

namespace SlttEngine.Tests.Engine;

/// <summary>Names, shapes, order and counts of the official full-width models' state dicts.</summary>
public sealed class ModelTests
{
    private static readonly JsonElement Official = JsonElement.Parse(
        File.ReadAllText(Path.Combine(GoldenFiles.Folder, "state_dicts.json")));

    private static IEnumerable<string> Names => Official.EnumerateObject().Select(p => p.Name);

    [TestCaseSource(nameof(Names))]
    public void State_dict_is_the_official_one(string model)
    {
        JsonElement official = Official.GetProperty(model);
        (int classes, int channels, int size) = model.Contains("nfresnet", StringComparison.Ordinal) ? (1000, 3, 224)
            : model.Contains("vgg", StringComparison.Ordinal) ? (Classes(official), 2, 48) : (10, 3, 32);
        Network network = ModelCatalog.Build(model, new ModelOptions(classes, channels, size, size));
        Dictionary<string, int[]> shapes = network.Parameters.ToDictionary(p => p.Name, p => p.Shape);
        foreach (StatisticsBuffer buffer in network.Statistics)
        {
            shapes.Add(buffer.Name, buffer.IsCounter ? [] : [buffer.Count]);
        }

        string[] expected = [.. official.GetProperty("state_dict").EnumerateArray().Select(
            e => $"{e[0]} [{string.Join(",", e[1].EnumerateArray())}]")];
        string[] actual = [.. network.StateNames.Select(n => $"{n} [{string.Join(",", shapes[n])}]")];
        Assert.Multiple(() =>
        {
            Assert.That(actual, Is.EqualTo(expected));
            Assert.That(network.Parameters.Select(p => p.Name), Is.EqualTo(
                official.GetProperty("parameter_order").EnumerateArray().Select(e => e.GetString())));
            Assert.That(network.ParameterCount, Is.EqualTo(official.GetProperty("parameters").GetInt64()));
        });
    }

    [Test]
    public void A_divisor_that_does_not_divide_is_named() =>
        Assert.That(
            () => ModelCatalog.Build("spiking_resnet18", new ModelOptions(10, 3, 32, 32, WidthDivisor: 7)),
            Throws.TypeOf<SlttException>().With.Message.Contains("-width_divisor 7"));

    [Test]
    public void Filters_change_layout_there_and_back()
    {
        Parameter filter = new("w", [5, 3, 2, 4], new Initializer.Constant(0), [5, 3, 2, 4]);
        float[] torch = [.. Enumerable.Range(0, 120).Select(i => (float)i)];
        float[] device = filter.ToDevice(torch);
        Assert.Multiple(() =>
        {
            // (o, i, h, w) = (2, 1, 1, 3) in PyTorch; (o, h, w, i) on the device.
            Assert.That(device[(((2 * 2) + 1) * 4 * 3) + (3 * 3) + 1], Is.EqualTo(torch[(2 * 24) + (1 * 8) + (1 * 4) + 3]));
            Assert.That(filter.FromDevice(device), Is.EqualTo(torch));
        });
    }

    [Test]
    public void Initial_values_have_their_spread()
    {
        float[] normal = InitialValues.Draw(new Parameter("n", [100_000], new Initializer.Normal(0.5)), 1, 2);
        float[] uniform = InitialValues.Draw(new Parameter("u", [100_000], new Initializer.Uniform(0.25)), 1, 3);
        Assert.Multiple(() =>
        {
            Assert.That(normal.Average(), Is.EqualTo(0).Within(0.5 * 4 / Math.Sqrt(100_000)));
            Assert.That(Math.Sqrt(normal.Average(x => (double)x * x)), Is.EqualTo(0.5).Within(0.01));
            Assert.That(uniform.Max(), Is.EqualTo(0.25).Within(1e-3));
            Assert.That(uniform.Min(), Is.EqualTo(-0.25).Within(1e-3));
            Assert.That(
                InitialValues.Draw(new Parameter("n", [8], new Initializer.Normal(0.5)), 1, 2),
                Is.EqualTo(normal[..8]),
                "a stream's start does not depend on its length");
            Assert.That(InitialValues.Draw(new Parameter("n", [8], new Initializer.Normal(0.5)), 2, 2), Is.Not.EqualTo(normal[..8]));
        });
    }

    private static int Classes(JsonElement official) =>
        official.GetProperty("state_dict").EnumerateArray().Last()[1][0].GetInt32();
}
