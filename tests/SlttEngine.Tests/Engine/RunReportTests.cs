using SkiaSharp;
using SlttEngine.Data;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Models;
using SlttEngine.Reports;
using SlttEngine.Tests.IO;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>What a run keeps of itself and finds when it looks at its network.</summary>
public sealed class RunReportTests
{
    private const int Size = 8, Classes = 3, Steps = 3;

    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-report-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Training_is_the_same_to_the_bit_without([Values] ComputeTypeOf type)
    {
        TrainingOptions options = Options(2) with
        {
            Type = type == ComputeTypeOf.Float16 ? Device.ComputeType.Float16 : Device.ComputeType.Float32,
        };
        byte[][] Checkpoints(string name, bool report, bool images)
        {
            RecordingObserver observer = new();
            string run = Path.Combine(folder, name);
            using TrainingRun with = Run(options with { RunFolder = run, Report = report, ReportImages = images }, Events(40, 1), observer);
            with.Run(CancellationToken.None);
            Assert.That(with.Inspection is null, Is.EqualTo(!report));
            Assert.That(with.Inspection?.Sample is null, Is.EqualTo(!images));
            Assert.That(with.Inspection?.Mistakes.Any(m => m.Picture is not null), report ? Is.EqualTo(images) : Is.Null);
            Assert.That(with.DeviceBytes, Is.EqualTo(RunPlan.For(SharedDevice.Device, options, SampleFormat.Of(Events(40, 1)), 0).Total));
            RunRecord record = RunHistory.Read(run)!;
            Assert.That(record.Begin.Memory.Values.Sum(), Is.EqualTo(with.DeviceBytes));
            Assert.That(record.Epochs.Select(e => (e.TrainLoss, e.TestLoss, e.TestAccuracy)), Is.EqualTo(
                observer.Epochs.Select(e => (e.TrainLoss, e.TestLoss, e.TestAccuracy))));
            Assert.That(record.Epochs.Select(e => e.Layers.Count), Is.All.EqualTo(report ? 2 : 0));
            Assert.That(record.End!.State, Is.EqualTo(RunEnd.Done));
            return [.. new[] { TrainingRun.LatestCheckpoint, TrainingRun.BestCheckpoint }.Select(
                file => File.ReadAllBytes(Path.Combine(run, file)))];
        }

        byte[][] expected = Checkpoints("without", report: false, images: false);
        Assert.That(Checkpoints("with", report: true, images: true), Is.EqualTo(expected));
        Assert.That(Checkpoints("dark", report: true, images: false), Is.EqualTo(expected));
    }

    [Test]
    public void Every_answer_is_counted_and_the_surest_mistakes_are_shown()
    {
        ArrayDataSet test = Events(37, 2); // not whole batches
        using TrainingRun run = Run(Options(3) with { RunFolder = folder }, Events(60, 1), new RecordingObserver(), test);
        run.Run(CancellationToken.None);
        RunInspection found = run.Inspection!;
        Assert.That(found.Epoch, Is.EqualTo(2));
        Assert.That(found.Confusion.Sum(), Is.EqualTo(37));
        int right = Enumerable.Range(0, Classes).Sum(c => found.Confusion[(c * Classes) + c]);
        Assert.That(right / 37.0, Is.EqualTo(run.Finished[^1].TestAccuracy).Within(1e-12));
        for (int c = 0; c < Classes; c++)
        {
            int ofClass = Enumerable.Range(0, 37).Count(i => test.Label(i) == c);
            Assert.That(found.Confusion.Skip(c * Classes).Take(Classes).Sum(), Is.EqualTo(ofClass));
        }

        Assert.That(found.Mistakes, Has.Count.EqualTo(Math.Min(12, 37 - right)).And.Not.Empty);
        Assert.That(found.Mistakes.Select(m => m.Probability), Is.Ordered.Descending);
        using Trainer trainer = new(SharedDevice.Device, Network(), Options(3) with { Network = null });
        trainer.Load(Path.Combine(folder, TrainingRun.LatestCheckpoint));
        IReadOnlyList<Prediction> predictions = trainer.Predict(test);
        foreach (Mistake mistake in found.Mistakes)
        {
            Assert.That(mistake.Label, Is.EqualTo(test.Label(mistake.Sample)));
            Assert.That(predictions[mistake.Sample].Class, Is.EqualTo(mistake.Answer).And.Not.EqualTo(mistake.Label));
            Assert.That(mistake.Probability, Is.EqualTo(Softmax(predictions[mistake.Sample].Logits, mistake.Answer)).Within(1e-5));
            Assert.That((mistake.Picture!.Width, mistake.Picture.Height), Is.EqualTo((Size, Size)));
        }
    }

