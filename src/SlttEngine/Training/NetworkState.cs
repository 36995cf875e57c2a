using System.Globalization;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>A network's parameters and statistics in a checkpoint, under PyTorch's names: <c>net.NAME</c>.</summary>
public static class NetworkState
{
    /// <summary>The network alone, as <c>net.NAME</c>.</summary>
    /// <param name="store">The parameters.</param>
    public static IEnumerable<NamedTensor> Save(ParameterStore store)
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
    /// <param name="checkpoint">The checkpoint, the engine's or another program's.</param>
    /// <param name="resetHead">The last layer is not loaded: it keeps its first values, and its number of classes may differ.</param>
    /// <param name="note">Receives a line for whatever was stripped, left out or begun anew.</param>
    /// <param name="allowNonFinite">NaN and infinity are loaded too.</param>
    /// <exception cref="SlttException">It is of another model or shape, or holds what no run can have.</exception>
    public static void Load(
        ParameterStore store, CheckpointFile checkpoint, bool resetHead = false, Action<string>? note = null, bool allowNonFinite = false)
    {
        IReadOnlyList<string> names = store.Network.StateNames;
        checkpoint = checkpoint.WithPlainNames(names);
        string path = checkpoint.Path;
        Dictionary<string, NamedTensor> tensors = checkpoint.Tensors.Where(t => t.Name.StartsWith("net.", StringComparison.Ordinal))
            .ToDictionary(t => t.Name[4..]);
        string head = store.Network.Layers[^1].Name + ".";
        List<string> missing = [], begun = [];
        foreach (string name in names)
        {
            bool isHead = resetHead && name.StartsWith(head, StringComparison.Ordinal);
            if (!tensors.TryGetValue(name, out NamedTensor? tensor))
            {
                // PyTorch before 0.4.1 had no such counter. Nothing is computed from it, as momentum is fixed.
                missing.Add(store.FindStatistic(name) is { IsCounter: true } ? name : throw Mismatch(store, path, $"it has no {name}"));
                continue;
            }

            CheckShape(store, path, name, tensor, isHead);
            if (isHead)
            {
                begun.Add($"{name} ({string.Join(", ", Shape(store, name))})");
                tensors.Remove(name);
            }
        }

        if (tensors.Keys.FirstOrDefault(n => store.Find(n) is null && store.FindStatistic(n) is null) is { } extra)
        {
            throw Mismatch(store, path, $"it has {extra}, which the model has not");
        }

        foreach (string name in names)
        {
            if (tensors.TryGetValue(name, out NamedTensor? tensor))
            {
                Set(store, name, tensor, path, allowNonFinite);
            }
        }

        foreach (string line in checkpoint.Notes)
        {
            note?.Invoke(line);
        }

        if (missing.Count > 0)
        {
            missing.ForEach(name => store.SetCounter(store.FindStatistic(name)!, 0));
            note?.Invoke($"{path}: has no num_batches_tracked ({missing.Count} of them): counted from 0");
        }

        if (begun.Count > 0)
        {
            note?.Invoke($"{path}: not loaded, begun anew: {string.Join(", ", begun)}");
        }
    }

    private static long[] Shape(ParameterStore store, string name) =>
        store.Find(name) is { } p ? [.. p.Shape.Select(d => (long)d)] : store.FindStatistic(name)!.IsCounter ? []
            : [store.FindStatistic(name)!.Count];

    private static void CheckShape(ParameterStore store, string path, string name, NamedTensor tensor, bool isHead)
    {
        long[] expected = Shape(store, name);
        bool fits = tensor.Shape.SequenceEqual(expected)
            || (expected.Length == 0 && tensor.Shape is [1])  // a counter of PyTorch 0.4
            || (isHead && tensor.Shape.Length == expected.Length && tensor.Shape.Skip(1).SequenceEqual(expected.Skip(1)));
        if (fits)
        {
            return;
        }

        if (name == $"{store.Network.Layers[^1].Name}.weight" && tensor.Shape.Length == 2 && tensor.Shape[1] == expected[1])
        {
            throw new SlttException(
                ErrorKind.Data,
                $"{path}: not a checkpoint of this {store.Network.Model}: it has {tensor.Shape[0]} classes, but the data have "
                    + $"{expected[0]}",
                "give its own data; -pre_train with --reset-head begins a last layer of the data's classes");
        }

        throw Mismatch(store, path, $"{name} has shape ({string.Join(", ", tensor.Shape)}), not ({string.Join(", ", expected)})");
    }

    private static void Set(ParameterStore store, string name, NamedTensor tensor, string path, bool allowNonFinite)
    {
        if (store.Find(name) is { } parameter)
        {
            store.SetWeight(parameter, Numbers(tensor, path, allowNonFinite));
        }
        else if (store.FindStatistic(name) is { IsCounter: true } counter)
        {
            float[] number = new float[1];
            store.SetCounter(counter, !TensorTypes.TryToFloat32(tensor.Type, tensor.Bytes, number) ? tensor.ToInt64()[0]
                : number[0] >= 0 && number[0] < long.MaxValue && number[0] == MathF.Floor(number[0]) ? (long)number[0]
                : throw Mismatch(store, path, $"{name} is {number[0].ToString("R", CultureInfo.InvariantCulture)}, not a count"));
        }
        else
        {
            float[] values = Numbers(tensor, path, allowNonFinite);
            int negative = name.EndsWith(".running_var", StringComparison.Ordinal) ? Array.FindIndex(values, v => v < 0) : -1;
            store.SetStatistic(store.FindStatistic(name)!, negative < 0 ? values : throw FileErrors.Bad(
                path, $"{name} holds a negative variance at {negative}", "take another checkpoint of the run"));
        }
    }

    /// <summary>A tensor's numbers. One that is not finite makes a neuron silent: the network would answer, and wrongly.</summary>
    private static float[] Numbers(NamedTensor tensor, string path, bool allowNonFinite)
    {
        float[] values = new float[tensor.Count];
        if (!TensorTypes.TryToFloat32(tensor.Type, tensor.Bytes, values))
        {
            throw FileErrors.Bad(path, $"{tensor.Name} holds {TensorTypes.Name(tensor.Type)}, not floating-point numbers");
        }

        int bad = allowNonFinite ? -1 : Array.FindIndex(values, v => !float.IsFinite(v));
        return bad < 0 ? values : throw FileErrors.Bad(
            path, $"{tensor.Name} holds {values[bad].ToString("R", CultureInfo.InvariantCulture)} at {bad}: the network has diverged",
            "take an earlier checkpoint");
    }

    private static SlttException Mismatch(ParameterStore store, string path, string what) => new(
        ErrorKind.Data, $"{path}: not a checkpoint of this {store.Network.Model}: {what}",
        "check -model, -width_divisor and the number of classes");
}
