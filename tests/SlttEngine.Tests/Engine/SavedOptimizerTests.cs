using System.Text.Json.Nodes;
using SlttEngine.IO;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>A checkpoint's param_groups and lr_scheduler: what goes on, and what is refused.</summary>
public sealed class SavedOptimizerTests
{
    private const string SgdGroup = """
        {"lr": 0.1, "momentum": 0.9, "dampening": 0, "weight_decay": 0.0005, "nesterov": false, "initial_lr": 0.1, "params": [0, 1]}
        """;

    private const string AdamWGroup = """
        {"lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0.01, "amsgrad": false, "initial_lr": 0.1, "params": [0, 1]}
        """;

    private const string StepState = """{"step_size": 30, "gamma": 0.5, "base_lrs": [0.1], "last_epoch": 2}""";

    /// <summary>As the official programs write it: lr 0.05, T_max 10, two epochs done.</summary>
    [Test]
    public void An_official_checkpoint_goes_on_as_it_was()
    {
        SavedOptimizer saved = Read(
            SgdGroup.Replace("\"lr\": 0.1", "\"lr\": 0.045225424859373685", StringComparison.Ordinal)
                .Replace("\"initial_lr\": 0.1", "\"initial_lr\": 0.05", StringComparison.Ordinal),
            """{"T_max": 10, "eta_min": 0, "base_lrs": [0.05], "last_epoch": 2, "_step_count": 3, "_last_lr": [0.0452]}""");
        Assert.That(saved.Optimizer, Is.EqualTo(new Sgd(0.9, 5e-4)));
        Assert.That(saved.LearningRate, Is.EqualTo(new LearningRate.Cosine(0.05, 10)));
        Assert.That(Read(AdamWGroup, StepState), Is.EqualTo(new SavedOptimizer(new AdamW(0.01), new LearningRate.Step(0.1, 30, 0.5))));
    }

    /// <summary>PyTorch goes on from the optimiser's rate, whatever its schedule says: an lr changed by hand stays changed.</summary>
    [Test]
    public void A_rate_changed_by_hand_goes_on_from_there()
    {
        // torch: lr 0.03 in the optimiser's group, CosineAnnealingLR(T_max=10) at last_epoch 2, then steps.
        SavedOptimizer saved = Read(
            SgdGroup.Replace("\"lr\": 0.1", "\"lr\": 0.03", StringComparison.Ordinal),
            """{"T_max": 10, "eta_min": 0, "base_lrs": [0.1], "last_epoch": 2}""");
        Assert.That(saved.LearningRate.Initial, Is.EqualTo(0.1));
        Assert.That(saved.LearningRate.At(2), Is.EqualTo(0.03).Within(1e-15));
        double next = 0.03 * (1 + Math.Cos(Math.PI * 0.3)) / (1 + Math.Cos(Math.PI * 0.2));
        Assert.That(saved.LearningRate.At(3), Is.EqualTo(next).Within(1e-15));
    }

    [TestCase("\"base_lrs\": [0.1], ", "")]
    [TestCase("\"last_epoch\": 2", "\"verbose\": false")]
    [TestCase("\"step_size\": 30", "\"step_size\": 30.0")]
    [TestCase("\"last_epoch\": 2", "\"last_epoch\": 2.0")]
    public void What_is_not_needed_may_miss(string what, string by) => Assert.That(
        Read(SgdGroup, StepState.Replace(what, by, StringComparison.Ordinal)).LearningRate,
        Is.EqualTo(new LearningRate.Step(0.1, 30, 0.5)));

    [TestCase("\"momentum\": 0.9, \"dampening\": 0,", "\"momentum\": 0, \"dampening\": 0.5,")]
    [TestCase("\"nesterov\": false", "\"nesterov\": false, \"maximize\": false, \"foreach\": null, \"fused\": null")]
    [TestCase("\"initial_lr\": 0.1, ", "")]
    public void Settings_without_effect_are_taken(string what, string by) =>
        Assert.That(Read(Once(SgdGroup, what, by), StepState).Optimizer, Is.TypeOf<Sgd>());

    [TestCase("\"nesterov\": false", "\"nesterov\": true", "nesterov")]
    [TestCase("\"dampening\": 0", "\"dampening\": 0.1", "dampening")]
    [TestCase("\"nesterov\": false", "\"maximize\": true", "maximize")]
    [TestCase("\"momentum\": 0.9", "\"momentum\": 1.5", "momentum 1.5")]
    [TestCase("\"momentum\": 0.9", "\"momentum\": \"NaN\"", "momentum NaN")]
    [TestCase("\"weight_decay\": 0.0005", "\"weight_decay\": null", "its weight_decay is no number")]
    [TestCase("\"weight_decay\": 0.0005", "\"weight_decay\": -1", "weight decay -1")]
    [TestCase("\"nesterov\": false", "\"alpha\": 0.99", "alpha")]
    [TestCase("\"lr\": 0.1", "\"lr\": \"Infinity\"", "its lr")]
    [TestCase("\"initial_lr\": 0.1", "\"initial_lr\": 0.2", "base_lrs is 0.1, but initial_lr 0.2")]
    public void Another_SGD_is_refused(string what, string by, string message) =>
        AssertRefused(Once(SgdGroup, what, by), StepState, message);