    [Test]
    public void What_is_seen_is_what_evaluation_counts()
    {
        // One sample: an evaluation of it alone counts the same.
        ArrayDataSet test = Events(1, 5);
        using TrainingRun run = Run(Options(2) with { RunFolder = folder }, Events(60, 1), new RecordingObserver(), test);
        run.Run(CancellationToken.None);
        RunInspection found = run.Inspection!;
        using Trainer trainer = new(SharedDevice.Device, Network(), Options(2) with { Network = null });
        trainer.Load(Path.Combine(folder, TrainingRun.LatestCheckpoint));
        EvaluationResult evaluated = trainer.Evaluate(test);
        Assert.That(found.Layers.Select(l => l.Name), Is.EqualTo(evaluated.Layers.Select(l => l.Name)));
        IReadOnlyList<LayerFiring> firing = RunHistory.Read(folder)!.Epochs[^1].Layers;
        float[] sample = Sample(test, 0);
        foreach ((LayerInspection seen, LayerActivity counted) in found.Layers.Zip(evaluated.Layers))
        {
            Assert.That((seen.Neurons, seen.MultiplyAdds), Is.EqualTo((counted.Neurons, counted.MultiplyAdds)), seen.Name);
            if (seen.Neurons == 0)
            {
                continue;
            }

            Assert.That(seen.SpikesPerImage, Is.EqualTo(counted.SpikesPerImage), seen.Name);
            Assert.That(seen.SynapticOperations, Is.EqualTo(counted.SynapticOperations), seen.Name);
            LayerFiring fired = firing.Single(f => f.Name == seen.Name);
            Assert.That(fired.Rate, Is.EqualTo(counted.FiringRate!.Value).Within(1e-12));

            SpikeRecord record = trainer.Watch(seen.Name, sample);
            float[] all = [.. Enumerable.Range(0, Steps).SelectMany(t => record.Potentials(t).ToArray())];
            int neurons = record.Neurons;
            int[] spikes = [.. Enumerable.Range(0, neurons).Select(
                n => Enumerable.Range(0, Steps).Count(t => record.Potentials(t)[n] >= record.Threshold))];
            Assert.That(fired.Silent, Is.EqualTo(spikes.Count(s => s == 0) / (double)neurons));
            Assert.That(fired.Saturated, Is.EqualTo(spikes.Count(s => s == Steps) / (double)neurons));

            Assert.That(seen.Counts.Sum(), Is.EqualTo(all.Length));
            double width = (seen.To - seen.From) / seen.Counts.Count;
            for (int bin = 1; bin < seen.Counts.Count - 1; bin++)
            {
                (double low, double high) = (seen.From + (bin * width), seen.From + ((bin + 1) * width));
                Assert.That(seen.Counts[bin], Is.EqualTo(all.Count(u => u >= low && u < high)).Within(1), $"{seen.Name} {low} to {high}");
            }

            LayerSpikes shown = found.Sample!.Layers.Single(l => l.Name == seen.Name);
            for (int t = 0; t < Steps; t++)
            {
                Assert.That(shown.Steps[t], Is.EqualTo(record.Spikes(t)), "few channels: all are shown");
            }
        }

        Assert.That(found.Sample!.Frames, Has.Count.EqualTo(Steps));
        Assert.That(found.Sample.Answer, Is.EqualTo(trainer.Predict(test)[0].Class));
    }

    [Test]
    public void TensorBoard_gets_the_official_scalars_first_then_what_was_seen()
    {
        using TrainingRun run = Run(Options(1) with { RunFolder = folder }, Events(40, 1), new RecordingObserver());
        run.Run(CancellationToken.None);
        List<(string Tag, long Step, Dictionary<int, object> Value)> values =
            EventFile.Values(Directory.GetFiles(Path.Combine(folder, "logs")).Single());
        string[] layers = [.. run.Inspection!.Layers.Where(l => l.Neurons > 0).Select(l => l.Name)];
        Assert.That(values.Select(v => v.Tag), Is.EqualTo(new[] { "train_loss", "train_acc", "test_loss", "test_acc" }
            .Concat(layers.Select(l => "firing_rate/" + l)).Concat(layers.Select(l => "membrane_potential/" + l))
            .Concat(["sample", "mistakes"])));
        IReadOnlyList<LayerFiring> firing = RunHistory.Read(folder)!.Epochs[0].Layers;
        Assert.That((float)values[4].Value[2], Is.EqualTo((float)firing[0].Rate));
        Dictionary<int, object> histogram = EventFile.Fields((byte[])values[4 + layers.Length].Value[5]);
        Assert.That(EventFile.Doubles(histogram[7]).Sum(), Is.EqualTo(run.Inspection.Layers.First(l => l.Neurons > 0).Counts.Sum()));
        foreach ((_, _, Dictionary<int, object> value) in values.TakeLast(2))
        {
            Dictionary<int, object> image = EventFile.Fields((byte[])value[4]);
            using SKBitmap picture = SKBitmap.Decode((byte[])image[4]);
            Assert.That(((ulong)picture.Height, (ulong)picture.Width), Is.EqualTo(((ulong)image[1], (ulong)image[2])));
        }
    }

