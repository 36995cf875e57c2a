using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Tests.Cli;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>NaN and infinity in what a run keeps: found by name, and the run stops or warns.</summary>
public sealed class FiniteCheckTests
{
    private SmallCifar data = null!;

    [SetUp]
    public void MakeData() => data = new SmallCifar();

    [TearDown]
    public void RemoveData() => data.Dispose();

    /// <summary>Wherever one such number is: it is found there and nowhere else.</summary>
    [Test]
    public void One_bad_number_is_named([Values] OptimizerKind optimizer)
    {
        using BatchRun run = TestRuns.OnRandomBatch(Options with { DataDir = "none", Optimizer = optimizer });
        (ParameterStore store, Network network) = (run.Engine.Store, run.Engine.Network);
        IReadOnlyList<string> states = optimizer == OptimizerKind.AdamW ? ["exp_avg", "exp_avg_sq"] : ["momentum_buffer"];
        using NonFiniteSearch search = new(store, states);
        StatisticsBuffer[] statistics = [.. network.Statistics.Where(s => !s.IsCounter)];
        Assert.That(search.Tensors, Is.EqualTo(((1 + states.Count) * network.Parameters.Count) + statistics.Length));
        Assert.That(search.Find(), Is.Empty);
        foreach (Parameter parameter in (Parameter[])[network.Parameters[0], network.Parameters[7], network.Parameters[^1]])
        {
            AssertFound(parameter.Name, store.GetWeight(parameter), values => store.SetWeight(parameter, values));
            for (int i = 0; i < states.Count; i++)
            {
                int state = i;
                AssertFound(
                    $"{states[i]} of {parameter.Name}", store.GetOptimizerState(i, parameter),
                    values => store.SetOptimizerState(state, parameter, values));
            }
        }

        foreach (StatisticsBuffer buffer in (StatisticsBuffer[])[statistics[0], statistics[1], statistics[^1]])
        {
            AssertFound(buffer.Name, store.GetStatistic(buffer), values => store.SetStatistic(buffer, values));
        }

        void AssertFound(string name, float[] values, Action<float[]> set)
        {
            foreach (float bad in (float[])[float.NaN, float.NegativeInfinity])
            {
                float[] changed = [.. values];
                changed[^1] = bad;
                set(changed);
                Assert.That(search.Find(), Is.EqualTo(new[] { new NonFiniteTensor(name, bad) }));
                set(values);
            }

            Assert.That(search.Find(), Is.Empty);
        }
    }

    /// <summary>Scaled gradients may overflow: that is what the loss scale is for.</summary>
    [Test]
    public void Gradients_are_not_looked_at()
    {
        using BatchRun run = TestRuns.OnRandomBatch(Options with { DataDir = "none", Amp = true });
        using NonFiniteSearch search = new(run.Engine.Store, ["momentum_buffer"]);
        RunState state = run.Engine.ReadState();
        run.Engine.WriteState(state with { LossScale = 1e38f, GradScale = 1e-38f });
        run.Iterate();
        Assert.That(run.Engine.ReadState().SkippedSteps, Is.EqualTo(1));
        Assert.That(
            run.Engine.Network.Parameters.SelectMany(run.Engine.Store.GetGradient).Any(g => !float.IsFinite(g)), Is.True, "overflow");
        Assert.That(search.Find(), Is.Empty);
    }

    [Test]
    public void A_run_stops_where_it_diverges_and_keeps_the_last_good_checkpoint([Values] bool second)
    {
        Run(Options);
        Dictionary<string, byte[]> before = Files(Latest, Best);

        // A learning rate beyond all measure: the first update makes numbers that the second iteration cannot compute with.
        TrainOptions further = Options with { Epochs = 2, LearningRate = 1e38, Resume = second ? Latest : null };
        RecordingObserver told = new();
        SlttException error = Assert.Throws<SlttException>(() => Run(further, told))!;
        string kept = second ? $"{Latest} is the last good checkpoint" : "no checkpoint was saved before";
        Assert.Multiple(() =>
        {
            Assert.That(error.Kind, Is.EqualTo(ErrorKind.Usage));
            Assert.That(
                error.Message,
                Does.Match(
                    $@"^epoch {(second ? 1 : 0)}, iteration [12] of 5: (NaN|infinity) in \S+( of \S+)? and in \d+ more of \d+ tensors: "));
            Assert.That(error.Message, Does.EndWith(kept));
            Assert.That(error.Hint, Does.Contain("-lr").And.Contain("--on-nan warn"));
            Assert.That(told.Warnings.Where(w => !w.StartsWith("out dir", StringComparison.Ordinal)), Is.Empty);
            foreach ((string path, byte[] bytes) in before)
            {
                Assert.That(File.ReadAllBytes(path), Is.EqualTo(bytes), path);
            }
        });
    }

    [Test]
    public void A_run_that_is_to_warn_trains_on_and_keeps_the_best_checkpoint()
    {
        Run(Options);
        byte[] before = File.ReadAllBytes(Best);
        RecordingObserver told = Run(Options with { Epochs = 3, LearningRate = 1e38, Resume = Latest, OnNan = NanAction.Warn });
        Assert.Multiple(() =>
        {
            Assert.That(told.Warnings, Has.Count.EqualTo(1));
            Assert.That(told.Warnings[0], Does.Match("^epoch 1, iteration [12] of 5: ").And.Contain("it trains on (--on-nan warn)"));
            Assert.That(File.ReadAllBytes(Best), Is.EqualTo(before));
            Assert.That(CheckpointFile.Read(Latest).Metadata["epoch"], Is.EqualTo("2"));
        });
    }

