using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>
/// Converts an engine's state to a <see cref="CheckpointFile"/> and back: the official programs' content, and what an exact resume needs.
/// </summary>
/// <remarks>
/// Metadata <c>sltt_*</c> is not in official checkpoints: loss scale, update counts, iterations, the place in the epoch, and the run's
/// description.
/// </remarks>
public static class TrainingCheckpoint
{
    /// <summary>The metadata of the run's state.</summary>
    internal const string Run = "sltt_run";

    /// <summary>In it, the factor of the learning rate where that is not 1.</summary>
    internal const string RateFactor = "rate_factor";

    /// <summary>Everything of an engine, for a run to go on from.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="position">Where the run stands.</param>
    /// <param name="description">What the run is; null leaves the checkpoint without a description.</param>
    public static CheckpointFile Capture(
        TrainingEngine engine, TrainingOptions options, RunPosition position, RunDescription? description = null)
    {
        (Optimizer optimizer, LearningRate rate) = (options.UsedOptimizer, options.UsedLearningRate);
        RunState state = engine.ReadState();
        ParameterStore store = engine.Store;
        List<NamedTensor> tensors = [.. NetworkState.Save(store)];
        IReadOnlyList<string> stateNames = optimizer.StateNames;
        if (state.OptimizerSteps > 0)
        {
            for (int i = 0; i < store.Network.Parameters.Count; i++)
            {
                Parameter parameter = store.Network.Parameters[i];
                long[] shape = [.. parameter.Shape.Select(d => (long)d)];
                if (optimizer is AdamW)
                {
                    tensors.Add(NamedTensor.Float32($"optimizer.state.{i}.step", [], [state.OptimizerSteps]));
                }

                for (int s = 0; s < stateNames.Count; s++)
                {
                    tensors.Add(NamedTensor.Float32($"optimizer.state.{i}.{stateNames[s]}", shape, store.GetOptimizerState(s, parameter)));
                }
            }
        }

        // As the official programs: the epoch last finished. The schedule has stepped once for each epoch trained.
        Dictionary<string, string> metadata = new()
        {
            ["epoch"] = Text(position.Epoch - 1),
            ["max_test_acc"] = Text(position.MaxTestAccuracy),
            ["param_groups"] = SavedOptimizer.ParameterGroups(
                optimizer, rate, store.Network.Parameters.Count, position.Epoch).ToJsonString(),
            ["lr_scheduler"] = SavedOptimizer.Scheduler(rate, position.Epoch).ToJsonString(),
            ["scalars"] = "{}",
            ["sltt_model"] = store.Network.Model,
        };
        JsonObject run = new JsonObject
        {
            ["iteration"] = engine.Iteration,
            ["loss_scale"] = state.LossScale,
            ["good_steps"] = state.GoodSteps,
            ["optimizer_steps"] = state.OptimizerSteps,
            ["skipped_steps"] = state.SkippedSteps,
            ["seed"] = options.Seed,
            ["batch_size"] = options.BatchSize,
            ["batches"] = position.Batches,
            ["train_loss"] = double.IsFinite(position.Train.Loss)
                ? JsonValue.Create(position.Train.Loss) : JsonValue.Create(Text(position.Train.Loss)), // JSON has no NaN
            ["train_top1"] = position.Train.Top1,
            ["train_top5"] = position.Train.Top5,
            ["train_samples"] = position.Train.Samples,
        };
        if (rate.FactorAt(position.Epoch) != 1)
        {
            run[RateFactor] = rate.FactorAt(position.Epoch);
        }

        metadata[Run] = run.ToJsonString();
        description?.AddTo(metadata);
        return new CheckpointFile(tensors, metadata);
    }

