using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Models;
using SlttEngine.Tests.Engine;
using SlttEngine.Training;

namespace SlttEngine.Tests.Library;

/// <summary>The trainer as a program that uses the library meets it.</summary>
public sealed class TrainerTests
{
    private const int Size = 8, Classes = 3;

    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-trainer-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void A_network_on_arrays_learns_and_predicts_what_evaluation_counts()
    {
        using Trainer trainer = Create();
        RecordingObserver observer = new();
        IReadOnlyList<EpochFinished> epochs = trainer.Fit(Bars(120, 1), Bars(60, 2), epochs: 4, folder, observer: observer);
        Assert.That(epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(observer.Epochs, Is.EqualTo(epochs));
        Assert.That(trainer.Plan(Bars(120, 1), Bars(60, 2)).Total, Is.EqualTo(epochs[0].PeakDeviceBytes));
        Assert.That(epochs[^1].TestAccuracy, Is.GreaterThan(0.9));
        Assert.That(
            Directory.GetFiles(folder).Select(Path.GetFileName),
            Is.SupersetOf(new[] { TrainingRun.LatestCheckpoint, TrainingRun.BestCheckpoint }));
        Assert.That(Directory.GetFiles(Path.Combine(folder, "logs")), Is.Not.Empty);

        ArrayDataSet test = Bars(61, 2); // one more than whole batches
        EvaluationResult evaluated = trainer.Evaluate(test);
        IReadOnlyList<Prediction> all = trainer.Predict(test);
        Assert.That(all.Where((p, i) => p.Class == test.Label(i)).Count() / 61.0, Is.EqualTo(evaluated.Top1).Within(1e-9));
        float[] sample = new float[Size * Size];
        for (int i = 0; i < 61; i += 20)
        {
            ((IFrameSet)test).Read(i, 0, System.Runtime.InteropServices.MemoryMarshal.AsBytes(sample.AsSpan()));
            Assert.That(trainer.Predict(sample).Logits, Is.EqualTo(all[i].Logits).Within(1e-5));
        }
    }

    [Test]
    public void What_is_watched_is_what_evaluation_counts()
    {
        using Trainer trainer = Create();
        trainer.Fit(Bars(120, 1), Bars(20, 2), 4, folder, observer: new RecordingObserver());
        ArrayDataSet one = Bars(1, 3);
        float[] sample = new float[Size * Size];
        ((IFrameSet)one).Read(0, 0, System.Runtime.InteropServices.MemoryMarshal.AsBytes(sample.AsSpan()));
        EvaluationResult evaluated = trainer.Evaluate(one);
        foreach (string layer in new[] { "lif1", "lif2" })
        {
            SpikeRecord record = trainer.Watch(layer, sample);
            LayerActivity activity = evaluated.Layers.Single(l => l.Name == layer);
            Assert.That(record.Neurons, Is.EqualTo(activity.Neurons));
            Assert.That(record.FiringRate, Is.EqualTo(activity.FiringRate).Within(1e-9).And.GreaterThan(0));
        }

        SlttException unknown = Assert.Throws<SlttException>(() => trainer.Watch("lif3", sample))!;
        Assert.That(unknown.Message + unknown.Hint, Does.Contain("unknown layer of neurons 'lif3'").And.Contain("lif2"));
        Assert.That(Assert.Throws<SlttException>(() => trainer.Predict(new float[5]))!.Message, Does.Contain("a sample of 5 elements"));
    }

    [TestCase("net.safetensors")]
    [TestCase("net.pth")]
    public void Parameters_are_saved_and_loaded(string name)
    {
        string path = Path.Combine(folder, name);
        ArrayDataSet test = Bars(20, 2);
        using Trainer trainer = Create();
        trainer.Fit(Bars(60, 1), test, 1, folder, observer: new RecordingObserver());
        IReadOnlyList<Prediction> expected = trainer.Predict(test);
        trainer.Save(path);
        using Trainer other = Create(seed: 5);
        Assert.That(other.Predict(test)[0].Logits, Is.Not.EqualTo(expected[0].Logits));
        Assert.That(other.Load(path), Is.Empty);
        Assert.That(other.Predict(test).SelectMany(p => p.Logits), Is.EqualTo(expected.SelectMany(p => p.Logits)));

        // A run's checkpoint is read as well; another network's file changes nothing.
        other.Load(Path.Combine(folder, TrainingRun.LatestCheckpoint));
        Assert.That(other.Predict(test).SelectMany(p => p.Logits), Is.EqualTo(expected.SelectMany(p => p.Logits)));
        using Trainer wide = new(SharedDevice.Device, new NetworkBuilder(1, Size, Size).Conv(9, 3).Lif().Linear(3).Build(), new());
        string wrong = Path.Combine(folder, "wide.safetensors");
        wide.Save(wrong);
        Assert.That(Assert.Throws<SlttException>(() => other.Load(wrong))!.Message, Does.Contain("wide.safetensors"));
        Assert.That(other.Predict(test).SelectMany(p => p.Logits), Is.EqualTo(expected.SelectMany(p => p.Logits)));
    }

    [Test]
    public void A_stopped_run_goes_on_exactly([Values] bool ownSet)
    {
        IDataSet train = ownSet ? new Shifted(Bars(60, 1)) : Bars(60, 1);
        string whole = Path.Combine(folder, "whole"), parts = Path.Combine(folder, "parts");
        using (Trainer trainer = Create())
        {
            trainer.Fit(train, Bars(20, 2), 3, whole, observer: new RecordingObserver());
        }

        using (Trainer trainer = Create())
        using (CancellationTokenSource stop = new())
        {
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
            Assert.That(trainer.Fit(train, Bars(20, 2), 3, parts, resume: true, observer, stop.Token), Has.Count.EqualTo(1));
        }

        // Another trainer, as another process would have: its own parameters do not count.
        using Trainer second = Create();
        IReadOnlyList<EpochFinished> left = second.Fit(train, Bars(20, 2), 3, parts, resume: true, new RecordingObserver());
        Assert.That(left.Select(e => e.Epoch), Is.EqualTo(new[] { 1, 2 }));
        Assert.That(
            File.ReadAllBytes(Path.Combine(parts, TrainingRun.LatestCheckpoint)),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, TrainingRun.LatestCheckpoint))));

        // Nothing is left: the parameters are those of the checkpoint.
        using Trainer third = Create(seed: 7);
        Assert.That(third.Fit(train, Bars(20, 2), 3, parts, resume: true, new RecordingObserver()), Is.Empty);
        Assert.That(third.Predict(Bars(9, 4)).SelectMany(p => p.Logits), Is.EqualTo(second.Predict(Bars(9, 4)).SelectMany(p => p.Logits)));
    }

    [Test]
    public void A_second_fit_goes_on_with_the_parameters()
    {
        using Trainer trainer = Create();
        trainer.Fit(Bars(60, 1), Bars(20, 2), 8, Path.Combine(folder, "a"), observer: new RecordingObserver());
        EpochFinished first = trainer.Fit(Bars(60, 1), Bars(20, 2), 1, Path.Combine(folder, "b"), observer: new RecordingObserver())[0];
        using Trainer other = Create();
        EpochFinished fresh = other.Fit(Bars(60, 1), Bars(20, 2), 1, Path.Combine(folder, "c"), observer: new RecordingObserver())[0];
        Assert.That(first.TrainLoss, Is.LessThan(0.8 * fresh.TrainLoss));
    }

    [Test]
    public void Frames_that_are_not_the_steps_are_refused()
    {
        using Trainer trainer = Create();
        ArrayDataSet five = new(new float[2 * 5 * 64], new[] { 0, 1 }, new FrameShape(5, 1, 8, 8), Classes);
        Assert.That(() => trainer.Predict(five), Refused("samples have 5 frames, but Steps is 3"));
        Assert.That(() => trainer.Evaluate(five), Refused("samples have 5 frames, but Steps is 3"));
    }

    [Test]
    public void Two_sets_have_the_same_classes_in_one_order()
    {
        using Trainer trainer = Create();
        FrameShape shape = new(1, 1, 8, 8);
        ArrayDataSet train = new(new float[20 * 64], new int[20], shape, Classes, ["a", "b", "c"]);
        ArrayDataSet test = new(new float[64], new int[1], shape, Classes, ["a", "c", "b"]);
        Assert.That(() => trainer.Fit(train, test, 1, folder), Refused("class 1 is b in the training set, but c in the test set"));
    }

    [Test]
    public void Class_names_are_one_a_class_in_either_set()
    {
        using Trainer trainer = Create();
        FrameShape shape = new(1, 1, 8, 8);
        ArrayDataSet named = new(new float[64], new int[1], shape, Classes, ["a", "b", "c"]);
        ArrayDataSet one = new(new float[64], new int[1], shape, Classes, ["a"]);
        Assert.That(() => trainer.Fit(one, named, 1, folder), Refused("1 class names (a) for 3 classes"));
        Assert.That(() => trainer.Fit(named, one, 1, folder), Refused("1 class names (a) for 3 classes"));
    }

    /// <summary>A schedule of a user's own trains and resumes as the built-in ones do.</summary>
    [Test]
    public void A_learning_rate_of_ones_own_goes_on()
    {
        TrainingOptions options = new() { Steps = 3, BatchSize = 20, LearningRate = new Warmup(0.1) };
        RecordingObserver quiet = new();
        using Trainer trainer = Create(options);
        trainer.Fit(Bars(20, 1), Bars(20, 2), 3, Path.Combine(folder, "whole"), observer: quiet);
        using Trainer parts = Create(options);
        parts.Fit(Bars(20, 1), Bars(20, 2), 1, Path.Combine(folder, "parts"), observer: quiet);
        using Trainer rest = Create(options);
        Assert.That(
            rest.Fit(Bars(20, 1), Bars(20, 2), 3, Path.Combine(folder, "parts"), resume: true, quiet), Has.Count.EqualTo(2));
        Assert.That(
            rest.Predict(Bars(9, 4)).SelectMany(p => p.Logits), Is.EqualTo(trainer.Predict(Bars(9, 4)).SelectMany(p => p.Logits)));
    }

    [Test]
    public void Samples_that_fail_are_named()
    {
        using Trainer trainer = Create();
        ArrayDataSet good = Bars(20, 1);
        RecordingObserver quiet = new();
        Assert.That(
            () => trainer.Fit(new Failing(good, _ => throw new InvalidOperationException("too far")), good, 1, folder, observer: quiet),
            Refused("of Failing: Read failed with InvalidOperationException: too far"));
        Assert.That(
            () => trainer.Fit(good, new Failing(good, frames => frames[7] = float.NaN), 1, folder, observer: quiet),
            Refused("sample 0 of Failing: element 7 is NaN"));
        Assert.That(() => trainer.Predict(new Failing(good, frames => frames[7] = float.NaN)), Refused("element 7 is NaN"));
        Assert.That(
            () => trainer.Fit(good, new Failing(good, _ => throw new DamagedSampleException("bad file")), 1, folder, observer: quiet),
            Refused("none of the 20 test samples can be read"));
        float[] sample = new float[64];
        sample[3] = float.PositiveInfinity;
        Assert.That(() => trainer.Predict(sample), Refused("a sample holds"));
    }

    [Test]
    public void An_epoch_without_a_learning_rate_is_told()
    {
        using Trainer trainer = Create();
        trainer.Fit(Bars(20, 1), Bars(20, 2), 2, folder, observer: new RecordingObserver());
        RecordingObserver told = new();
        trainer.Fit(Bars(20, 1), Bars(20, 2), 3, folder, resume: true, told);
        Assert.That(told.Warnings, Has.Some.Contains("the learning rate is 0 in epoch 2, where the cosine over 2 epochs ends"));
    }

    [Test]
    public void What_a_file_was_trained_with_is_told()
    {
        string path = Path.Combine(folder, "net.safetensors");
        using (Trainer trainer = Create())
        {
            trainer.Fit(Bars(20, 1), Bars(20, 2), 1, folder, observer: new RecordingObserver());
            trainer.Save(path);
        }

        using Trainer other = Create(steps: 5);
        Assert.That(other.Load(path), Has.Some.StartsWith("T 5 holds, not the checkpoint's 3"));
    }

    [Test]
    public void A_second_thread_waits_its_turn()
    {
        using Trainer trainer = Create();
        Exception? error = null;
        RecordingObserver observer = new()
        {
            AfterTraining = () =>
            {
                Thread thread = new(() =>
                {
                    try
                    {
                        trainer.Predict(new float[64]);
                    }
                    catch (SlttException e)
                    {
                        error = e;
                    }
                });
                thread.Start();
                thread.Join();
            },
        };
        trainer.Fit(Bars(20, 1), Bars(20, 2), 1, folder, observer: observer);
        Assert.That(error?.Message, Does.Contain("another thread uses this device"));
    }

    [Test]
    public void What_is_disposed_is_refused()
    {
        using ComputeDevice device = ComputeDevice.Open(SharedDevice.Device.Kind);
        Trainer trainer = new(device, new NetworkBuilder(1, 8, 8).Lif().Linear(3).Build(), new TrainingOptions());
        trainer.Predict(new float[64]);
        trainer.Dispose();
        trainer.Dispose();
        Assert.That(() => trainer.Predict(new float[64]), Throws.InstanceOf<ObjectDisposedException>());
        Trainer late = new(device, trainer.Network, new TrainingOptions());
        late.Predict(new float[64]);
        device.Dispose();
        device.Dispose();
        Assert.That(late.Dispose, Throws.Nothing);
        Assert.That(() => late.Predict(new float[64]), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Constants_that_cannot_be_are_refused()
    {
        Network net = new NetworkBuilder(1, 8, 8).Lif().Linear(3).Build();
        void Refuse(TrainingOptions options, string message) =>
            Assert.That(() => new Trainer(SharedDevice.Device, net, options), Refused(message));
        Refuse(new() { LearningRate = new LearningRate.Cosine(0.1, 0) }, "LearningRate.TMax 0");
        Refuse(new() { LearningRate = new LearningRate.Step(0.1, 0, 0.1) }, "LearningRate.StepSize 0");
        Refuse(new() { LearningRate = new LearningRate.Step(0.1, 1, double.NaN) }, "LearningRate.Gamma NaN");
        Refuse(new() { Type = (ComputeType)9 }, "Type 9");
        Refuse(new() { Neuron = new NeuronOptions(Surrogate: (Surrogate)77) }, "Neuron.Surrogate 77");
    }

    /// <summary>What follows an await runs on any thread.</summary>
    [Test]
    public void Another_thread_may_go_on()
    {
        using Trainer trainer = Create();
        Prediction here = trainer.Predict(Bars(1, 5))[0];
        Prediction? there = null;
        Exception? error = null;
        Thread thread = new(() =>
        {
            try
            {
                there = trainer.Predict(Bars(1, 5))[0];
                trainer.Fit(Bars(20, 1), Bars(20, 2), 1, folder, observer: new RecordingObserver());
                trainer.Evaluate(Bars(20, 2));
                using Trainer other = Create();
                other.Predict(Bars(1, 5));
            }
            catch (Exception e)
            {
                error = e;
            }
        });
        thread.Start();
        thread.Join();
        Assert.That(error, Is.Null);
        Assert.That(there!.Logits, Is.EqualTo(here.Logits));
    }

    [Test]
    public void Samples_that_do_not_fit_are_refused()
    {
        using Trainer trainer = Create();
        ArrayDataSet wide = new(new float[10 * 64], new int[10], new FrameShape(1, 4, 4, 4), Classes);
        SlttException error = Assert.Throws<SlttException>(() => trainer.Fit(wide, wide, 1, folder))!;
        Assert.That(error.Message, Does.Contain("samples have 4×4×4 elements a frame and 3 classes, but bars takes 1×8×8 and has 3"));
        Assert.That(Assert.Throws<SlttException>(() => trainer.Predict(wide))!.Message, Does.Contain("4×4×4"));
        Assert.That(() => new ArrayDataSet(new float[64], new[] { 3 }, new FrameShape(1, 1, 8, 8), Classes), Refused("label 3"));
        Assert.That(() => new ArrayDataSet(new float[63], new[] { 0 }, new FrameShape(1, 1, 8, 8), Classes), Refused("there are 63"));
        float[] broken = new float[128];
        broken[70] = float.NaN;
        Assert.That(
            () => new ArrayDataSet(broken, new[] { 0, 1 }, new FrameShape(1, 1, 8, 8), Classes), Refused("sample 1: element 6 is NaN"));
        Assert.That(
            () => SampleFormat.Of(new ArrayDataSet(new byte[64], new[] { 0 }, new FrameShape(1, 1, 8, 8), 2, classNames: ["a"])),
            Refused("1 class names (a) for 2 classes"));
        Assert.That(
            () => new ArrayDataSet(Array.Empty<float>(), Array.Empty<int>(), new FrameShape(1, 1, 8, 8), 2), Refused("without samples"));
        Assert.That(
            () => SampleFormat.Of(new ArrayDataSet(new byte[64], new[] { 0 }, new FrameShape(1, 1, 8, 8), 2, scale: float.NaN)),
            Refused("holds NaN"));
        Assert.That(() => Create(steps: 0), Refused("Steps 0"));
        Assert.That(
            () => new Trainer(SharedDevice.Device, trainer.Network, new TrainingOptions { StartFrom = "a.pth" }), Refused("StartFrom"));
        Assert.That(() => SampleFormat.Of(new SmallImages()), Refused("SmallImages: images of 1 step of 1×28×28"));
    }

    [Test]
    public void Bytes_are_scaled_and_frames_taken_one_a_step()
    {
        // Two steps of one pixel: u(1) = w·x(1) + b, and so on, with the scale and shift of the set.
        Network network = new NetworkBuilder(1, 1, 1).Lif(tau: 2, threshold: 1e6f).Linear(2).Build();
        using Trainer trainer = new(SharedDevice.Device, network, new TrainingOptions { Steps = 2, BatchSize = 2 });
        ArrayDataSet set = new([10, 20, 30, 40], new[] { 0, 1 }, new FrameShape(2, 1, 1, 1), 2, scale: 0.5f, shift: -1);
        SpikeRecord record = trainer.Watch("lif1", [4, 9]);
        Assert.That(record.Potentials(0)[0], Is.EqualTo(4f));
        Assert.That(record.Potentials(1)[0], Is.EqualTo(11f));
        Assert.That(record.Threshold, Is.EqualTo(1e6f));
        Assert.That(trainer.Predict(set), Has.Count.EqualTo(2));
        EvaluationResult result = trainer.Evaluate(set);
        Assert.That(result.Samples, Is.EqualTo(2));
    }

    private static Trainer Create(int steps = 3, long seed = 2022) =>
        Create(new TrainingOptions { Steps = steps, BatchSize = 20, Seed = seed, Workers = 2 });

    private static Trainer Create(TrainingOptions options) => new(
        SharedDevice.Device,
        new NetworkBuilder(1, Size, Size).Conv(8, 3).BatchNorm().Lif().AvgPool(2).Residual(x => x.Conv(8, 3).BatchNorm()).Lif()
            .GlobalAvgPool().Linear(Classes).Build("bars"),
        options);

    private static NUnit.Framework.Constraints.ContainsConstraint Refused(string message) =>
        Throws.TypeOf<SlttException>().With.Message.Contains(message);

    /// <summary>Bars that lie, stand or slant, in noise.</summary>
    private static ArrayDataSet Bars(int n, int seed)
    {
        Random random = new(seed);
        float[] images = new float[n * Size * Size];
        int[] labels = new int[n];
        for (int i = 0; i < n; i++)
        {
            labels[i] = i % Classes;
            int place = random.Next(Size);
            for (int j = 0; j < Size * Size; j++)
            {
                (int y, int x) = (j / Size, j % Size);
                int across = labels[i] switch { 0 => y, 1 => x, _ => (x + y) % Size };
                images[(i * Size * Size) + j] = (across == place ? 1 : 0) + (0.3f * random.NextSingle());
            }
        }

        return new ArrayDataSet(images, labels, new FrameShape(1, 1, Size, Size), Classes);
    }

    /// <summary>A user's own set, with augmentation: images moved round by some columns.</summary>
    private sealed class Shifted(ArrayDataSet inner) : FrameDataSet(inner.Count, inner.Shape, inner.Classes)
    {
        public override int Label(int index) => inner.Label(index);

        protected override void Read(int index, ref Philox random, Span<float> frames)
        {
            float[] image = new float[frames.Length];
            ((IFrameSet)inner).Read(index, 0, System.Runtime.InteropServices.MemoryMarshal.AsBytes(image.AsSpan()));
            int shift = random.NextBelow(Size);
            for (int i = 0; i < image.Length; i++)
            {
                frames[(i / Size * Size) + ((i + shift) % Size)] = image[i];
            }
        }
    }

    /// <summary>A user's own schedule: it rises.</summary>
    private sealed record Warmup(double Initial) : LearningRate(Initial)
    {
        protected override double Rate(int step) => Initial * Math.Min(1, (step + 1) / 3.0);
    }

    /// <summary>A user's own set whose reading goes wrong.</summary>
    private sealed class Failing(ArrayDataSet inner, Action<float[]> read) : FrameDataSet(inner.Count, inner.Shape, inner.Classes)
    {
        public override int Label(int index) => inner.Label(index);

        protected override void Read(int index, ref Philox random, Span<float> frames)
        {
            float[] image = new float[frames.Length];
            read(image);
            image.CopyTo(frames);
        }
    }

    /// <summary>Images that the device could not augment.</summary>
    private sealed class SmallImages : IImageSet
    {
        public int Count => 1;

        public FrameShape Shape => new(1, 1, 28, 28);

        public int Classes => 10;

        public ReadOnlyMemory<byte> Images => new byte[28 * 28];

        public IReadOnlyList<float> Mean => [0];

        public IReadOnlyList<float> Std => [1];

        public int Label(int index) => 0;
    }
}
