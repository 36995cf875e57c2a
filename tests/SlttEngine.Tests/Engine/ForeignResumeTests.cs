using System.Globalization;
using System.Text.Json.Nodes;
using SlttEngine.Cli.Options;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Checkpoints as other programs and other versions write them, loaded into an engine: all of them count, or none does.</summary>
public sealed class ForeignResumeTests
{
    private static readonly TrainOptions Small = new()
    {
        Model = "spiking_resnet18",
        Dataset = "cifar10",
        WidthDivisor = 32,
        T = 1,
        BatchSize = 2,
        Epochs = 3,
        LearningRate = 0.01,
        Device = SharedDevice.Choice,
    };

    private BatchRun sgd = null!;
    private BatchRun adamW = null!;
    private CheckpointFile sgdFile = null!;
    private CheckpointFile adamWFile = null!;

    [OneTimeSetUp]
    public void Train()
    {
        (sgd, sgdFile) = Train(Small);
        (adamW, adamWFile) = Train(Small with { Optimizer = OptimizerKind.AdamW, WeightDecay = 0.1 });
    }

    [OneTimeTearDown]
    public void Free()
    {
        sgd.Dispose();
        adamW.Dispose();
    }

    [TestCase("7")]
    [TestCase("7.0")]
    public void A_step_that_is_no_tensor_is_a_number(string step)
    {
        JsonObject scalars = [];
        for (int i = 0; i < adamW.Engine.Network.Parameters.Count; i++)
        {
            scalars[$"{i}.step"] = JsonNode.Parse(step);
        }

        Resume(adamW, Official(adamWFile, t => t.Name.EndsWith(".step", StringComparison.Ordinal) ? null : t, ("scalars", scalars)));
        Assert.That(adamW.Engine.ReadState().OptimizerSteps, Is.EqualTo(7));
    }

    [TestCase("optimizer.state.3.step", 9f, "counts 1 steps of conv1.weight and 9 of")]
    [TestCase("optimizer.state.0.step", 1.5f, "the step 1.5 of conv1.weight")]
    [TestCase("optimizer.state.0.step", -1f, "the step -1 of conv1.weight")]
    [TestCase("optimizer.state.2.step", null, "no step of")]
    [TestCase("optimizer.state.2.exp_avg_sq", null, "no exp_avg_sq of")]
    public void Steps_that_can_not_be_are_refused(string name, float? value, string message) => AssertRefused(
        adamW,
        Official(adamWFile, t => t.Name != name ? t : value is { } step ? NamedTensor.Float32(name, [], [step]) : null), message);

    [Test]
    public void A_step_that_the_run_contradicts_is_refused() => AssertRefused(
        adamW,
        Copy(
            adamWFile, t => t.Name.EndsWith(".step", StringComparison.Ordinal) ? NamedTensor.Float32(t.Name, [], [5f]) : t),
        "its run made 1 updates, but its optimiser's step is 5");

    [Test]
    public void State_belongs_to_parameters_by_their_order_in_the_group()
    {
        // As PyTorch before 1.7 numbered them: by their addresses.
        int count = sgd.Engine.Network.Parameters.Count;
        JsonArray groups = JsonNode.Parse(sgdFile.Metadata["param_groups"])!.AsArray();
        groups[0]!["params"] = new JsonArray([.. Enumerable.Range(0, count).Select(i => (JsonNode)(140_000_000_000_000 - (64L * i)))]);
        float[] last = Momentum(count - 1);
        sgd.Engine.Store.SetOptimizerState(0, sgd.Engine.Network.Parameters[count - 1], new float[last.Length]);
        Resume(sgd, Official(sgdFile, t => !t.Name.StartsWith("optimizer", StringComparison.Ordinal) ? t : t.Renamed(
            $"optimizer.state.{140_000_000_000_000 - (64L * Index(t.Name))}.momentum_buffer"), ("param_groups", groups)));
        Assert.That(Momentum(count - 1), Is.EqualTo(last).And.Some.Not.Zero);
    }

    [Test]
    public void Another_number_of_parameters_is_refused()
    {
        JsonArray groups = JsonNode.Parse(sgdFile.Metadata["param_groups"])!.AsArray();
        groups[0]!["params"]!.AsArray().RemoveAt(0);
        AssertRefused(sgd, Official(sgdFile, t => t, ("param_groups", groups)), "its optimiser has");
    }

    [Test]
    public void A_momentum_of_another_shape_or_another_optimiser_is_refused()
    {
        AssertRefused(
            sgd,
            Official(
                sgdFile,
                t => t.Name == "optimizer.state.0.momentum_buffer" ? NamedTensor.Float32(t.Name, [t.Count], t.ToFloat32()) : t),
            "momentum_buffer of conv1.weight has shape");
        AssertRefused(
            sgd, Official(sgdFile, t => t.Name == "optimizer.state.0.momentum_buffer" ? t.Renamed("optimizer.state.0.square_avg") : t),
            "holds square_avg");
    }