    /// <summary>200 epochs of a network of 20 layers, all looked at, with photographs.</summary>
    [Test]
    public void TensorBoards_log_stays_small()
    {
        Random random = new(1);
        Picture Photograph() => new(96, 96, [.. Enumerable.Range(0, 3 * 96 * 96).Select(i => (byte)((i / 288) + random.Next(40)))]);
        long[] counts = [.. Enumerable.Range(1, 80).Select(i => 1L << (i % 40))];
        RunInspection inspection = new()
        {
            Epoch = 0,
            Samples = 8,
            Layers = [.. Enumerable.Range(0, 20).Select(i => new LayerInspection($"layer{i}.neuron", 9, 1, -4, 4, counts, 1, 1, 1))],
            Confusion = [],
            Mistakes = [.. Enumerable.Range(0, 12).Select(i => new Mistake(i, 0, 1, 1, Photograph()))],
            Sample = new SampleSpikes(0, 0, 0, [Photograph()], []),
        };
        LayerFiring[] firing = [.. inspection.Layers.Select(l => new LayerFiring(l.Name, 0.5, 0, 0))];
        string path;
        using (EventFileWriter log = new(folder))
        {
            path = log.Path;
            for (int epoch = 0; epoch < 200; epoch++)
            {
                InspectionLog.Write(log, inspection with { Epoch = epoch }, firing, 200);
            }
        }

        Assert.That(new FileInfo(path).Length, Is.LessThan(6 << 20));
        List<(string Tag, long Step, Dictionary<int, object> Value)> values = EventFile.Values(path);
        Assert.That(
            values.Where(v => v.Tag == "mistakes").Select(v => v.Step), Is.EqualTo(new[] { 0L, 1, 2, 4, 8, 16, 32, 64, 128, 199 }));
        Assert.That(values.Count(v => v.Tag == "membrane_potential/layer0.neuron"), Is.EqualTo(51), "every fourth, and the last");
        Assert.That(values.Count(v => v.Tag == "firing_rate/layer0.neuron"), Is.EqualTo(200));
    }

    [Test]
    public void A_history_that_cannot_be_written_costs_a_warning()
    {
        string path = Path.Combine(folder, RunHistory.FileName);
        Directory.CreateDirectory(path);
        RecordingObserver observer = new();
        using TrainingRun run = Run(Options(3) with { RunFolder = folder }, Events(40, 1), observer);
        int batches = 0;
        observer.AfterTesting = () => batches += batches == 0 ? Delete(path) : 0;
        run.Run(CancellationToken.None);
        Assert.That(run.Finished, Has.Count.EqualTo(3));
        string[] warnings = [.. observer.Warnings.Where(w => w.Contains("history", StringComparison.Ordinal))];
        Assert.That(warnings, Has.Length.EqualTo(1));
        Assert.That(warnings[0], Does.StartWith("the run's history is not written: cannot write " + path));
        Assert.That(RunHistory.Read(folder)!.Epochs, Has.Count.EqualTo(3), "written once there was room");
    }

