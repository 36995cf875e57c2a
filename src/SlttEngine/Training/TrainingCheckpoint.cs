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
/// Metadata <c>sltt_*</c> is not in official checkpoints: loss scale, update counts, iterations, and the place in the epoch.
/// </remarks>
public static class TrainingCheckpoint
{
    /// <summary>Everything of an engine, for a run to go on from.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="position">Where the run stands.</param>
    public static CheckpointFile Capture(TrainingEngine engine, TrainingOptions options, RunPosition position)
    {
        RunState state = engine.ReadState();
        ParameterStore store = engine.Store;
        List<NamedTensor> tensors = [.. NetworkState(store)];
        IReadOnlyList<string> stateNames = options.Optimizer.StateNames;
        if (state.OptimizerSteps > 0)
        {
            for (int i = 0; i < store.Network.Parameters.Count; i++)
            {
                Parameter parameter = store.Network.Parameters[i];
                long[] shape = [.. parameter.Shape.Select(d => (long)d)];
                if (options.Optimizer is AdamW)
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
            ["param_groups"] = ParameterGroups(options, store.Network.Parameters.Count, position.Epoch).ToJsonString(),
            ["lr_scheduler"] = Scheduler(options, position.Epoch).ToJsonString(),
            ["scalars"] = "{}",
            ["sltt_model"] = store.Network.Model,
            ["sltt_run"] = new JsonObject
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
            }.ToJsonString(),
        };
        return new CheckpointFile(tensors, metadata);
    }

    /// <summary>The network alone, as <c>net.NAME</c>.</summary>
    /// <param name="store">The parameters.</param>
    public static IEnumerable<NamedTensor> NetworkState(ParameterStore store)
    {
        foreach (string name in store.Network.StateNames)
        {
            if (store.Find(name) is { } parameter)
            {
                yield return NamedTensor.Float32("net." + name, [.. parameter.Shape.Select(d => (long)d)], store.GetWeight(parameter));
            }
            else
            {
                StatisticsBuffer buffer = store.FindStatistic(name)!;
                yield return buffer.IsCounter
                    ? NamedTensor.Int64("net." + name, [], [store.GetCounter(buffer)])
                    : NamedTensor.Float32("net." + name, [buffer.Count], store.GetStatistic(buffer));
            }
        }
    }

    /// <summary>Loads the network's parameters and statistics.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <exception cref="SlttException">It is of another model or shape.</exception>
    public static void LoadNetwork(ParameterStore store, CheckpointFile checkpoint)
    {
        string path = checkpoint.Path;
        Dictionary<string, NamedTensor> tensors = checkpoint.Tensors.Where(t => t.Name.StartsWith("net.", StringComparison.Ordinal))
            .ToDictionary(t => t.Name[4..]);
        foreach (string name in store.Network.StateNames)
        {
            if (!tensors.TryGetValue(name, out NamedTensor? tensor))
            {
                throw Mismatch(store, path, $"it has no {name}");
            }

            long[] expected = store.Find(name) is { } p ? [.. p.Shape.Select(d => (long)d)] : store.FindStatistic(name)!.IsCounter ? []
                : [store.FindStatistic(name)!.Count];
            if (!tensor.Shape.SequenceEqual(expected))
            {
                if (name == $"{store.Network.Layers[^1].Name}.weight" && tensor.Shape.Length == 2 && tensor.Shape[1] == expected[1])
                {
                    throw Mismatch(store, path, $"it has {tensor.Shape[0]} classes, but the data have {expected[0]}");
                }

                throw Mismatch(store, path, $"{name} has shape ({string.Join(", ", tensor.Shape)}), not ({string.Join(", ", expected)})");
            }
        }

        if (tensors.Keys.FirstOrDefault(n => store.Find(n) is null && store.FindStatistic(n) is null) is { } extra)
        {
            throw Mismatch(store, path, $"it has {extra}, which the model has not");
        }

        foreach (string name in store.Network.StateNames)
        {
            NamedTensor tensor = tensors[name];
            if (store.Find(name) is { } parameter)
            {
                store.SetWeight(parameter, tensor.ToFloat32());
            }
            else if (store.FindStatistic(name) is { IsCounter: true } counter)
            {
                store.SetCounter(counter, tensor.ToInt64()[0]);
            }
            else
            {
                store.SetStatistic(store.FindStatistic(name)!, tensor.ToFloat32());
            }
        }
    }

