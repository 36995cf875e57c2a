using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>
/// A checkpoint's optimiser and schedule in PyTorch's terms, param_groups and lr_scheduler: what load_state_dict takes from a file, and
/// what state_dict puts there.
/// </summary>
/// <param name="Optimizer">The optimiser with its settings.</param>
/// <param name="LearningRate">The schedule that goes on.</param>
public sealed record SavedOptimizer(Optimizer Optimizer, LearningRate LearningRate)
{
    /// <summary>A rate may differ from its schedule's closed form by what PyTorch's recursion and a float32 round.</summary>
    private const double RateTolerance = 1e-6;

    private static readonly string[] Neutral =
    [
        "lr", "initial_lr", "params", "param_names", "weight_decay", "maximize", "foreach", "differentiable", "fused", "capturable", "name",
    ];

    private static readonly string[] OfSgd = [.. Neutral, "momentum", "dampening", "nesterov"];

    private static readonly string[] OfAdamW = [.. Neutral, "betas", "eps", "amsgrad", "decoupled_weight_decay"];

    /// <summary>Ways to compute an update that this engine has not.</summary>
    private static readonly string[] Variants = ["nesterov", "maximize", "amsgrad"];

    /// <summary>Reads both from a checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <exception cref="SlttException">There is none, or one that the engine does not compute; the message says what.</exception>
    public static SavedOptimizer Read(CheckpointFile checkpoint) => new(ReadOptimizer(checkpoint), ReadLearningRate(checkpoint));

    /// <summary>The number of parameters in the optimiser, in their order: the indices of its state.</summary>
    /// <exception cref="SlttException">There is no optimiser, or one of several groups.</exception>
    internal static IReadOnlyList<string> Indices(CheckpointFile checkpoint) =>
        Group(checkpoint)["params"] is JsonArray indices ? [.. indices.Select(i => i?.ToString() ?? string.Empty)]
            : throw Refused(checkpoint, "its param_groups has no params");

    /// <summary>The epoch last finished.</summary>
    /// <exception cref="SlttException">There is none, or it is no whole number of an epoch.</exception>
    internal static int ReadEpoch(CheckpointFile checkpoint)
    {
        double epoch = Number(checkpoint, "epoch");
        return epoch >= -1 && epoch < int.MaxValue && epoch == Math.Floor(epoch) ? (int)epoch
            : throw Refused(checkpoint, FormattableString.Invariant($"its epoch {epoch:R} is not the number of a finished epoch"));
    }

    /// <summary>Lines about what a file leaves open: how it goes on.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="rate">The learning rate that the run goes on with.</param>
    internal static IEnumerable<string> Doubts(CheckpointFile checkpoint, LearningRate rate)
    {
        // PyTorch's Adam and AdamW have the same settings and state, and differ in what weight decay means.
        JsonObject group = Group(checkpoint);
        if (!checkpoint.Metadata.ContainsKey(TrainingCheckpoint.Run) && group.ContainsKey("betas")
            && !group.ContainsKey("decoupled_weight_decay") && Number(checkpoint, group, "weight_decay") != 0)
        {
            yield return $"{checkpoint.Path}: does not say whether Adam or AdamW wrote it: it goes on with AdamW, whose weight decay is "
                + "decoupled";
        }

        if (rate.Factor != SavedFactor(checkpoint))
        {
            int done = ReadEpoch(checkpoint) + 1;
            yield return FormattableString.Invariant(
                $"{checkpoint.Path}: its lr is {rate.At(done):G6}, not its schedule's {rate.WithFactor(1, done).At(done):G6}: ")
                + "it goes on from its lr";
        }
    }

    /// <summary>A number among a checkpoint's metadata.</summary>
    /// <exception cref="SlttException">There is none.</exception>
    internal static double Number(CheckpointFile checkpoint, string key) =>
        PickleJson.FromJson(Text(checkpoint, key), checkpoint.Path, $"the checkpoint's {key}") switch
        {
            long integer => integer,
            double number => number,
            _ => throw Refused(checkpoint, $"its {key} is no number: {Text(checkpoint, key)}"),
        };

