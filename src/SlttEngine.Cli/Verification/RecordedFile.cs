using System.Globalization;
using System.Text.Json;
using SlttEngine.IO;

namespace SlttEngine.Cli.Verification;

/// <summary>A recorded file with typed metadata. A missing or malformed entry is a data error that names it.</summary>
internal sealed class RecordedFile(SafeTensorsFile file)
{
    public string Path => file.Path;

    public IReadOnlyList<string> Names => file.Names;

    public bool Has(string key) => file.Metadata.ContainsKey(key);

    public bool HasTensor(string name) => file.Contains(name);

    public string Text(string key) => file.Metadata.TryGetValue(key, out string? value)
        ? value.StartsWith('"') ? Json<string>(key) : value
        : throw new SlttException(ErrorKind.Data, $"{Path}: the metadata lack '{key}'", "this is not a recording that can be replayed");

    public int Integer(string key) => (int)Number(key);

    public double Number(string key) => double.TryParse(Text(key), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
        ? value
        : throw Malformed(key);

    public bool Flag(string key) => Text(key) switch
    {
        "true" or "True" => true,
        "false" or "False" => false,
        _ => throw Malformed(key),
    };

    public T Json<T>(string key)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(file.Metadata[key]) ?? throw Malformed(key);
        }
        catch (JsonException)
        {
            throw Malformed(key);
        }
    }

    public IReadOnlyList<(string Name, int[] Shape)> StateDict() =>
        [.. Json<JsonElement[]>("state_dict").Select(e => (e[0].GetString()!, e[1].EnumerateArray().Select(d => d.GetInt32()).ToArray()))];

    public float[] Floats(string name) => file.ReadFloat32(name);

    public long[] Integers(string name) => file.ReadInt64(name);

    public byte[] Bytes(string name) => file.ReadBytes(name);

    public int[] Shape(string name) => [.. file.Shape(name).Select(d => (int)d)];

    private SlttException Malformed(string key) =>
        new(ErrorKind.Data, $"{Path}: the metadata's '{key}' is malformed: {file.Metadata[key]}",
            "this is not a recording that can be replayed");
}
