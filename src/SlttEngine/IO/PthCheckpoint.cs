namespace SlttEngine.IO;

/// <summary>
/// From what torch.save wrote to a <see cref="CheckpointFile"/>: the official programs' form {net, optimizer, lr_scheduler, epoch,
/// max_test_acc}, its usual other spellings, or a bare state dict. What can't be read beside the network is left out, and said.
/// </summary>
internal static class PthCheckpoint
{
    private static readonly string[] NetworkKeys = ["net", "state_dict", "model", "model_state_dict"];
    private static readonly string[] OptimizerKeys = ["optimizer", "optimizer_state_dict"];
    private static readonly string[] SchedulerKeys = ["lr_scheduler", "scheduler", "lr_scheduler_state_dict", "scheduler_state_dict"];
    private static readonly string[] NumberKeys = ["epoch", "max_test_acc"];

    /// <summary>Reads a file.</summary>
    /// <exception cref="SlttException">It cannot be read, is damaged, or holds no network's state.</exception>
    internal static CheckpointFile Read(string path)
    {
        PickleDict root = PthReader.Read(path) switch
        {
            PickleDict dict => dict,
            PickleOpaque unknown => throw NoState(path, $"it is an object of {unknown.Name}"),
            PickleGlobal named => throw NoState(path, $"it is the name {named.FullName}"),
            _ => throw FileErrors.Bad(path, "not a checkpoint: a dictionary {net, optimizer, …} or a state dict is expected"),
        };
        List<NamedTensor> tensors = new List<NamedTensor>();
        Dictionary<string, string> metadata = new Dictionary<string, string>();
        Dictionary<string, string> unreadable = new Dictionary<string, string>();
        List<string> notes = new List<string>();
        string? networkKey = AddNetwork(path, root, tensors, notes);
        if (networkKey is not null)
        {
            if (Find(root, OptimizerKeys) is { } optimizerKey)
            {
                AddOptimizer(path, root, optimizerKey, tensors, metadata, unreadable);
            }

            AddSetting(path, root, Find(root, SchedulerKeys), "lr_scheduler", metadata, unreadable);
            foreach (string key in NumberKeys)
            {
                AddSetting(path, root, root.TryGet(key, out _) ? key : null, key, metadata, unreadable);
            }

            if (root.TryGet(CheckpointFile.ExtraTensors, out object? more))
            {
                AddTensors(path, more, "", tensors);
            }

            AddTexts(root, metadata);
            AddNoteOfTheRest(path, root, networkKey, notes);
        }

        return new CheckpointFile(tensors, metadata) { Path = path, Notes = notes, Unreadable = unreadable };
    }

    /// <summary>Adds the network's tensors; returns the key that holds them, null for a bare state dict.</summary>
    private static string? AddNetwork(string path, PickleDict root, List<NamedTensor> tensors, List<string> notes)
    {
        string? found = null;
        foreach (string key in NetworkKeys)
        {
            if (!root.TryGet(key, out object? value) || value is not PickleDict state || (state.Count > 0 && !HasTensor(state)))
            {
                continue;
            }

            List<NamedTensor> these = [];
            AddTensors(path, state, CheckpointFile.Net, these);
            if (found is null)
            {
                tensors.AddRange(these);
                found = key;
            }
            else if (!Same(tensors, these))
            {
                throw FileErrors.Bad(
                    path, $"holds two networks that differ, under {found} and {key}", "save a file with the one that is meant");
            }
            else
            {
                notes.Add($"{path}: {found} and {key} hold the same network");
            }
        }

        if (found is null)
        {
            foreach (string key in NetworkKeys)
            {
                if (root.TryGet(key, out object? value) && value is PickleOpaque unknown)
                {
                    throw NoState(path, $"its {key} is an object of {unknown.Name}");
                }

                if (value is PickleDict others && !HasTensor(root))
                {
                    AddTensors(path, others, key + ".", []);  // throws: it has no tensor
                }
            }

            AddTensors(path, root, CheckpointFile.Net, tensors);
        }

        return found;
    }

    private static void AddTensors(string path, object? value, string prefix, List<NamedTensor> tensors)
    {
        if (value is not PickleDict dict)
        {
            throw FileErrors.Bad(path, "not a checkpoint: the network's state is not a dictionary");
        }

        foreach ((object key, object? item) in dict)
        {
            if (key is not string name || item is not PthTensor tensor)
            {
                string what = item switch
                {
                    PickleOpaque unknown => $"an object of {unknown.Name}",
                    PickleGlobal named => $"the name {named.FullName}",
                    _ => "no tensor",
                };
                throw FileErrors.Bad(
                    path, $"not a checkpoint: {prefix}{key} is {what}",
                    $"expected: a state dict, bare or under {string.Join(", ", NetworkKeys)}");
            }

            tensors.Add(tensor.ToDense(prefix + name, path));
        }
    }

