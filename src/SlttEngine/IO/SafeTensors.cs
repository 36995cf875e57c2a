using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace SlttEngine.IO;

/// <summary>
/// Reads a safetensors file: 8 bytes header length (little-endian), a JSON header that gives each tensor's type, shape and place,
/// then the raw tensors. The header is checked when the file is opened; tensors are read from the disk as they are asked for.
/// </summary>
/// <remarks>Format: https://github.com/huggingface/safetensors. Several threads may use an instance at the same time.</remarks>
public sealed class SafeTensorsFile : IDisposable
{
    private const long MaxHeader = 100_000_000;  // the format's own limit

    private readonly SafeFileHandle file;
    private readonly Dictionary<string, Entry> entries;

    private SafeTensorsFile(
        string path, SafeFileHandle file, List<string> names, Dictionary<string, Entry> entries, Dictionary<string, string> metadata)
    {
        Path = path;
        this.file = file;
        Names = names;
        this.entries = entries;
        Metadata = metadata;
    }

    /// <summary>The file's path as it was given.</summary>
    public string Path { get; }

    /// <summary>The tensors' names in the header's order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The header's <c>__metadata__</c>; empty if there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header: length, JSON, types, shapes, places inside the file, no overlap.</summary>
    /// <exception cref="SlttException">The file cannot be read or is not a sound safetensors file.</exception>
    public static SafeTensorsFile Open(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            return Parse(path, file);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            file?.Dispose();
            throw FileErrors.Wrap("read", path, e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file holds a tensor of that name.</summary>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>The tensor's sizes; empty for a scalar.</summary>
    /// <exception cref="SlttException">There is no such tensor.</exception>
    public long[] Shape(string name) => [.. Find(name).Shape];

    /// <summary>The tensor's element type.</summary>
    /// <exception cref="SlttException">There is no such tensor.</exception>
    public TensorType DType(string name) => Find(name).Type;

    /// <summary>The tensor's raw bytes, little-endian.</summary>
    /// <exception cref="SlttException">There is no such tensor, or the file cannot be read.</exception>
    public byte[] ReadBytes(string name)
    {
        Entry entry = Find(name);
        long length = entry.End - entry.Begin;
        if (length > Array.MaxLength)
        {
            throw FileErrors.Bad(Path, $"tensor {name} is {length} bytes, more than can be read at once");
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)length);
        try
        {
            ReadExactly(file, bytes, entry.Begin);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", Path, e);
        }

        return bytes;
    }

    /// <summary>The tensor's elements as floats; F64, F16 and BF16 are converted.</summary>
    /// <exception cref="SlttException">There is no such tensor, it holds integers, or the file cannot be read.</exception>
    public float[] ReadFloat32(string name) => InFile(() => Read(name).ToFloat32());

    /// <summary>The tensor's elements as longs; every integer type and BOOL is converted.</summary>
    /// <exception cref="SlttException">There is no such tensor, it holds floating-point numbers, or the file cannot be read.</exception>
    public long[] ReadInt64(string name) => InFile(() => Read(name).ToInt64());

    /// <summary>The tensor with its name, type and shape.</summary>
    /// <exception cref="SlttException">There is no such tensor, or the file cannot be read.</exception>
    public NamedTensor Read(string name)
    {
        Entry entry = Find(name);
        return NamedTensor.Raw(name, entry.Type, entry.Shape, ReadBytes(name));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    private static SafeTensorsFile Parse(string path, SafeFileHandle file)
    {
        long length = RandomAccess.GetLength(file);
        if (length < 8)
        {
            throw FileErrors.Bad(path, $"not a safetensors file: {length} bytes, too short for a header");
        }

        Span<byte> prefix = stackalloc byte[8];
        ReadExactly(file, prefix, 0);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxHeader)
        {
            throw FileErrors.Bad(path, "not a safetensors file");
        }

        if ((long)headerLength > length - 8)
        {
            throw FileErrors.Bad(
                path, $"not a safetensors file, or cut off: its header needs {headerLength} bytes, the file has {length}");
        }

        byte[] header = new byte[(int)headerLength];
        ReadExactly(file, header, 8);
        List<string> names = new List<string>();
        Dictionary<string, Entry> entries = new Dictionary<string, Entry>(StringComparer.Ordinal);
        Dictionary<string, string> metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using JsonDocument json = JsonDocument.Parse(header);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw FileErrors.Bad(path, "the safetensors header is not a JSON object");
            }

            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                {
                    ReadMetadata(path, property.Value, metadata);
                }
                else if (!entries.TryAdd(property.Name, ReadEntry(path, property, 8 + (long)headerLength, length)))
                {
                    throw FileErrors.Bad(path, $"tensor {property.Name} is listed twice");
                }
                else
                {
                    names.Add(property.Name);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not valid UTF-8 or holds half a surrogate pair.
            throw FileErrors.Bad(path, "the safetensors header is not valid JSON", cause: e);
        }

        CheckOverlap(path, entries);
        return new SafeTensorsFile(path, file, names, entries, metadata);
    }

