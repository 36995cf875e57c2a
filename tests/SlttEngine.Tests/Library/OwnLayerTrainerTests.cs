using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Library;

/// <summary>The trainer on a network with a layer of a user's own, of examples/own-layer.</summary>
public sealed class OwnLayerTrainerTests
{
    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-own-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void A_stopped_run_goes_on_exactly()
    {
        string whole = Path.Combine(folder, "whole"), parts = Path.Combine(folder, "parts");
        using (Trainer trainer = Create((network, x) => new ChannelGain("gain", network, x)))
        {
            trainer.Fit(Samples(60), Samples(20), 3, whole, observer: new RecordingObserver());
        }

        using CancellationTokenSource stop = new();
        int batches = 0;
        RecordingObserver observer = new()
        {
            AfterTraining = () =>
            {
                if (++batches == 4)
                {
                    stop.Cancel();
                }
            },
        };
        using (Trainer trainer = Create((network, x) => new ChannelGain("gain", network, x)))
        {
            trainer.Fit(Samples(60), Samples(20), 3, parts, resume: true, observer, stop.Token);
        }

        using Trainer second = Create((network, x) => new ChannelGain("gain", network, x));
        Assert.That(second.Fit(Samples(60), Samples(20), 3, parts, resume: true, new RecordingObserver()), Has.Count.EqualTo(2));
        Assert.That(
            File.ReadAllBytes(Path.Combine(parts, TrainingRun.LatestCheckpoint)),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, TrainingRun.LatestCheckpoint))));
        Assert.That(second.Predict(Samples(5)), Has.Count.EqualTo(5));
    }

    [Test]
    public void A_source_that_does_not_compile_is_refused_before_the_run()
    {
        using Trainer trainer = Create((_, x) => new Broken(x));
        string run = Path.Combine(folder, "run");
        SlttException error = Assert.Throws<SlttException>(
            () => trainer.Fit(Samples(20), Samples(20), 1, run, observer: new RecordingObserver()))!;
        Assert.That(error.Message, Does.Match(@"^broken\.cu[:(]1\D.*nobody"));
        Assert.That(File.Exists(Path.Combine(run, TrainingRun.LatestCheckpoint)), Is.False);
    }

    private static Trainer Create(Func<Network, Edge, Layer> layer) => new(
        SharedDevice.Device,
        new NetworkBuilder(2, 4, 4).Conv(4, 3).BatchNorm().Apply(layer).Lif().Linear(2).Build("own"),
        new TrainingOptions { Steps = 2, BatchSize = 20, Workers = 1 });

    private static ArrayDataSet Samples(int count)
    {
        Random random = new(count);
        float[] samples = [.. Enumerable.Range(0, count * 32).Select(_ => random.NextSingle())];
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 2)];
        return new ArrayDataSet(samples, labels, new FrameShape(1, 2, 4, 4), 2);
    }

    /// <summary>A layer whose kernel does not compile.</summary>
    private sealed class Broken(Edge input) : Layer("broken", input.Like("broken"))
    {
        public override IReadOnlyList<Edge> Inputs => [input];

        public override Action Emit<T>(ProgramBuilder<T> b)
        {
            b.Kernel(new KernelSource("broken.cu", "int x = nobody;"), "f");
            return () => { };
        }
    }
}