    [TestCase("epoch", "4", "lr_scheduler", "its epoch 4 is outside 0 … 3")]
    [TestCase("epoch", "-1", "lr_scheduler", "its epoch -1 is outside 0 … 3")]
    [TestCase("max_test_acc", "94.5", null, "max_test_acc 94.5 is no share")]
    [TestCase("max_test_acc", "\"NaN\"", null, "max_test_acc NaN is no share")]
    [TestCase("max_test_acc", null, null, "has no max_test_acc")]
    public void Numbers_that_can_not_be_are_refused(string key, string? value, string? follows, string message)
    {
        JsonObject schedule = JsonNode.Parse(sgdFile.Metadata["lr_scheduler"])!.AsObject();
        schedule["last_epoch"] = follows is null ? 1 : int.Parse(value!, CultureInfo.InvariantCulture) + 1;
        AssertRefused(
            sgd, Official(sgdFile, t => t, (key, value is null ? null : JsonNode.Parse(value)), ("lr_scheduler", schedule)), message);
    }

    [Test]
    public void A_best_accuracy_of_minus_infinity_is_none() => Assert.That(
        Resume(sgd, Official(sgdFile, t => t, ("max_test_acc", "-Infinity"))).Position.MaxTestAccuracy, Is.Zero);

    [TestCase("lr", "1.0", 0.06)]
    [TestCase("lr", "null", null)]
    public void The_checkpoints_optimiser_counts_unless_one_is_given(string key, string value, double? rate)
    {
        JsonArray groups = JsonNode.Parse(sgdFile.Metadata["param_groups"])!.AsArray();
        groups[0]![key] = rate ?? JsonNode.Parse(value);
        CheckpointFile changed = Official(sgdFile, t => t, ("param_groups", groups));
        TrainingOptions given = RunFactory.Training(Small);
        Assert.That(() => TrainingCheckpoint.Resume(sgd.Engine, given, changed).Epoch, Is.EqualTo(1), "an optimiser and a rate of its own");
        if (rate is null)
        {
            AssertRefused(sgd, changed, "its lr is no number");
            return;
        }

        LearningRate goesOn = Resume(sgd, changed).Options.UsedLearningRate;
        Assert.That(goesOn.At(1), Is.EqualTo(rate).Within(1e-12));
        Assert.That(SavedOptimizer.Doubts(changed, goesOn).Single(), Does.Contain("its lr is 0.06, not its schedule's 0.00999"));
    }