    [Test]
    public void A_set_that_is_not_read_twice_costs_a_warning([Values] bool damaged)
    {
        RecordingObserver observer = new();
        using TrainingRun run = Run(Options(2) with { RunFolder = folder }, Events(40, 1), observer, new Once(Events(20, 2), damaged));
        run.Run(CancellationToken.None);
        Assert.That(run.Finished, Has.Count.EqualTo(2));
        Assert.That(observer.Warnings.Count(w => w.StartsWith("the network is not looked at: ", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(RunHistory.Read(folder)!.Epochs[^1].Layers, Is.Empty);
    }

    [Test]
    public void A_run_that_ends_early_says_how()
    {
        using CancellationTokenSource stop = new();
        RecordingObserver observer = new() { AfterTraining = stop.Cancel };
        using (TrainingRun run = Run(Options(2) with { RunFolder = folder }, Events(40, 1), observer))
        {
            run.Run(stop.Token);
        }

        Assert.That(RunHistory.Read(folder)!.End!.State, Is.EqualTo(RunEnd.Stopped));
        observer = new() { AfterTraining = () => throw new SlttException(ErrorKind.Data, $"cannot read {folder}/set/a.bin: torn\nhere") };
        string latest = Path.Combine(folder, TrainingRun.LatestCheckpoint);
        using (TrainingRun run = Run(Options(2) with { RunFolder = folder, Resume = latest }, Events(40, 1), observer))
        {
            Assert.That(() => run.Run(CancellationToken.None), Throws.TypeOf<SlttException>());
        }

        RunRecord record = RunHistory.Read(folder)!;
        Assert.That(record.End! with { Time = default }, Is.EqualTo(new RunEnd(default, RunEnd.Failed, "cannot read a.bin: torn here")));
        Assert.That(File.ReadAllLines(Path.Combine(folder, RunHistory.FileName)), Has.Length.EqualTo(4));
    }

    [TestCase("/srv/me/data", "data")]
    [TestCase("/srv/me/data/", "data")]
    [TestCase("sltt train -data_dir /srv/me/data --out_dir=/opt/a/b -name x/y", "sltt train -data_dir data --out_dir=b -name x/y")]
    [TestCase("cannot write ./logs/run/a.txt: disk full", "cannot write ./logs/run/a.txt: disk full")]
    [TestCase("(/a/b.c, '/d/e') 3 / 4 and/or ~/x/y.z", "(b.c, 'e') 3 / 4 and/or y.z")]
    [TestCase(@"C:\data\set and D:/x/y", "set and y")]
    [TestCase("/", "")]
    public void Absolute_paths_are_left_out(string text, string expected) =>
        Assert.That(RunFacts.WithoutPaths(text), Is.EqualTo(expected));

    [Test]
    public void Looks_take_a_small_share_of_the_time()
    {
        TimeShare share = new(0.1);
        Assert.That(share.Affords, Is.True, "nothing was done yet");
        share.Measure(() => Thread.Sleep(20));
        Assert.That(share.Affords, Is.False, "20 ms of 20 are too much");
        Thread.Sleep(500);
        Assert.That(share.Affords, Is.True, "20 ms of 520 are not");
        share.Measure(() => Thread.Sleep(100));
        Assert.That(share.Affords, Is.False);
        Assert.That(share.Seconds, Is.InRange(0.12, 10));
        share.StartCounting();
        Assert.That(share.Affords, Is.True, "what was done before does not count");
        Assert.That(share.Seconds, Is.InRange(0.12, 10), "but is told");
    }

    public enum ComputeTypeOf
    {
        Float32,
        Float16,
    }

    private static int Delete(string folder)
    {
        Directory.Delete(folder);
        return 1;
    }

    private static double Softmax(IReadOnlyList<float> logits, int answer) =>
        Math.Exp(logits[answer]) / logits.Sum(l => Math.Exp(l));

    private static float[] Sample(ArrayDataSet set, int index)
    {
        float[] sample = new float[Steps * 2 * Size * Size];
        SampleReader.Read(set, index, sample);
        return sample;
    }

    private static TrainingOptions Options(int epochs) => new()
    {
        Network = (_, _) => Network(),
        Steps = Steps,
        BatchSize = 20,
        Epochs = epochs,
        Workers = 2,
    };

    private static TrainingRun Run(TrainingOptions options, IDataSet train, RecordingObserver observer, IDataSet? test = null) =>
        new(SharedDevice.Device, options, train, test ?? Events(24, 2), observer);

    private static Network Network() => new NetworkBuilder(2, Size, Size).Conv(8, 3).BatchNorm().Lif().AvgPool(2).Conv(16, 3).BatchNorm()
        .Lif().GlobalAvgPool().Linear(Classes).Build("events");

    /// <summary>Event counts: noise, and a bar that moves.</summary>
    private static ArrayDataSet Events(int n, int seed)
    {
        Random random = new(seed);
        byte[] counts = new byte[n * Steps * 2 * Size * Size];
        int[] labels = new int[n];
        for (int i = 0; i < n; i++)
        {
            labels[i] = random.Next(Classes);
            int place = random.Next(Size);
            for (int j = 0; j < Steps * 2 * Size * Size; j++)
            {
                (int t, int y, int x) = (j / (2 * Size * Size), j / Size % Size, j % Size);
                int across = labels[i] switch { 0 => y, 1 => x, _ => x + y };
                counts[(i * Steps * 2 * Size * Size) + j] =
                    (byte)((across % Size == (place + t) % Size ? 2 : 0) + (random.Next(4) == 0 ? 1 : 0));
            }
        }

        return new ArrayDataSet(counts, labels, new FrameShape(Steps, 2, Size, Size), Classes);
    }

    /// <summary>A set whose samples can be read one time each by the loader, and never after it.</summary>
    private sealed class Once(IFrameSet inner, bool damaged) : IFrameSet
    {
        public int Count => inner.Count;

        public FrameShape Shape => inner.Shape;

        public int Classes => inner.Classes;

        public int Label(int index) => inner.Label(index);

        public void Read(int index, ulong draw, Span<byte> frames)
        {
            if (Thread.CurrentThread.Name?.StartsWith("sltt data", StringComparison.Ordinal) != true)
            {
                throw damaged ? new DamagedSampleException($"sample {index} is gone") : new InvalidOperationException("gone");
            }

            inner.Read(index, draw, frames);
        }
    }
}
