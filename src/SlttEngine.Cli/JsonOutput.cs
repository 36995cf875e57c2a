using System.Text.Encodings.Web;
using System.Text.Json;

namespace SlttEngine.Cli;

/// <summary>Results as JSON: every command's --json.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    /// <summary>Writes a result to standard output, names in snake_case.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="result">What.</param>
    internal static void Write(CliContext context, object result) => context.Output.WriteLine(JsonSerializer.Serialize(result, Options));
}
