using System.Text.Json;
using SlttEngine.Checkpoints;

namespace SlttEngine.Device;

/// <summary>An algorithm that was found the fastest for one call.</summary>
/// <param name="Algorithm">The library's number of it.</param>
/// <param name="Milliseconds">What it took when it was measured.</param>
public sealed record RememberedAlgorithm(int Algorithm, double Milliseconds);

/// <summary>Measured choices that outlive the process: as long as the file is there the same machine makes the same choices.</summary>
/// <remarks>
/// One JSON file for all devices, in SLTT_CACHE_DIR, else in sltt/ of the user's cache folder. A file that can't be read counts as
/// empty, one that can't be written means that the next process measures again: a cache is no reason to stop.
/// </remarks>
public sealed class AlgorithmCache
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private readonly string path;
    private readonly string device;
    private readonly Dictionary<string, RememberedAlgorithm> known;

    /// <summary>Opens it.</summary>
    /// <param name="device">Device and library version that the choices are for.</param>
    /// <param name="folder">Where the file is; null: the user's.</param>
    public AlgorithmCache(string device, string? folder = null)
    {
        this.device = device;
        path = Path.Combine(folder ?? UserFolder(), "algorithms.json");
        known = ReadAll().GetValueOrDefault(device) ?? [];
    }

    /// <summary>What is remembered of a call, or null.</summary>
    /// <param name="call">The call with all that its time depends on.</param>
    public RememberedAlgorithm? Find(string call) => known.GetValueOrDefault(call);

    /// <summary>Remembers a choice, in the file too.</summary>
    /// <param name="call">The call.</param>
    /// <param name="choice">The choice.</param>
    public void Add(string call, RememberedAlgorithm choice)
    {
        known[call] = choice;

        // Read again: another process may have added its own since.
        Dictionary<string, Dictionary<string, RememberedAlgorithm>> all = ReadAll();
        Dictionary<string, RememberedAlgorithm> mine = all.GetValueOrDefault(device) ?? [];
        foreach ((string key, RememberedAlgorithm value) in known)
        {
            mine[key] = value;
        }

        all[device] = mine;
        try
        {
            AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, all, Json), durable: false);
        }
        catch (SlttException)
        {
            // Not remembered: see the remarks.
        }
    }

    private static string UserFolder()
    {
        if (Environment.GetEnvironmentVariable("SLTT_CACHE_DIR") is { Length: > 0 } own)
        {
            return own;
        }

        string? user = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        return Path.Combine(
            string.IsNullOrEmpty(user) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache") : user, "sltt");
    }

    private Dictionary<string, Dictionary<string, RememberedAlgorithm>> ReadAll()
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, RememberedAlgorithm>>>(file, Json) ?? [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }
}
