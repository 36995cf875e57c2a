using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SlttEngine.IO;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>What a checkpoint holds, a line for each thing: for people, and for diff.</summary>
internal sealed class CheckpointText(CheckpointFile checkpoint)
{
    /// <summary>What was changed or left out in reading, and what can't be read.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    internal static IEnumerable<string> Notes(CheckpointFile checkpoint) =>
    [
        .. checkpoint.Notes,
        .. checkpoint.Unreadable.Select(part => $"{checkpoint.Path}: {part.Key} can't be read: it holds {part.Value}"),
    ];

    /// <summary>Writes the lines.</summary>
    /// <param name="line">Receives them.</param>
    internal void Write(Action<string> line)
    {
        foreach (string note in Notes(checkpoint))
        {
            line("note: " + note);
        }

        if (RunDescription.Read(checkpoint) is { } run)
        {
            foreach ((string name, string value) in run.Lines())
            {
                line($"{name}: {value}");
            }
        }
        else
        {
            line("description: none");
        }

        Entries("optimizer", Group(), line);
        Entries("lr_scheduler", Json("lr_scheduler"), line);
        foreach (string key in (ReadOnlySpan<string>)["epoch", "max_test_acc"])
        {
            line($"{key}: {checkpoint.Metadata.GetValueOrDefault(key, "none")}");
        }

        Entries("run", Json("sltt_run"), line);
        Tensors("network", CheckpointFile.Net, line);
        Tensors("optimizer state", CheckpointFile.State, line);
    }

    /// <summary>param_groups: its one group, or all of them by number; the parameters' indices are a count.</summary>
    private JsonObject? Group()
    {
        if (Json("param_groups") is not JsonArray groups)
        {
            return null;
        }

        JsonObject all = [];
        for (int g = 0; g < groups.Count; g++)
        {
            string prefix = groups.Count == 1 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"group {g} ");
            foreach ((string key, JsonNode? value) in groups[g] as JsonObject ?? [])
            {
                all[prefix + key] = key == "params" && value is JsonArray indices ? indices.Count : value?.DeepClone();
            }
        }

        return all;
    }

    private JsonNode? Json(string key)
    {
        try
        {
            return checkpoint.Metadata.TryGetValue(key, out string? text) ? JsonNode.Parse(text) : null;
        }
        catch (JsonException)
        {
            return JsonValue.Create("not valid JSON");
        }
    }

    private static void Entries(string name, JsonNode? node, Action<string> line)
    {
        if (node is not JsonObject entries)
        {
            line($"{name}: {node?.ToString() ?? "none"}");
            return;
        }

        foreach ((string key, JsonNode? value) in entries)
        {
            line($"{name} {key}: {value?.ToJsonString() ?? "none"}");
        }
    }

    private void Tensors(string name, string prefix, Action<string> line)
    {
        NamedTensor[] tensors = [.. checkpoint.Tensors.Where(t => t.Name.StartsWith(prefix, StringComparison.Ordinal))];
        string types = string.Join(", ", tensors.Select(t => TensorTypes.Name(t.Type)).Distinct());
        line(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {tensors.Length} tensors, {tensors.Sum(t => t.Count)} numbers{(types.Length > 0 ? ", " + types : string.Empty)}"));
    }
}