    /// <summary>Loads everything, to go on with a run.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="checkpoint">The checkpoint, the engine's own or the official programs'.</param>
    /// <returns>Where the run goes on.</returns>
    /// <exception cref="SlttException">
    /// It is of another model, shape or optimiser; or of a place within an epoch of another batch size or seed.
    /// </exception>
    public static RunPosition Resume(TrainingEngine engine, TrainingOptions options, CheckpointFile checkpoint)
    {
        string path = checkpoint.Path;
        LoadNetwork(engine.Store, checkpoint);
        LoadOptimizer(engine.Store, options, checkpoint, path, out long steps);
        RunState state = engine.ReadState();
        state.OptimizerSteps = steps;
        int epoch = (int)Number(checkpoint, "epoch", path) + 1;
        RunPosition position = new() { Epoch = epoch, MaxTestAccuracy = Number(checkpoint, "max_test_acc", path) };
        if (checkpoint.Metadata.TryGetValue("sltt_run", out string? text))
        {
            position = ReadRun(engine, options, ref state, position, text, path);
        }

        engine.WriteState(state);
        return position;
    }

    private static RunPosition ReadRun(
        TrainingEngine engine, TrainingOptions options, ref RunState state, RunPosition position, string text, string path)
    {
        try
        {
            JsonNode run = JsonNode.Parse(text)!;
            engine.Iteration = (ulong)run["iteration"]!;
            state.LossScale = (float)run["loss_scale"]!;
            state.GradScale = 1f / state.LossScale;
            state.GoodSteps = (int)run["good_steps"]!;
            state.OptimizerSteps = (long)run["optimizer_steps"]!;
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

    private static void LoadOptimizer(ParameterStore store, TrainingOptions options, CheckpointFile checkpoint, string path, out long steps)
    {
        Dictionary<string, NamedTensor> tensors = checkpoint.Tensors.Where(
            t => t.Name.StartsWith("optimizer.state.", StringComparison.Ordinal)).ToDictionary(t => t.Name);
        steps = 0;
        if (tensors.Count == 0)
        {
            return;
        }

        IReadOnlyList<string> names = options.Optimizer.StateNames;
        for (int i = 0; i < store.Network.Parameters.Count; i++)
        {
            for (int s = 0; s < names.Count; s++)
            {
                Parameter parameter = store.Network.Parameters[i];
                if (!tensors.TryGetValue($"optimizer.state.{i}.{names[s]}", out NamedTensor? tensor) || tensor.Count != parameter.Count)
                {
                    throw new SlttException(
                        ErrorKind.Data, $"{path}: no {names[s]} of {parameter.Name} in the optimiser's state",
                        $"the run was not trained with {options.Optimizer.GetType().Name} (-opt); -pre_train takes its parameters alone");
                }

                store.SetOptimizerState(s, parameter, tensor.ToFloat32());
            }
        }

        steps = tensors.TryGetValue("optimizer.state.0.step", out NamedTensor? step) ? (long)step.ToFloat32()[0] : 1;
    }

    private static double Number(CheckpointFile checkpoint, string key, string path) =>
        checkpoint.Metadata.TryGetValue(key, out string? text)
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw new SlttException(
                ErrorKind.Data, $"{path}: the checkpoint has no {key}", "it can't be resumed; -pre_train takes its parameters alone");

    private static JsonArray ParameterGroups(TrainingOptions options, int parameters, int epoch)
    {
        JsonObject group = options.Optimizer is Sgd sgd
            ? new JsonObject
            {
                ["lr"] = options.LearningRate.At(epoch),
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
                ["lr"] = options.LearningRate.At(epoch),
                ["betas"] = new JsonArray(0.9, 0.999),
                ["eps"] = 1e-8,
                ["weight_decay"] = options.Optimizer.WeightDecay,
                ["amsgrad"] = false,
                ["foreach"] = null,
                ["maximize"] = false,
                ["capturable"] = false,
            };
        group["initial_lr"] = options.LearningRate.Initial;
        group["params"] = new JsonArray([.. Enumerable.Range(0, parameters).Select(i => (JsonNode)i)]);
        return new JsonArray(group);
    }

    private static JsonObject Scheduler(TrainingOptions options, int epoch)
    {
        JsonObject state = options.LearningRate switch
        {
            LearningRate.Cosine cosine => new JsonObject { ["T_max"] = cosine.TMax, ["eta_min"] = 0 },
            LearningRate.Step step => new JsonObject { ["step_size"] = step.StepSize, ["gamma"] = step.Gamma },
            _ => new JsonObject(),
        };
        state["base_lrs"] = new JsonArray(options.LearningRate.Initial);
        state["last_epoch"] = epoch;
        state["verbose"] = false;
        state["_step_count"] = epoch + 1;
        state["_get_lr_called_within_step"] = false;
        state["_last_lr"] = new JsonArray(options.LearningRate.At(epoch));
        return state;
    }

    private static SlttException Mismatch(ParameterStore store, string path, string what) => new(
        ErrorKind.Data, $"{path}: not a checkpoint of this {store.Network.Model}: {what}",
        "check -model, -width_divisor and the number of classes");

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
