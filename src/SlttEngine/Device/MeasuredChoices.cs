using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using SlttEngine.IO;

namespace SlttEngine.Device;

/// <summary>Measured choices that outlive the process: as long as the file is there the same machine makes the same choices.</summary>
/// <typeparam name="T">What is chosen.</typeparam>
/// <remarks>
/// One JSON file for all devices, in SLTT_CACHE_DIR, else in sltt/ of the user's cache folder. A file that can't be read counts as
/// empty, one that can't be written means that the next process measures again: a cache is no reason to stop.
/// </remarks>
public sealed class MeasuredChoices<T>
    where T : class
{
    // The engine's own choices need no reflection.
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        TypeInfoResolver = JsonTypeInfoResolver.Combine(ChoicesJson.Default, new DefaultJsonTypeInfoResolver()),
    };

    private readonly string path;
    private readonly string device;
    private readonly Dictionary<string, T> known;

    /// <summary>Opens it.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="device">Device and library version that the choices are for.</param>
    /// <param name="folder">Where the file is; null: the user's.</param>
    public MeasuredChoices(string file, string device, string? folder = null)
    {
        this.device = device;
        path = Path.Combine(folder ?? UserCache.Folder, file);
        known = ReadAll().GetValueOrDefault(device) ?? [];
    }

    /// <summary>What is remembered of a call, or null.</summary>
    /// <param name="call">The call with all that its time depends on.</param>
    public T? Find(string call) => known.GetValueOrDefault(call);

    /// <summary>Remembers a choice, in the file too.</summary>
    /// <param name="call">The call.</param>
    /// <param name="choice">The choice.</param>
    /// <returns>False where the file can't be written: the choice is remembered in this process alone.</returns>
    public bool Add(string call, T choice)
    {
        known[call] = choice;

        // Read again: another process may have added entries since.
        Dictionary<string, Dictionary<string, T>> all = ReadAll();
        Dictionary<string, T> mine = all.GetValueOrDefault(device) ?? [];
        foreach ((string key, T value) in known)
        {
            mine[key] = value;
        }

        all[device] = mine;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, all, Json), durable: false);
            return true;
        }
        catch (Exception e) when (e is SlttException || FileErrors.IsFileError(e))
        {
            return false; // See the remarks.
        }
    }

    private Dictionary<string, Dictionary<string, T>> ReadAll()
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, T>>>(file, Json) ?? [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }
}