    /// <summary>Loads everything, to go on with a run.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="options">The run's options; where they give no optimiser or learning rate, the checkpoint's counts.</param>
    /// <param name="checkpoint">The checkpoint, the engine's own or the official programs'.</param>
    /// <param name="note">As in <see cref="NetworkState.Load"/>.</param>
    /// <returns>Where the run goes on.</returns>
    /// <exception cref="SlttException">
    /// It is of another model, shape or optimiser; of an epoch that the run has not; or of a place within an epoch of another batch size or
    /// seed.
    /// </exception>
    public static RunPosition Resume(
        TrainingEngine engine, TrainingOptions options, CheckpointFile checkpoint, Action<string>? note = null)
    {
        int epoch = SavedOptimizer.ReadEpoch(checkpoint);
        bool inFirstEpoch = epoch == -1 && checkpoint.Metadata.ContainsKey(Run);
        if (epoch > options.Epochs || (epoch < 0 && !inFirstEpoch))
        {
            throw SavedOptimizer.Refused(checkpoint, $"its epoch {epoch} is outside 0 … {options.Epochs}, the run's epochs (-epochs)");
        }

        double best = SavedOptimizer.Number(checkpoint, "max_test_acc");
        if (best is not (>= 0 and <= 1 or double.NegativeInfinity))
        {
            throw SavedOptimizer.Refused(
                checkpoint, FormattableString.Invariant($"its max_test_acc {best:R} is no share of test samples, 0 to 1"));
        }

        options = options.WithOptimizerOf(checkpoint);
        NetworkState.Load(engine.Store, checkpoint, note: note, allowNonFinite: options.OnNan == NanAction.Warn);
        long steps = SavedOptimizerState.Load(engine.Store, options.UsedOptimizer, checkpoint);
        RunState state = engine.ReadState();
        state.OptimizerSteps = steps;
        RunPosition position = new() { Epoch = epoch + 1, MaxTestAccuracy = Math.Max(best, 0) };
        if (checkpoint.Metadata.TryGetValue(Run, out string? text))
        {
            position = ReadRun(engine, options, ref state, position, text, checkpoint);
        }

        engine.WriteState(state);
        foreach (string doubt in note is null ? [] : SavedOptimizer.Doubts(checkpoint, options.UsedLearningRate))
        {
            note!(doubt);
        }

        return position;
    }

    private static RunPosition ReadRun(
        TrainingEngine engine, TrainingOptions options, ref RunState state, RunPosition position, string text, CheckpointFile checkpoint)
    {
        string path = checkpoint.Path;
        try
        {
            JsonNode run = JsonNode.Parse(text)!;
            engine.Iteration = (ulong)run["iteration"]!;
            long steps = (long)run["optimizer_steps"]!;
            if (options.UsedOptimizer is AdamW && steps != state.OptimizerSteps)
            {
                throw SavedOptimizer.Refused(
                    checkpoint, $"it contradicts itself: its run made {steps} updates, but its optimiser's step is {state.OptimizerSteps}");
            }

            // A loss scale belongs to its number type: another begins with its first scale.
            string? dtype = RunDescription.Read(checkpoint)?.Dtype;
            if (dtype is null || dtype.Equals(options.Type.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                float scale = (float)run["loss_scale"]!;
                state.LossScale = float.IsFinite(scale) && scale > 0 ? scale
                    : throw SavedOptimizer.Refused(checkpoint, FormattableString.Invariant($"its loss scale {scale:R} can't be"));
                state.GradScale = 1f / scale;
                state.GoodSteps = (int)run["good_steps"]!;
            }

            state.OptimizerSteps = steps;
            state.SkippedSteps = (long)run["skipped_steps"]!;
            int batches = (int)run["batches"]!;

            // Which samples an epoch has seen follows from these three. Older checkpoints don't say their batch size.
            (long seed, int batchSize) = ((long)run["seed"]!, (int?)run["batch_size"] ?? options.BatchSize);
            if (batches > 0 && (seed, batchSize) != (options.Seed, options.BatchSize))
            {
                throw new SlttException(
                    ErrorKind.Usage,
                    $"{path}: saved inside epoch {position.Epoch}, which began with -b {batchSize} -seed {seed}: it can't go on with -b "
                        + $"{options.BatchSize} -seed {options.Seed}",
                    "give -b and -seed as before; checkpoints saved between epochs take others");
            }

            return position with
            {
                Batches = batches,
                Train = new BatchMetrics(
                    double.Parse(run["train_loss"]!.ToString(), CultureInfo.InvariantCulture),
                    (double)run["train_top1"]!,
                    (double)run["train_top5"]!,
                    (double)run["train_samples"]!),
            };
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or InvalidOperationException or FormatException)
        {
            throw new SlttException(
                ErrorKind.Data, $"{path}: the checkpoint's run state is malformed",
                "resume from another checkpoint, or start with -pre_train", e);
        }
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
