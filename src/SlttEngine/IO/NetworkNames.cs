namespace SlttEngine.IO;

/// <summary>What wrappers and profilers do to the names of a network's tensors, undone.</summary>
internal static class NetworkNames
{
    /// <summary>nn.DataParallel and torch.compile put these in front of a module's name, wherever they wrap one.</summary>
    private static readonly string[] Wrappers = ["module", "_orig_mod"];

    /// <summary>A program's own class around the network: in front of every name.</summary>
    private static readonly string[] Owners = ["net", "model"];

    private static readonly string[] ProfilerBuffers = ["total_ops", "total_params"];

    /// <summary>The tensors under the network's own names, without what a profiler left.</summary>
    /// <param name="tensors">Tensors of the network among others, as in a <see cref="CheckpointFile"/>.</param>
    /// <param name="model">The names that the model has: such a name stays as it is; null if no model is known.</param>
    /// <param name="path">The file, for errors and notes.</param>
    /// <param name="notes">Receives a line for each kind of change.</param>
    /// <exception cref="SlttException">Two tensors get one name.</exception>
    internal static List<NamedTensor> Plain(
        IReadOnlyList<NamedTensor> tensors, IReadOnlyCollection<string>? model, string path, List<string> notes)
    {
        HashSet<string> known = [.. model ?? []];
        List<NamedTensor> plain = [];
        List<string> profilers = [];
        SortedSet<string> prefixes = new SortedSet<string>(StringComparer.Ordinal);
        Dictionary<string, string> originals = [];
        int renamed = 0;
        foreach (NamedTensor tensor in tensors)
        {
            if (!tensor.Name.StartsWith(CheckpointFile.Net, StringComparison.Ordinal))
            {
                plain.Add(tensor);
                continue;
            }

            string name = tensor.Name[CheckpointFile.Net.Length..];
            if (!known.Contains(name) && ProfilerBuffers.Contains(name.Split('.')[^1]))
            {
                profilers.Add(name);
                continue;
            }

            string stripped = known.Contains(name) ? name : Strip(name, prefixes);
            if (!originals.TryAdd(stripped, name))
            {
                throw FileErrors.Bad(
                    path, $"holds {stripped} as {originals[stripped]} and as {name}", "save a file with the one that is meant");
            }

            renamed += stripped == name ? 0 : 1;
            plain.Add(stripped == name ? tensor : tensor.Renamed(CheckpointFile.Net + stripped));
        }

        if (renamed > 0)
        {
            notes.Add($"{path}: {string.Join(", ", prefixes.Select(p => p + "."))} stripped from {renamed} of {originals.Count} names");
        }

        if (profilers.Count > 0)
        {
            string shown = string.Join(", ", profilers.Take(3)) + (profilers.Count > 3 ? ", …" : string.Empty);
            notes.Add($"{path}: left out what a profiler counted ({profilers.Count} buffers): {shown}");
        }

        return plain;
    }

    private static string Strip(string name, SortedSet<string> prefixes)
    {
        List<string> parts = [.. name.Split('.')];
        int front = 0;
        while (parts.Count > 1 && front < parts.Count - 1 && Owners.Concat(Wrappers).Contains(parts[front]))
        {
            prefixes.Add(parts[front++]);
        }

        parts.RemoveRange(0, front);
        for (int i = parts.Count - 2; i >= 0; i--)
        {
            if (Wrappers.Contains(parts[i]))
            {
                prefixes.Add(parts[i]);
                parts.RemoveAt(i);
            }
        }

        return string.Join('.', parts);
    }
}