    [Test]
    public void A_stopped_run_with_NaN_keeps_the_older_checkpoint()
    {
        Run(Options);
        byte[] before = File.ReadAllBytes(Latest);
        using CancellationTokenSource cancel = new();
        RecordingObserver told = new() { AfterTraining = cancel.Cancel };
        SlttException error = Assert.Throws<SlttException>(
            () => Run(Options with { Epochs = 2, LearningRate = 1e38, WeightDecay = 1e9, Resume = Latest }, told, cancel.Token))!;
        Assert.That(error.Message, Does.StartWith("epoch 1, iteration 1 of 5: ").And.EndsWith($"{Latest} is the last good checkpoint"));
        Assert.That(File.ReadAllBytes(Latest), Is.EqualTo(before));
    }

    [Test]
    public void A_checkpoint_with_NaN_is_refused_by_name()
    {
        Run(Options);
        string weight = With(Latest, "net.layer1.0.conv1.weight", "weight");
        string momentum = With(Latest, "optimizer.state.3.momentum_buffer", "momentum");
        string variance = With(Latest, "net.bn1.running_var", "variance");
        TrainOptions further = Options with { Epochs = 2 };
        Assert.Multiple(() =>
        {
            AssertRefused(further with { Resume = weight }, $"{weight}: net.layer1.0.conv1.weight holds NaN");
            AssertRefused(further with { PreTrain = weight }, $"{weight}: net.layer1.0.conv1.weight holds NaN");
            AssertRefused(further with { Resume = momentum }, $"{momentum}: NaN in momentum_buffer of ");
            AssertRefused(further with { PreTrain = variance }, $"{variance}: net.bn1.running_var holds NaN");
        });
        Run(further with { PreTrain = momentum }); // It takes the parameters alone.
        RecordingObserver told = Run(further with { Resume = momentum, OnNan = NanAction.Warn });
        Assert.That(told.Warnings, Has.Count.EqualTo(1).And.One.StartsWith($"{momentum}: NaN in momentum_buffer of "));

        void AssertRefused(TrainOptions options, string message)
        {
            SlttException error = Assert.Throws<SlttException>(() => Run(options))!;
            Assert.That(error.Kind, Is.EqualTo(ErrorKind.Data));
            Assert.That(error.Message, Does.StartWith(message));
        }
    }

    /// <summary>An infinite loss whose update the loss scale skips is no fault; also not where the run is stopped and goes on.</summary>
    [Test]
    public void A_float16_overflow_that_was_skipped_stops_nothing()
    {
        Run(Options with { Amp = true });
        string huge = With(Latest, "net.linear.weight", "huge", 1e6f); // beyond float16's range; the master weights hold it
        TrainOptions further = Options with { Amp = true, Epochs = 2, Resume = huge };
        using CancellationTokenSource cancel = new();
        Run(further, new RecordingObserver { AfterTraining = cancel.Cancel }, cancel.Token);
        Assert.That(CheckpointFile.Read(Latest).Metadata["sltt_run"], Does.Contain("\"train_loss\":\"NaN\""));
        RecordingObserver told = Run(further with { Resume = Latest });
        Assert.That(told.Warnings, Has.One.StartsWith("epoch 1: all 4 updates were skipped").And.None.Contains("diverged"));
    }

    private TrainOptions Options => new()
    {
        DataDir = data.Folder,
        AllowIncomplete = true,
        Model = "spiking_resnet18",
        WidthDivisor = 32,
        T = 1,
        BatchSize = 8,
        Epochs = 1,
        Workers = 1,
        LearningRate = 0.01,
        Device = SharedDevice.Choice,
    };

    private string Latest => Path.Combine(data.OutDir, TrainingRun.LatestCheckpoint);

    private string Best => Path.Combine(data.OutDir, TrainingRun.BestCheckpoint);

    /// <summary>Runs in one folder, whatever the options.</summary>
    private RecordingObserver Run(TrainOptions options, RecordingObserver? observer = null, CancellationToken cancel = default)
    {
        observer ??= new RecordingObserver();
        (IDataSet train, IDataSet test) = options.Data.Open(options.DataDir, RunFactory.Data(options));
        using ComputeDevice device = ComputeDevice.Open(options.Device, out _);
        using TrainingRun run = new(device, RunFactory.Training(options) with { RunFolder = data.OutDir }, train, test, observer);
        run.Run(cancel);
        return observer;
    }

    private static Dictionary<string, byte[]> Files(params string[] paths) => paths.ToDictionary(p => p, File.ReadAllBytes);

    /// <summary>A copy of a checkpoint with one number of a tensor changed.</summary>
    private string With(string checkpoint, string tensor, string name, float value = float.NaN)
    {
        string path = Path.Combine(data.Folder, name + ".safetensors");
        ChangedCheckpoint.Write(checkpoint, path, tensor, values => values[^1] = value);
        return path;
    }
}
