namespace SlttEngine.Tests.Engine;

/// <summary>Where recorded vectors lie: the few that travel with the tests, and all of them where SLTT_GOLDEN names their folder.</summary>
internal static class GoldenFiles
{
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "Golden");

    /// <summary>Recordings of a kind (model, neuron); of a file that lies in both places, the one that travels.</summary>
    public static IEnumerable<string> Of(string kind)
    {
        string[] folders = Environment.GetEnvironmentVariable("SLTT_GOLDEN") is { Length: > 0 } all ? [Folder, all] : [Folder];
        return folders.Select(f => Path.Combine(f, kind))
            .Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.safetensors"))
            .DistinctBy(Path.GetFileName)
            .Order(StringComparer.Ordinal);
    }
}
