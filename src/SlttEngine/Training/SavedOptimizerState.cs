using System.Text.Json;
using System.Text.Json.Nodes;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>Loads a checkpoint's optimiser state as load_state_dict does: parameter by parameter, in the order of param_groups.</summary>
internal static class SavedOptimizerState
{
    /// <summary>Sets the state of every parameter.</summary>
    /// <param name="store">Where to; its state is as at the start, zero.</param>
    /// <param name="optimizer">The run's optimiser.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <returns>Updates that the state has seen; for SGD, which does not count them, 1 if there is a state.</returns>
    /// <exception cref="SlttException">The state is another optimiser's, or does not fit the parameters, or counts differently.</exception>
    internal static long Load(ParameterStore store, Optimizer optimizer, CheckpointFile checkpoint)
    {
        IReadOnlyList<string> indices = SavedOptimizer.Indices(checkpoint);
        IReadOnlyList<Parameter> parameters = store.Network.Parameters;
        if (indices.Count != parameters.Count)
        {
            throw SavedOptimizer.Refused(
                checkpoint, $"its optimiser has {indices.Count} parameters, but {store.Network.Model} has {parameters.Count}");
        }

        Dictionary<string, NamedTensor> tensors = checkpoint.Tensors
            .Where(t => t.Name.StartsWith(CheckpointFile.State, StringComparison.Ordinal))
            .ToDictionary(t => t.Name[CheckpointFile.State.Length..]);
        Dictionary<string, JsonNode> scalars = Scalars(checkpoint);
        if (tensors.Count == 0 && scalars.Count == 0)
        {
            return 0;
        }

        RefuseOtherState(store, optimizer, checkpoint, indices, tensors.Keys);
        long? steps = null;
        for (int i = 0; i < parameters.Count; i++)
        {
            Parameter parameter = parameters[i];
            for (int s = 0; s < optimizer.StateNames.Count; s++)
            {
                string name = optimizer.StateNames[s];
                if (!tensors.TryGetValue($"{indices[i]}.{name}", out NamedTensor? tensor))
                {
                    // PyTorch starts a momentum that is not there with the first gradient: as from zero.
                    if (optimizer is Sgd)
                    {
                        continue;
                    }

                    throw NotThere(checkpoint, optimizer, name, parameter);
                }

                if (!tensor.Shape.SequenceEqual(parameter.Shape.Select(d => (long)d)))
                {
                    throw SavedOptimizer.Refused(
                        checkpoint,
                        $"{name} of {parameter.Name} has shape ({string.Join(", ", tensor.Shape)}), not "
                            + $"({string.Join(", ", parameter.Shape)})");
                }

                store.SetOptimizerState(s, parameter, tensor.ToFloat32());
            }

            if (optimizer is AdamW)
            {
                long count = Step(checkpoint, $"{indices[i]}.step", parameter, tensors, scalars);
                steps ??= count;
                if (count != steps)
                {
                    throw SavedOptimizer.Refused(
                        checkpoint, $"its optimiser counts {steps} steps of {parameters[0].Name} and {count} of {parameter.Name}");
                }
            }
        }

        return steps ?? (tensors.Count > 0 ? 1 : 0);
    }

    /// <summary>The state's entries that are no tensors and not None.</summary>
    private static Dictionary<string, JsonNode> Scalars(CheckpointFile checkpoint)
    {
        try
        {
            return checkpoint.Metadata.TryGetValue("scalars", out string? text) && JsonNode.Parse(text) is JsonObject entries
                ? entries.Where(e => e.Value is not null).ToDictionary(e => e.Key, e => e.Value!) : [];
        }
        catch (JsonException e)
        {
            throw FileErrors.Bad(checkpoint.Path, "the checkpoint's scalars is not valid JSON", cause: e);
        }
    }

    private static void RefuseOtherState(
        ParameterStore store, Optimizer optimizer, CheckpointFile checkpoint, IReadOnlyList<string> indices, IEnumerable<string> names)
    {
        HashSet<string> known = [.. indices];
        foreach (string name in names)
        {
            int dot = name.IndexOf('.', StringComparison.Ordinal);
            if (!known.Contains(name[..dot]))
            {
                throw SavedOptimizer.Refused(
                    checkpoint, $"its optimiser's state is of a parameter {name[..dot]} that its param_groups has not");
            }

            if (!optimizer.StateNames.Contains(name[(dot + 1)..]) && (optimizer is Sgd || name[(dot + 1)..] != "step"))
            {
                throw optimizer is AdamW && name.EndsWith("momentum_buffer", StringComparison.Ordinal)
                    ? NotThere(checkpoint, optimizer, optimizer.StateNames[0], store.Network.Parameters[0])
                    : SavedOptimizer.Refused(
                        checkpoint,
                        $"its optimiser's state holds {name[(dot + 1)..]}, which this engine's {optimizer.GetType().Name} has not");
            }
        }
    }

    private static long Step(
        CheckpointFile checkpoint,
        string key,
        Parameter parameter,
        Dictionary<string, NamedTensor> tensors,
        Dictionary<string, JsonNode> scalars)
    {
        double? step = null;
        if (tensors.TryGetValue(key, out NamedTensor? tensor) && tensor.Count == 1)
        {
            float[] number = new float[1];
            step = TensorTypes.TryToFloat32(tensor.Type, tensor.Bytes, number) ? number[0] : tensor.ToInt64()[0];
        }
        else if (scalars.TryGetValue(key, out JsonNode? scalar) && scalar.GetValueKind() == JsonValueKind.Number)
        {
            step = scalar.GetValue<double>();
        }

        return step is >= 0 and < 1L << 53 && step == Math.Floor(step.Value) ? (long)step.Value
            : throw SavedOptimizer.Refused(
                checkpoint,
                step is null ? $"no step of {parameter.Name} in the optimiser's state"
                    : FormattableString.Invariant($"the step {step:R} of {parameter.Name} is not a number of updates"));
    }

    private static SlttException NotThere(CheckpointFile checkpoint, Optimizer optimizer, string name, Parameter parameter) => new(
        ErrorKind.Data, $"{checkpoint.Path}: no {name} of {parameter.Name} in the optimiser's state",
        $"the run was not trained with {optimizer.GetType().Name} (-opt); -pre_train takes its parameters alone");
}