    /// <summary>The optimiser's param_groups, as PyTorch writes them.</summary>
    internal static JsonArray ParameterGroups(Optimizer optimizer, LearningRate rate, int parameters, int epoch)
    {
        JsonObject group = optimizer is Sgd sgd
            ? new JsonObject
            {
                ["lr"] = rate.At(epoch),
                ["momentum"] = sgd.Momentum,
                ["dampening"] = 0,
                ["weight_decay"] = sgd.WeightDecay,
                ["nesterov"] = false,
                ["maximize"] = false,
                ["foreach"] = null,
                ["differentiable"] = false,
            }
            : new JsonObject
            {
                ["lr"] = rate.At(epoch),
                ["betas"] = new JsonArray(0.9, 0.999),
                ["eps"] = 1e-8,
                ["weight_decay"] = optimizer.WeightDecay,
                ["amsgrad"] = false,
                ["foreach"] = null,
                ["maximize"] = false,
                ["capturable"] = false,
            };
        group["initial_lr"] = rate.Initial;
        group["params"] = new JsonArray([.. Enumerable.Range(0, parameters).Select(i => (JsonNode)i)]);
        return new JsonArray(group);
    }

    /// <summary>The scheduler's state, as PyTorch writes it.</summary>
    internal static JsonObject Scheduler(LearningRate rate, int epoch)
    {
        JsonObject state = rate switch
        {
            LearningRate.Cosine cosine => new JsonObject { ["T_max"] = cosine.TMax, ["eta_min"] = 0 },
            LearningRate.Step step => new JsonObject { ["step_size"] = step.StepSize, ["gamma"] = step.Gamma },
            _ => new JsonObject(),
        };
        state["base_lrs"] = new JsonArray(rate.Initial);
        state["last_epoch"] = epoch;
        state["verbose"] = false;
        state["_step_count"] = epoch + 1;
        state["_get_lr_called_within_step"] = false;
        state["_last_lr"] = new JsonArray(rate.At(epoch));
        return state;
    }

    /// <summary>Reads the optimiser.</summary>
    /// <exception cref="SlttException">There is none, or one that the engine does not compute.</exception>
    internal static Optimizer ReadOptimizer(CheckpointFile checkpoint)
    {
        JsonObject group = Group(checkpoint);
        bool isSgd = group.ContainsKey("momentum") && !group.ContainsKey("betas");
        bool isAdamW = group.ContainsKey("betas") && group.ContainsKey("amsgrad");
        string[] known = isSgd ? OfSgd : OfAdamW;
        string[] unknown = [.. group.Select(item => item.Key).Where(key => !known.Contains(key))];
        if ((!isSgd && !isAdamW) || unknown.Length > 0)
        {
            throw Refused(
                checkpoint,
                $"its optimiser is not the SGD or AdamW of this engine: its settings are {string.Join(", ", group.Select(g => g.Key))}");
        }

        double decay = Number(checkpoint, group, "weight_decay");
        double momentum = isSgd ? Number(checkpoint, group, "momentum") : 0;
        double dampening = group.ContainsKey("dampening") ? Number(checkpoint, group, "dampening") : 0;
        string? other = Variants.FirstOrDefault(flag => IsTrue(group[flag]))
            ?? (dampening != 0 && momentum != 0 ? "dampening" : null)
            ?? (group["decoupled_weight_decay"] is { } decoupled && !IsTrue(decoupled) && decay != 0 ? "Adam's weight decay" : null)
            ?? (isAdamW && !IsNear(group["betas"], 0.9, 0.999) ? $"betas {group["betas"]?.ToJsonString()}" : null)
            ?? (isAdamW && !IsNear(new JsonArray(group["eps"]?.DeepClone()), 1e-8) ? $"eps {group["eps"]}" : null);
        if (other is not null)
        {
            throw Refused(checkpoint, $"its optimiser has {other}, which this engine does not compute");
        }

        if (!(decay >= 0 && double.IsFinite(decay)) || momentum is not (>= 0 and < 1))
        {
            throw Refused(checkpoint, FormattableString.Invariant($"its weight decay {decay:R} and momentum {momentum:R} can't be"));
        }

        return isSgd ? new Sgd(momentum, decay) : new AdamW(decay);
    }

