using System.Globalization;

namespace SlttEngine.IO;

/// <summary>
/// A checkpoint in one flat form, whichever file it comes from: tensors <c>net.NAME</c> and <c>optimizer.state.INDEX.KEY</c> (INDEX counts
/// the parameters), and metadata, all strings: <c>epoch</c>, <c>max_test_acc</c>, and as JSON <c>param_groups</c> (the optimiser's),
/// <c>lr_scheduler</c> and <c>scalars</c> (optimiser state that is no tensor, by <c>INDEX.KEY</c>). Other tensors and metadata are kept as
/// they are.
/// </summary>
/// <remarks>
/// In a .pth file this is {net, optimizer: {state, param_groups}, lr_scheduler, epoch, max_test_acc}, as the official programs write
/// and read it; what has no place there goes under the extra keys <c>sltt</c> (text) and <c>sltt_tensors</c>, which they ignore.
/// </remarks>
public sealed class CheckpointFile
{
    /// <summary>In front of the network's tensors.</summary>
    internal const string Net = "net.";

    /// <summary>In front of the optimiser's.</summary>
    internal const string State = "optimizer.state.";

    /// <summary>A .pth file's extra key for texts.</summary>
    internal const string Extra = "sltt";

    /// <summary>A .pth file's extra key for tensors.</summary>
    internal const string ExtraTensors = "sltt_tensors";

    /// <summary>A checkpoint of these tensors and this metadata.</summary>
    public CheckpointFile(IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        Tensors = [.. tensors];
        Metadata = metadata;
    }

    /// <summary>The file that the checkpoint was read from, for messages; "the checkpoint" if it was made in memory.</summary>
    public string Path { get; internal init; } = "the checkpoint";

    /// <summary>The tensors in the file's order.</summary>
    public IReadOnlyList<NamedTensor> Tensors { get; }

    /// <summary>The rest, as text.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What was changed or left out in reading, a line each that names the file.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>Parts of the file that could not be read, by their names, with what they hold: an optimiser of unknown objects.</summary>
    internal IReadOnlyDictionary<string, string> Unreadable { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// The checkpoint with the network's own names: what wrappers put in front of them (module., _orig_mod., net., model.) is stripped, and
    /// a profiler's buffers are left out. <see cref="Notes"/> says both.
    /// </summary>
    /// <param name="model">The names that the model has: such a name stays as it is; null if no model is known.</param>
    /// <exception cref="SlttException">Two tensors get one name.</exception>
    public CheckpointFile WithPlainNames(IReadOnlyCollection<string>? model = null)
    {
        List<string> notes = [.. Notes];
        List<NamedTensor> tensors = NetworkNames.Plain(Tensors, model, Path, notes);
        return new CheckpointFile(tensors, Metadata) { Path = Path, Notes = notes, Unreadable = Unreadable };
    }

    /// <summary>
    /// Reads a checkpoint: safetensors, or torch.save's zip or older format; which, its first bytes say.
    /// Either may also be a bare state dict.
    /// </summary>
    /// <exception cref="SlttException">The file cannot be read, is damaged, or is no checkpoint.</exception>
    public static CheckpointFile Read(string path)
    {
        Span<byte> start = stackalloc byte[9];
        int length;
        try
        {
            using FileStream stream = File.OpenRead(path);
            length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }

        // A safetensors header of the right length could begin like a pickle; its ninth byte is always the brace.
        if (PthReader.IsPth(start[..length]) && start[8] != (byte)'{')
        {
            return PthCheckpoint.Read(path);
        }

        if (length < 9 || start[8] != (byte)'{')
        {
            throw FileErrors.Bad(path, "not a checkpoint: neither torch.save (.pth) nor safetensors wrote it");
        }

        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        IEnumerable<NamedTensor> tensors = file.Names.Select(file.Read);
        bool bare = !file.Names.Any(name => name.StartsWith(Net, StringComparison.Ordinal));
        return new CheckpointFile(
            bare ? tensors.Select(t => t.Renamed(Net + t.Name)) : tensors, new Dictionary<string, string>(file.Metadata))
        { Path = path };
    }

    /// <summary>Writes a safetensors file, in one piece.</summary>
    /// <exception cref="SlttException">The file cannot be written; an older one stays whole.</exception>
    public void WriteSafeTensors(string path) => SafeTensorsWriter.Write(path, Tensors, Metadata);

    /// <summary>Writes a .pth file that the official programs load, in one piece.</summary>
    /// <exception cref="SlttException">The file cannot be written (an older one stays whole), or the metadata are malformed.</exception>
    public void WritePth(string path) => PthWriter.Write(path, ToPth(path));

    // ---- Flat to .pth -----------------------------------------------------------------------------------------------

    private PickleDict ToPth(string path)
    {
        PickleDict root = new PickleDict();
        PickleDict net = new PickleDict { Ordered = true };
        SortedDictionary<long, PickleDict> states = new SortedDictionary<long, PickleDict>();
        PickleDict more = new PickleDict();
        foreach (NamedTensor tensor in Tensors)
        {
            if (tensor.Name.StartsWith(Net, StringComparison.Ordinal))
            {
                net.Set(tensor.Name[Net.Length..], tensor);
            }
            else if (tensor.Name.StartsWith(State, StringComparison.Ordinal) && Split(tensor.Name[State.Length..]) is { } place)
            {
                StateOf(states, place.Index).Set(place.Key, tensor);
            }
            else
            {
                more.Set(tensor.Name, tensor);
            }
        }

        if (Json("scalars", path) is PickleDict scalars)
        {
            foreach ((object key, object? value) in scalars)
            {
                if (Split((string)key) is { } place)
                {
                    StateOf(states, place.Index).Set(place.Key, value);
                }
            }
        }

        root.Set("net", net);
        if (Metadata.ContainsKey("param_groups"))
        {
            PickleDict state = new PickleDict();
            foreach ((long index, PickleDict entries) in states)
            {
                state.Set(index, entries);
            }

            PickleDict optimizer = new PickleDict();
            optimizer.Set("state", state);
            optimizer.Set("param_groups", TuplesInGroups(Json("param_groups", path)));
            root.Set("optimizer", optimizer);
        }

        PickleDict extra = new PickleDict();
        foreach ((string key, string text) in Metadata)
        {
            if (key is "lr_scheduler" or "epoch" or "max_test_acc")
            {
                root.Set(key, Json(key, path));
            }
            else if (key is not ("param_groups" or "scalars"))
            {
                extra.Set(key, text);
            }
        }

        if (extra.Count > 0)
        {
            root.Set(Extra, extra);
        }

        if (more.Count > 0)
        {
            root.Set(ExtraTensors, more);
        }

        return root;
    }

    private object? Json(string key, string path) =>
        Metadata.TryGetValue(key, out string? text) ? PickleJson.FromJson(text, path, $"the checkpoint's {key}") : null;

    private static PickleDict StateOf(SortedDictionary<long, PickleDict> states, long index)
    {
        if (!states.TryGetValue(index, out PickleDict? state))
        {
            states[index] = state = new PickleDict();
        }

        return state;
    }

    private static (long Index, string Key)? Split(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && long.TryParse(name[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out long index)
            ? (index, name[(dot + 1)..]) : null;
    }

    /// <summary>PyTorch holds AdamW's betas as a tuple.</summary>
    private static object? TuplesInGroups(object? groups)
    {
        foreach (object? group in PickleValues.Items(groups) ?? [])
        {
            if (group is PickleDict settings && settings.TryGet("betas", out object? betas) && betas is List<object?> list)
            {
                settings.Set("betas", list.ToArray());
            }
        }

        return groups;
    }
}