    private static void ReadMetadata(string path, JsonElement value, Dictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw FileErrors.Bad(path, "the safetensors metadata is not a JSON object");
        }

        foreach (JsonProperty property in value.EnumerateObject())
        {
            metadata[property.Name] = property.Value.ValueKind == JsonValueKind.String
                ? property.Value.GetString()!
                : throw FileErrors.Bad(path, $"the safetensors metadata {property.Name} is not a string");
        }
    }

    private static Entry ReadEntry(string path, JsonProperty property, long dataStart, long fileLength)
    {
        string name = property.Name;
        JsonElement value = property.Value;
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out JsonElement sizes)
            || !value.TryGetProperty("data_offsets", out JsonElement place))
        {
            throw FileErrors.Bad(path, $"tensor {name}: the header lacks its dtype, shape or data_offsets");
        }

        if (!TensorTypes.TryParse(dtype.GetString(), out TensorType type))
        {
            throw FileErrors.Bad(path, $"tensor {name}: element type {dtype.GetString()} is not supported");
        }

        long[]? shape = Longs(sizes);
        long[]? offsets = Longs(place);
        if (shape is null || !TensorTypes.TryCount(shape, out long count))
        {
            throw FileErrors.Bad(path, $"tensor {name}: the shape {sizes.GetRawText()} is not a list of sizes");
        }

        if (offsets is not { Length: 2 } || offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > fileLength - dataStart)
        {
            throw FileErrors.Bad(
                path, $"tensor {name} lies outside the file ({place.GetRawText()} of {fileLength - dataStart} bytes): truncated?");
        }

        if (offsets[1] - offsets[0] != count * TensorTypes.Size(type))
        {
            throw FileErrors.Bad(
                path, $"tensor {name}: {offsets[1] - offsets[0]} bytes do not hold {sizes.GetRawText()} of {TensorTypes.Name(type)}");
        }

        return new Entry(type, shape, dataStart + offsets[0], dataStart + offsets[1]);
    }

    private static long[]? Longs(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        long[] values = new long[list.GetArrayLength()];
        int i = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out values[i++]))
            {
                return null;
            }
        }

        return values;
    }

    private static void CheckOverlap(string path, Dictionary<string, Entry> entries)
    {
        long end = 0;
        foreach ((string name, Entry entry) in entries.OrderBy(e => e.Value.Begin).ThenBy(e => e.Value.End))
        {
            if (entry.Begin < end)
            {
                throw FileErrors.Bad(path, $"tensor {name} overlaps another one");
            }

            end = entry.End;
        }
    }

    private static void ReadExactly(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(file, bytes, offset);
            if (read == 0)
            {
                throw new EndOfStreamException();
            }

            bytes = bytes[read..];
            offset += read;
        }
    }

    private Entry Find(string name) => entries.TryGetValue(name, out Entry? entry) ? entry
        : throw FileErrors.Bad(Path, $"there is no tensor {name}");

    private T InFile<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SlttException e) when (!e.Message.Contains(Path, StringComparison.Ordinal))
        {
            throw FileErrors.Bad(Path, e.Message, e.Hint, e);
        }
    }

    private sealed record Entry(TensorType Type, long[] Shape, long Begin, long End);
}

/// <summary>Writes safetensors files, in one piece (see <see cref="AtomicFile"/>).</summary>
public static class SafeTensorsWriter
{
    /// <summary>Writes the tensors in the given order, with metadata.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">Names must be unique.</param>
    /// <param name="metadata">Strings by name; null or empty: none.</param>
    /// <exception cref="SlttException">The file cannot be written: names it and the reason; an older file stays whole.</exception>
    public static void Write(string path, IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        NamedTensor[] all = [.. tensors];
        byte[] header = Header(all, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> prefix = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
            stream.Write(prefix);
            stream.Write(header);
            foreach (NamedTensor tensor in all)
            {
                stream.Write(tensor.Bytes);
            }
        });
    }

    private static byte[] Header(NamedTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using MemoryStream buffer = new MemoryStream();
        using (Utf8JsonWriter json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            HashSet<string> seen = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
            long offset = 0;
            foreach (NamedTensor tensor in tensors)
            {
                if (!seen.Add(tensor.Name))
                {
                    throw new ArgumentException($"tensor {tensor.Name} is given twice");
                }

                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", TensorTypes.Name(tensor.Type));
                json.WriteStartArray("shape");
                foreach (long size in tensor.Shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += tensor.Bytes.Length;
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Padded with spaces so that the tensors start at a multiple of 8, as the format asks.
        buffer.Write(Encoding.ASCII.GetBytes(new string(' ', (int)(-buffer.Length & 7))));
        return buffer.ToArray();
    }
}