    /// <summary>True if the schedule is one of the built-in ones; a user's own class, or another of PyTorch's, is not.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    internal static bool HasBuiltInSchedule(CheckpointFile checkpoint) =>
        Parse(checkpoint, "lr_scheduler") is JsonObject state && (IsCosine(state) || IsStep(state));

    private static bool IsCosine(JsonObject state) => state.ContainsKey("T_max") && !state.ContainsKey("T_0");

    private static bool IsStep(JsonObject state) => state.ContainsKey("step_size") && state.ContainsKey("gamma");

    /// <summary>Reads the schedule, set to go on from the rate that the optimiser has.</summary>
    /// <exception cref="SlttException">There is none, or one that the engine does not compute, or one of another epoch.</exception>
    internal static LearningRate ReadLearningRate(CheckpointFile checkpoint)
    {
        JsonObject group = Group(checkpoint);
        JsonObject state = Parse(checkpoint, "lr_scheduler") as JsonObject
            ?? throw Refused(checkpoint, "its lr_scheduler is no dictionary");
        int done = ReadEpoch(checkpoint) + 1;
        if (state.ContainsKey("last_epoch") && Number(checkpoint, state, "last_epoch") is double last && last != done)
        {
            throw Refused(
                checkpoint,
                FormattableString.Invariant(
                    $"it contradicts itself: {done} epochs are done (epoch + 1), but its lr_scheduler counts {last:R}"));
        }

        double initial = BaseRate(checkpoint, group, state);
        LearningRate rate;
        if (IsCosine(state))
        {
            double period = Number(checkpoint, state, "T_max");
            double minimum = state.ContainsKey("eta_min") ? Number(checkpoint, state, "eta_min") : 0;
            rate = period is >= 1 and < int.MaxValue && period == Math.Floor(period) && minimum == 0
                ? new LearningRate.Cosine(initial, (int)period)
                : throw Refused(
                    checkpoint, FormattableString.Invariant(
                        $"its lr_scheduler has T_max {period:R} and eta_min {minimum:R}: the cosine here ends at 0 after whole epochs"));
        }
        else if (IsStep(state))
        {
            double size = Number(checkpoint, state, "step_size"), gamma = Number(checkpoint, state, "gamma");
            rate = size > 0 && double.IsFinite(size) && gamma > 0 && double.IsFinite(gamma) ? new LearningRate.Step(initial, size, gamma)
                : throw Refused(
                    checkpoint, FormattableString.Invariant($"its lr_scheduler's step_size {size:R} and gamma {gamma:R} can't be"));
        }
        else
        {
            throw Refused(
                checkpoint,
                $"its lr_scheduler is not CosineAnnealingLR or StepLR: its state is {string.Join(", ", state.Select(s => s.Key))}");
        }

        double lr = Number(checkpoint, group, "lr");
        return lr >= 0 && double.IsFinite(lr) ? Continue(checkpoint, rate.WithFactor(SavedFactor(checkpoint), done), done, lr)
            : throw Refused(checkpoint, FormattableString.Invariant($"its lr {lr:R} can't be"));
    }

    /// <summary>PyTorch goes on from the optimiser's rate, whatever its schedule would give there.</summary>
    private static LearningRate Continue(CheckpointFile checkpoint, LearningRate rate, int done, double lr)
    {
        double expected = rate.At(done);
        if (Math.Abs(lr - expected) <= RateTolerance * (expected + (RateTolerance * rate.Initial)))
        {
            return rate;
        }

        double plain = rate.WithFactor(1, done).At(done);
        return Math.Abs(plain) > RateTolerance * rate.Initial ? rate.WithFactor(lr / plain, done)
            : throw Refused(
                checkpoint, FormattableString.Invariant($"its lr is {lr:R}, where its lr_scheduler has come to {plain:R}"));
    }

    /// <summary>A run that went on from another rate than its schedule's keeps the factor, to the bit.</summary>
    private static double SavedFactor(CheckpointFile checkpoint)
    {
        try
        {
            return checkpoint.Metadata.TryGetValue(TrainingCheckpoint.Run, out string? run)
                && JsonNode.Parse(run)?[TrainingCheckpoint.RateFactor] is { } factor ? (double)factor : 1;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return 1; // Refused where the run's state is read.
        }
    }