    private static void AddOptimizer(
        string path,
        PickleDict root,
        string key,
        List<NamedTensor> tensors,
        Dictionary<string, string> metadata,
        Dictionary<string, string> unreadable)
    {
        root.TryGet(key, out object? value);
        if (value is not PickleDict optimizer || !optimizer.TryGet("param_groups", out object? groups)
            || !optimizer.TryGet("state", out object? states) || states is not PickleDict all)
        {
            unreadable["optimizer"] = value is PickleOpaque unknown ? $"an object of {unknown.Name}" : "not {state, param_groups}";
            return;
        }

        List<NamedTensor> found = [];
        PickleDict scalars = new PickleDict();
        foreach ((object index, object? state) in all)
        {
            if (index is not long || state is not PickleDict entries)
            {
                unreadable["optimizer"] = $"state of parameter {index} that is not numbered, or no dictionary";
                return;
            }

            foreach ((object entry, object? item) in entries)
            {
                string name = $"{index}.{entry}";
                if (item is PthTensor tensor)
                {
                    found.Add(tensor.ToDense(CheckpointFile.State + name, path));
                }
                else
                {
                    scalars.Set(name, item);
                }
            }
        }

        if (PickleJson.TryToJson(groups, path, out string groupsJson, out string? problem)
            & PickleJson.TryToJson(scalars, path, out string scalarsJson, out string? scalarsProblem))
        {
            tensors.AddRange(found);
            metadata["param_groups"] = groupsJson;
            metadata["scalars"] = scalarsJson;
            return;
        }

        unreadable["optimizer"] = problem ?? scalarsProblem!;
    }

    private static void AddSetting(
        string path, PickleDict root, string? key, string name, Dictionary<string, string> metadata, Dictionary<string, string> unreadable)
    {
        if (key is null)
        {
            return;
        }

        root.TryGet(key, out object? value);
        if (PickleJson.TryToJson(value, path, out string json, out string? problem))
        {
            metadata[name] = json;
        }
        else
        {
            unreadable[name] = problem;
        }
    }

    private static void AddTexts(PickleDict root, Dictionary<string, string> metadata)
    {
        if (root.TryGet(CheckpointFile.Extra, out object? texts) && texts is PickleDict extra)
        {
            foreach ((object key, object? value) in extra)
            {
                if (key is string name && value is string text)
                {
                    metadata.TryAdd(name, text);
                }
            }
        }
    }

    /// <summary>Names what the file holds besides: a copy of averaged parameters, a program's options, random states.</summary>
    private static void AddNoteOfTheRest(string path, PickleDict root, string networkKey, List<string> notes)
    {
        HashSet<object?> read =
        [
            networkKey, .. NetworkKeys.Where(k => root.TryGet(k, out object? v) && v is PickleDict d && HasTensor(d)),
            Find(root, OptimizerKeys), Find(root, SchedulerKeys), .. NumberKeys, CheckpointFile.Extra, CheckpointFile.ExtraTensors,
        ];
        string[] rest = [.. root.Where(item => !read.Contains(item.Key)).Select(item => item.Value switch
        {
            PickleOpaque unknown => $"{item.Key} ({unknown.Name})",
            PickleGlobal named => $"{item.Key} ({named.FullName})",
            PickleDict dict when HasTensor(dict) => $"{item.Key} ({dict.Count} entries, tensors among them)",
            _ => $"{item.Key}",
        })];
        if (rest.Length > 0)
        {
            notes.Add($"{path}: not read: {string.Join(", ", rest)}");
        }
    }

    private static string? Find(PickleDict root, string[] keys) => keys.FirstOrDefault(k => root.TryGet(k, out _));

    private static bool HasTensor(PickleDict dict) => dict.Any(item => item.Value is PthTensor);

    private static bool Same(List<NamedTensor> first, List<NamedTensor> second) =>
        first.Count == second.Count && first.Zip(second).All(pair => pair.First.Name == pair.Second.Name
            && pair.First.Type == pair.Second.Type && pair.First.Shape.SequenceEqual(pair.Second.Shape)
            && pair.First.Bytes.SequenceEqual(pair.Second.Bytes));

    private static SlttException NoState(string path, string what) => FileErrors.Bad(
        path, $"not a checkpoint: {what}, and nothing in a file is run; only tensors and plain containers are read",
        "save the network's state_dict() with torch.save");
}
