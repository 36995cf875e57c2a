using SlttEngine.Reports;

namespace SlttEngine.Tests.Reports;

/// <summary>Made-up records of runs, with everything in them that a page can show.</summary>
internal static class SampleRun
{
    internal static readonly DateTimeOffset Start = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A run.</summary>
    internal static RunRecord Record(int epochs, int layers, int classes = 10, RunEnd? end = null, string[]? names = null) =>
        new(Begin(epochs, names ?? [.. Enumerable.Range(0, classes).Select(c => $"class {c}")]), Epochs(epochs, layers), end);

    /// <summary>What a run is.</summary>
    internal static RunBegin Begin(int epochs, string[] names) => new()
    {
        Time = Start,
        Program = "SlttEngine 0.2.0",
        Command = "sltt train -dataset cifar10 -model spiking_resnet18 -T 6 -epochs 200",
        Device = "a device of the test",
        Versions = new Dictionary<string, string> { [".NET"] = "10.0.1", ["oneDNN"] = "2.7.2" },
        Options = new Dictionary<string, string> { ["T"] = "6", ["lr"] = "0.1", ["model"] = "spiking_resnet18" },
        Model = "spiking_resnet18",
        DataSet = "cifar10",
        Method = "sltt",
        Steps = 6,
        BatchSize = 128,
        Type = "float32",
        Parameters = 11_173_962,
        ClassNames = names,
        TrainSamples = 50_000,
        TestSamples = 10_000,
        Epochs = epochs,
        FirstEpoch = 0,
        Memory = new Dictionary<string, long>
        {
            ["weights"] = 45 << 20,
            ["gradients"] = 45 << 20,
            ["optimizer"] = 45 << 20,
            ["statistics"] = 1 << 17,
            ["membrane potentials"] = 210 << 20,
            ["saved activations"] = 730 << 20,
            ["batch"] = 9 << 20,
            ["scratch"] = 96 << 20,
        },
    };

    /// <summary>Epochs whose curves look like training.</summary>
    internal static EpochRecord[] Epochs(int count, int layers)
    {
        Random random = new(7);
        double best = 0;
        return [
            .. Enumerable.Range(0, count).Select(e =>
            {
                double t = (e + 1.0) / count, noise = 0.01 * random.NextDouble();
                double test = 0.945 - (0.6 * Math.Exp(-6 * t)) - noise;
                best = Math.Max(best, test);
                return new EpochRecord
                {
                    Epoch = e,
                    Time = Start.AddSeconds(62 * (e + 1)),
                    LearningRate = 0.05 * (1 + Math.Cos(Math.PI * e / count)),
                    TrainLoss = 0.02 + (1.9 * Math.Exp(-4 * t)) + noise,
                    TrainAccuracy = 0.995 - (0.7 * Math.Exp(-4 * t)),
                    TestLoss = 0.25 + (1.5 * Math.Exp(-5 * t)) + (3 * noise),
                    TestAccuracy = test,
                    MaxTestAccuracy = best,
                    TrainSeconds = 50,
                    TotalSeconds = 62,
                    DataSeconds = 1.5 + (10 * noise),
                    ImagesPerSecond = 990 + (1000 * noise),
                    PeakDeviceBytes = 1_240L << 20,
                    SkippedSteps = 0,
                    ReportSeconds = 0.02,
                    Layers = [
                        .. Enumerable.Range(0, layers).Select(l => new LayerFiring(
                            Name(l), l == layers - 2 ? 0 : (0.25 / (1 + (0.15 * l))) + (0.05 * random.NextDouble()),
                            l == layers - 2 ? 1 : 0.02 * l / layers, l == layers - 3 ? 0.62 : 0.001))],
                };
            })];
    }

    /// <summary>What is seen of a network after an epoch.</summary>
    internal static RunInspection Inspection(int epoch, int layers, int classes, bool pictures = true)
    {
        Random random = new(11);
        return new RunInspection
        {
            Epoch = epoch,
            Samples = 64,
            Layers = [
                new LayerInspection("conv1", 0, 0, 0, 0, [], 0, 0, 1_769_472),
                .. Enumerable.Range(0, layers).Select(l => new LayerInspection(
                    Name(l), 65_536, 1, -3, 3, [.. Enumerable.Range(0, 48).Select(b => (long)(
                        1e6 * Math.Exp(-Math.Pow((((b - 24) / 8.0) - 0.2) / 0.9, 2))) + random.Next(2000))],
                    40_000 / (1 + l), 6e6 / (1 + (0.1 * l)), 226_492_416))],
            Confusion = [
                .. Enumerable.Range(0, classes * classes).Select(i => i / classes == i % classes ? 900 + random.Next(80)
                    : random.Next(12) + ((i / classes) + (i % classes) == 8 ? 40 : 0))],
            Mistakes = [
                .. Enumerable.Range(0, 12).Select(i => new Mistake(
                    random.Next(10_000), i % classes, (i + 3) % classes, 0.99 - (0.01 * i), pictures ? Picture(32, 32, i) : null))],
            Sample = !pictures ? null : new SampleSpikes(
                4, 3 % classes, 3 % classes, [Picture(32, 32, 5)],
                [Spikes("sn1", 8, 32, 32, 0.1), Spikes("layer2.0.sn1", 8, 16, 16, 0.2), Spikes("fc", 100, 1, 1, 0.1)]),
        };
    }

    private static string Name(int layer) => layer == 0 ? "sn1" : $"layer{1 + (layer / 4)}.{layer % 4 / 2}.sn{1 + (layer % 2)}";

    private static Picture Picture(int width, int height, int seed)
    {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.Length; i++)
        {
            int x = i / 3 % width, y = i / 3 / width;
            rgb[i] = (byte)(128 + (100 * Math.Sin(((x * (1 + (seed % 3))) + (y * ((i % 3) + 1))) / 9.0 + seed)));
        }

        return new Picture(width, height, rgb);
    }

    private static LayerSpikes Spikes(string name, int channels, int height, int width, double rate)
    {
        Random random = new(name.Length);
        return new LayerSpikes(
            name, channels, height, width,
            [.. Enumerable.Range(0, 6).Select(_ => (bool[])[.. Enumerable.Range(0, channels * height * width).Select(
                _ => random.NextDouble() < rate)])]);
    }
}