    private static double BaseRate(CheckpointFile checkpoint, JsonObject group, JsonObject state)
    {
        double? fromGroup = group["initial_lr"] is null ? null : Number(checkpoint, group, "initial_lr");
        double? fromState = state["base_lrs"] is not JsonArray rates ? null
            : rates.Count == 1 ? Number(checkpoint, new JsonObject { ["base_lrs"] = rates[0]?.DeepClone() }, "base_lrs")
            : throw Refused(checkpoint, $"its lr_scheduler has {rates.Count} base_lrs, and its optimiser 1 group");
        double rate = fromState ?? fromGroup ?? throw Refused(checkpoint, "neither base_lrs nor initial_lr says its first learning rate");
        if (fromGroup is { } initial && Math.Abs(initial - rate) > RateTolerance * Math.Abs(rate))
        {
            throw Refused(
                checkpoint, FormattableString.Invariant($"it contradicts itself: base_lrs is {rate:R}, but initial_lr {initial:R}"));
        }

        return rate >= 0 && double.IsFinite(rate) ? rate
            : throw Refused(checkpoint, FormattableString.Invariant($"its first learning rate {rate:R} can't be"));
    }

    private static JsonObject Group(CheckpointFile checkpoint)
    {
        if (Parse(checkpoint, "param_groups") is not JsonArray { Count: > 0 } groups || groups.Any(g => g is not JsonObject))
        {
            throw Refused(checkpoint, "its param_groups is no list of dictionaries");
        }

        if (groups.Count > 1)
        {
            string[] keys = [.. groups.SelectMany(g => g!.AsObject().Select(i => i.Key)).Distinct().Where(key => key != "params")];
            string[] different = [
                .. keys.Where(key => groups.Any(g => !JsonNode.DeepEquals(g![key], groups[0]![key])))
                    .Select(key => $"{key} {string.Join(" and ", groups.Select(g => g![key]?.ToJsonString() ?? "none").Distinct())}")];
            throw Refused(
                checkpoint,
                $"its optimiser has {groups.Count} groups of parameters, where this engine has one for all: "
                    + (different.Length > 0 ? string.Join(", ", different) : "alike, but for their parameters"));
        }

        return groups[0]!.AsObject();
    }

    private static string Text(CheckpointFile checkpoint, string key) =>
        checkpoint.Metadata.TryGetValue(key, out string? text) ? text : throw Missing(checkpoint, key);

    private static JsonNode? Parse(CheckpointFile checkpoint, string key)
    {
        try
        {
            return JsonNode.Parse(Text(checkpoint, key));
        }
        catch (JsonException e)
        {
            throw FileErrors.Bad(checkpoint.Path, $"the checkpoint's {key} is not valid JSON", cause: e);
        }
    }

    private static double Number(CheckpointFile checkpoint, JsonObject from, string key) => from[key] switch
    {
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => value.GetValue<double>(),
        JsonValue value when double.TryParse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double special)
            && !double.IsFinite(special) => special,
        _ => throw Refused(checkpoint, $"its {key} is no number: {from[key]?.ToJsonString() ?? "none"}"),
    };

    private static bool IsTrue(JsonNode? flag) => flag is JsonValue value && value.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.Number => value.GetValue<double>() != 0,
        _ => false,
    };

    private static bool IsNear(JsonNode? list, params double[] expected) => list is JsonArray values && values.Count == expected.Length
        && values.Zip(expected).All(pair => pair.First is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            && Math.Abs(value.GetValue<double>() - pair.Second) <= RateTolerance * pair.Second);

    private static SlttException Missing(CheckpointFile checkpoint, string key)
    {
        string part = key is "param_groups" ? "optimizer" : key;
        return checkpoint.Unreadable.TryGetValue(part, out string? reason)
            ? Refused(checkpoint, $"its {part} can't be read: it holds {reason}") : Refused(checkpoint, $"the checkpoint has no {part}");
    }

    internal static SlttException Refused(CheckpointFile checkpoint, string what) => new(
        ErrorKind.Data, $"{checkpoint.Path}: {what}", "it can't be resumed so; -pre_train begins a new run with its parameters alone");
}
