using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using SlttEngine.IO;

namespace SlttEngine.Cli;

/// <summary>Results as JSON: every command's --json.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        Converters = { new FiniteOrNull(), new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private static readonly JsonSerializerOptions LineOptions = new(Options) { WriteIndented = false };

    /// <summary>Writes a result to standard output, names in snake_case; numbers that are not finite as null.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="result">What.</param>
    internal static void Write(CliContext context, object result) => context.Output.WriteLine(JsonSerializer.Serialize(result, Options));

    /// <summary>An event as one line: its name and time, then its values.</summary>
    /// <typeparam name="T">Type of the values.</typeparam>
    /// <param name="name">The event.</param>
    /// <param name="time">When.</param>
    /// <param name="values">An object.</param>
    internal static string Line<T>(string name, DateTimeOffset time, T values)
    {
        JsonObject line = new() { ["event"] = name, ["time"] = time.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture) };
        foreach ((string key, JsonNode? value) in JsonSerializer.SerializeToNode(values, LineOptions)!.AsObject())
        {
            line[key] = value?.DeepClone();
        }

        return line.ToJsonString(LineOptions);
    }
}