    [TestCase("\"amsgrad\": false", "\"amsgrad\": true", "amsgrad")]
    [TestCase("[0.9, 0.999]", "[0.95, 0.999]", "betas [0.95,0.999]")]
    [TestCase("1e-08", "1e-06", "eps")]
    [TestCase("\"amsgrad\": false", "\"amsgrad\": false, \"decoupled_weight_decay\": false", "Adam's weight decay")]
    [TestCase("\"amsgrad\": false, ", "", "not the SGD or AdamW")]
    [TestCase("\"amsgrad\": false", "\"amsgrad\": false, \"momentum_decay\": 0.004", "momentum_decay")]
    public void Another_AdamW_is_refused(string what, string by, string message) =>
        AssertRefused(Once(AdamWGroup, what, by), StepState, message);

    [TestCase("""{"milestones": {"30": 1}, "gamma": 0.1, "base_lrs": [0.1], "last_epoch": 2}""", "milestones")]
    [TestCase("""{"T_0": 10, "T_mult": 1, "T_cur": 2, "eta_min": 0, "base_lrs": [0.1], "last_epoch": 2}""", "T_mult")]
    [TestCase("""{"T_max": 10, "eta_min": 0.001, "base_lrs": [0.1], "last_epoch": 2}""", "eta_min 0.001")]
    [TestCase("""{"T_max": 0, "eta_min": 0, "base_lrs": [0.1], "last_epoch": 2}""", "T_max 0")]
    [TestCase("""{"T_max": 12.5, "eta_min": 0, "base_lrs": [0.1], "last_epoch": 2}""", "T_max 12.5")]
    [TestCase("""{"step_size": 30, "gamma": -1, "base_lrs": [0.1], "last_epoch": 2}""", "gamma -1")]
    [TestCase("""{"step_size": 30, "gamma": 0.5, "base_lrs": [0.1], "last_epoch": 7}""", "2 epochs are done (epoch + 1), but")]
    [TestCase("""{"step_size": 30, "gamma": 0.5, "base_lrs": [0.1, 0.2], "last_epoch": 2}""", "2 base_lrs")]
    [TestCase("""{"T_max": 2, "eta_min": 0, "base_lrs": [0.1], "last_epoch": 2}""", "has come to 0")]
    [TestCase("[]", "its lr_scheduler is no dictionary")]
    [TestCase(null, "has no lr_scheduler")]
    public void Another_schedule_is_refused(string? state, string message) => AssertRefused(SgdGroup, state, message);

    [Test]
    public void Several_groups_are_refused_with_their_difference() => AssertRefused(
        SgdGroup.Replace("[0, 1]", "[0]", StringComparison.Ordinal) + ", "
            + SgdGroup.Replace("[0, 1]", "[1]", StringComparison.Ordinal).Replace("0.0005", "0.0", StringComparison.Ordinal),
        StepState, "2 groups of parameters, where this engine has one for all: weight_decay 0.0005 and 0.0");

    [TestCase("\"3\"", "its epoch is no number")]
    [TestCase("1.5", "its epoch 1.5 is not the number")]
    [TestCase("-2147483648", "its epoch -2147483648 is not the number")]
    [TestCase("2147483647", "its epoch 2147483647 is not the number")]
    [TestCase("\"NaN\"", "its epoch NaN is not the number")]
    [TestCase(null, "has no epoch")]
    public void An_epoch_that_is_none_is_refused(string? epoch, string message) => AssertRefused(SgdGroup, StepState, message, epoch);

    private static string Once(string text, string what, string by)
    {
        int at = text.IndexOf(what, StringComparison.Ordinal);
        Assert.That(at, Is.GreaterThanOrEqualTo(0));
        return text[..at] + by + text[(at + what.Length)..];
    }

    private static void AssertRefused(string group, string? state, string message, string? epoch = "1")
    {
        SlttException error = Assert.Throws<SlttException>(() => Read(group, state, epoch))!;
        Assert.That(error.Message, Does.Contain(message));
        Assert.That(error.Hint, Does.Contain("-pre_train"));
    }

    private static SavedOptimizer Read(string group, string? state, string? epoch = "1")
    {
        Dictionary<string, string> metadata = new() { ["param_groups"] = JsonNode.Parse($"[{group}]")!.ToJsonString() };
        if (state is not null)
        {
            metadata["lr_scheduler"] = state;
        }

        if (epoch is not null)
        {
            metadata["epoch"] = epoch;
        }

        return SavedOptimizer.Read(new CheckpointFile([], metadata));
    }
}