    [Test]
    public void Counters_that_are_missing_or_floats_are_numbers()
    {
        CheckpointFile changed = Copy(sgdFile, t => !t.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal) ? t
            : t.Name == "net.bn1.num_batches_tracked" ? NamedTensor.Float32(t.Name, [1], [12f]) : null);
        List<string> notes = [];
        NetworkState.Load(sgd.Engine.Store, changed, note: notes.Add);
        Dictionary<string, NamedTensor> state = NetworkState.Save(sgd.Engine.Store).ToDictionary(t => t.Name);
        Assert.That(state["net.bn1.num_batches_tracked"].ToInt64(), Is.EqualTo(new long[] { 12 }));
        Assert.That(state["net.layer1.0.bn1.num_batches_tracked"].ToInt64(), Is.EqualTo(new long[] { 0 }));
        Assert.That(notes.Single(), Does.Contain("no num_batches_tracked"));
    }

    [Test]
    public void Numbers_that_are_not_finite_are_refused([Values("net.conv1.weight", "net.bn1.running_var")] string name)
    {
        CheckpointFile changed = Copy(sgdFile, t => t.Name != name ? t
            : NamedTensor.Float32(name, t.Shape, [.. t.ToFloat32().Select((v, i) => i == 1 ? float.NaN : v)]));
        Assert.That(
            () => NetworkState.Load(sgd.Engine.Store, changed),
            Throws.TypeOf<SlttException>().With.Message.Contains($"{name} holds NaN at 1"));
        NetworkState.Load(sgd.Engine.Store, changed, allowNonFinite: true);
        Assert.That(NetworkState.Save(sgd.Engine.Store).Single(t => t.Name == name).ToFloat32()[1], Is.NaN);
        NetworkState.Load(sgd.Engine.Store, sgdFile);
    }

    [Test]
    public void A_negative_variance_is_refused()
    {
        CheckpointFile changed = Copy(sgdFile, t => t.Name != "net.bn1.running_var" ? t
            : NamedTensor.Float32(t.Name, t.Shape, [.. t.ToFloat32().Select(v => -v)]));
        Assert.That(
            () => NetworkState.Load(sgd.Engine.Store, changed),
            Throws.TypeOf<SlttException>().With.Message.Contains("bn1.running_var holds a negative variance at 0"));
    }

    [Test]
    public void A_new_head_replaces_the_last_layer_and_nothing_else()
    {
        NamedTensor Other(NamedTensor t) => !t.Name.StartsWith("net.fc", StringComparison.Ordinal)
            && !t.Name.StartsWith("net.linear", StringComparison.Ordinal) ? t
            : NamedTensor.Float32(t.Name, [100, .. t.Shape.Skip(1)], new float[100 * t.Count / t.Shape[0]]);
        CheckpointFile hundred = Copy(sgdFile, Other);
        Assert.That(
            () => NetworkState.Load(sgd.Engine.Store, hundred),
            Throws.TypeOf<SlttException>().With.Message.Contains("it has 100 classes, but the data have 10")
                .And.Property("Hint").Contains("--reset-head"));
        sgd.Engine.Store.Initialize(77);
        Parameter head = sgd.Engine.Network.Parameters[^2];
        float[] first = sgd.Engine.Store.GetWeight(head);
        List<string> notes = [];
        NetworkState.Load(sgd.Engine.Store, hundred, resetHead: true, notes.Add);
        Assert.That(sgd.Engine.Store.GetWeight(head), Is.EqualTo(first));
        Assert.That(
            sgd.Engine.Store.GetWeight(sgd.Engine.Network.Parameters[0]), Is.EqualTo(sgdFile.Tensors[0].ToFloat32()));
        Assert.That(notes.Single(), Does.Contain("begun anew: ").And.Contain(head.Name + " (10, ").And.Contain(".bias (10)"));

        string body = "net.layer4.1.conv2.bias";
        CheckpointFile another = Copy(sgdFile, t => t.Name == body ? NamedTensor.Float32(body, [t.Count + 1], new float[t.Count + 1]) : t);
        Assert.That(
            () => NetworkState.Load(sgd.Engine.Store, another, resetHead: true),
            Throws.TypeOf<SlttException>().With.Message.Contains("layer4.1.conv2.bias has shape"));
        CheckpointFile narrow = Copy(sgdFile, t => t.Name == "net." + head.Name ? NamedTensor.Float32(t.Name, [10, 1], new float[10]) : t);
        Assert.That(
            () => NetworkState.Load(sgd.Engine.Store, narrow, resetHead: true),
            Throws.TypeOf<SlttException>().With.Message.Contains(head.Name));
    }

    private static (BatchRun Run, CheckpointFile File) Train(TrainOptions options)
    {
        BatchRun run = TestRuns.OnRandomBatch(options);
        run.Iterate();
        return (run, TrainingCheckpoint.Capture(run.Engine, RunFactory.Training(options), new RunPosition { Epoch = 1 }));
    }

    private static (RunPosition Position, TrainingOptions Options) Resume(BatchRun run, CheckpointFile checkpoint)
    {
        TrainingOptions options = RunFactory.Training(Small) with { Optimizer = null, LearningRate = null };
        return (TrainingCheckpoint.Resume(run.Engine, options, checkpoint), options.WithOptimizerOf(checkpoint));
    }

    private static void AssertRefused(BatchRun run, CheckpointFile checkpoint, string message) => Assert.That(
        () => Resume(run, checkpoint), Throws.TypeOf<SlttException>().With.Message.Contains(message));

    private float[] Momentum(int index) => sgd.Engine.Store.GetOptimizerState(0, sgd.Engine.Network.Parameters[index]);

    private static long Index(string name) => long.Parse(name.Split('.')[2], CultureInfo.InvariantCulture);

    /// <summary>A copy with other tensors, a null leaves one out, and other metadata.</summary>
    private static CheckpointFile Copy(CheckpointFile file, Func<NamedTensor, NamedTensor?> change, params (string, JsonNode?)[] metadata)
    {
        Dictionary<string, string> changed = new(file.Metadata);
        foreach ((string key, JsonNode? value) in metadata)
        {
            changed.Remove(key);
            if (value is not null)
            {
                changed[key] = value.ToJsonString();
            }
        }

        return new CheckpointFile(file.Tensors.Select(change).OfType<NamedTensor>(), changed);
    }

    /// <summary>A copy without what only this engine writes.</summary>
    private static CheckpointFile Official(
        CheckpointFile file, Func<NamedTensor, NamedTensor?> change, params (string, JsonNode?)[] metadata) =>
        Copy(file, change, [.. metadata, .. file.Metadata.Keys.Where(k => k.StartsWith("sltt", StringComparison.Ordinal)).Select(
            k => (k, (JsonNode?)null))]);
}
