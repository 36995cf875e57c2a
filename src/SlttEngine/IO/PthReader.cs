using System.IO.Compression;
using System.IO.Hashing;
using System.Numerics;

namespace SlttEngine.IO;

/// <summary>
/// Reads what torch.save wrote, in its zip format (PyTorch 1.6 and later) and in the older one, into plain containers with
/// <see cref="PthTensor"/>s. Nothing in the file is run: see <see cref="Unpickler"/>.
/// </summary>
internal static class PthReader
{
    private const long MaxPickle = 1 << 28;
    private static readonly BigInteger LegacyMagic = BigInteger.Parse("119547037146038801333356");  // 0x1950a86a20f9469cfc6c

    /// <summary>torch's storage classes.</summary>
    internal static readonly Dictionary<string, TensorType> StorageTypes = new()
    {
        ["torch.DoubleStorage"] = TensorType.F64,
        ["torch.FloatStorage"] = TensorType.F32,
        ["torch.HalfStorage"] = TensorType.F16,
        ["torch.BFloat16Storage"] = TensorType.BF16,
        ["torch.LongStorage"] = TensorType.I64,
        ["torch.IntStorage"] = TensorType.I32,
        ["torch.ShortStorage"] = TensorType.I16,
        ["torch.CharStorage"] = TensorType.I8,
        ["torch.ByteStorage"] = TensorType.U8,
        ["torch.BoolStorage"] = TensorType.Bool,
    };

    /// <summary>torch's name of the storage class for an element type; null if torch 1.x has none.</summary>
    internal static string? StorageName(TensorType type) => StorageTypes.FirstOrDefault(s => s.Value == type).Key?["torch.".Length..];

    /// <summary>Whether the file begins as one of the two formats does.</summary>
    internal static bool IsPth(ReadOnlySpan<byte> start) => IsZip(start) || start.StartsWith(LegacyStart);

    private static ReadOnlySpan<byte> LegacyStart => [0x80, 0x02, 0x8a, 0x0a];

    /// <summary>Reads the file: the pickled object, tensors as <see cref="PthTensor"/> with their storages' data.</summary>
    /// <exception cref="SlttException">
    /// The file cannot be read, is cut off or malformed, or holds something that is not allowed.
    /// </exception>
    internal static object? Read(string path)
    {
        try
        {
            using FileStream stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            Span<byte> start = stackalloc byte[4];
            int read = stream.ReadAtLeast(start, 4, throwOnEndOfStream: false);
            stream.Position = 0;
            return IsZip(start[..read]) ? ReadZip(path, stream) : ReadLegacy(path, stream);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
    }

    private static bool IsZip(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8);

    /// <summary>
    /// ('storage', type, key, location, count) and, in the older format, a sixth item for views. A storage of a type that this reader does
    /// not know is its name alone.
    /// </summary>
    private static object Storage(object? id, Dictionary<string, PthStorage> storages)
    {
        if (id is object?[] { Length: >= 2 } module && PickleValues.Text(module[0]) == "module" && module[1] is PickleGlobal program)
        {
            return program;  // a whole pickled module names its class so, with the class's source text
        }

        if (id is not object?[] { Length: 5 or 6 } parts
            || PickleValues.Text(parts[0]) != "storage" || parts[1] is not PickleGlobal type
            || PickleValues.Text(parts[2]) is not { } key || parts[4] is not long count || count < 0)
        {
            throw new PickleFormatException("a persistent id that is not a storage");
        }

        if (!StorageTypes.TryGetValue(type.FullName, out TensorType elements))
        {
            return new PickleOpaque(type.FullName);
        }

        if (!storages.TryGetValue(key, out PthStorage? root))
        {
            storages[key] = root = new PthStorage(elements, count, key);
        }
        else if (root.Type != elements)
        {
            throw new PickleFormatException($"storage {key} is used with two element types");
        }

        if (parts.Length == 6 && parts[5] is { } view)
        {
            return view is object?[] { Length: 3 } place && place[1] is long offset && offset >= 0 && place[2] is long length
                ? new PthStorage(elements, length, key) { View = (root, offset) }
                : throw new PickleFormatException("a malformed view of a storage");
        }

        return root;
    }

    // ---- Zip format -------------------------------------------------------------------------------------------------

    private static object? ReadZip(string path, FileStream stream)
    {
        try
        {
            using ZipArchive zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            ZipArchiveEntry pickle = zip.Entries.FirstOrDefault(
                e => e.FullName == "data.pkl" || e.FullName.EndsWith("/data.pkl", StringComparison.Ordinal))
                ?? throw FileErrors.Bad(path, "a zip file, but not one by torch.save: it holds no data.pkl");
            string root = pickle.FullName[..^"data.pkl".Length];
            if (zip.GetEntry(root + "constants.pkl") is not null)
            {
                throw FileErrors.Bad(path, "a TorchScript program, not a checkpoint", "save the state with torch.save");
            }

            if (zip.GetEntry(root + "byteorder") is { } order
                && !Content(path, order, 16, stream.Length).AsSpan().SequenceEqual("little"u8))
            {
                throw FileErrors.Bad(path, "written on a big-endian machine, which is not supported");
            }

            Dictionary<string, PthStorage> storages = new Dictionary<string, PthStorage>(StringComparer.Ordinal);
            using MemoryStream content = new MemoryStream(Content(path, pickle, MaxPickle, stream.Length));
            object? result = Unpickler.Load(path, content, PthGlobals.All, id => Storage(id, storages), opaque: true);
            foreach (PthStorage storage in storages.Values)
            {
                ZipArchiveEntry entry = zip.GetEntry($"{root}data/{storage.Key}")
                    ?? throw FileErrors.Bad(path, $"storage {storage.Key} is not in the file");
                if (entry.Length != storage.Count * TensorTypes.Size(storage.Type))
                {
                    throw FileErrors.Bad(
                        path, $"storage {storage.Key} is {entry.Length} bytes, not {storage.Count} elements of {storage.Type}");
                }

                storage.Data = Content(path, entry, Array.MaxLength, stream.Length);
            }

            return result;
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or NotSupportedException or OverflowException)
        {
            throw FileErrors.Bad(path, "a damaged or truncated zip file", cause: e);
        }
    }

    private static byte[] Content(string path, ZipArchiveEntry entry, long limit, long fileLength)
    {
        if (entry.Length > limit || entry.Length < 0)
        {
            throw FileErrors.Bad(path, $"{entry.FullName} claims {entry.Length} bytes, too many");
        }

        // Grown as it is read: a false length must not allocate more than the file really holds.
        using Stream stream = entry.Open();
        using MemoryStream content = new MemoryStream((int)Math.Min(entry.Length, fileLength));
        byte[] buffer = new byte[1 << 16];
        for (int read = stream.Read(buffer); read > 0 && content.Length <= entry.Length; read = stream.Read(buffer))
        {
            content.Write(buffer, 0, read);
        }

        byte[] bytes = content.Capacity == content.Length ? content.GetBuffer() : content.ToArray();

        // PyTorch 2.6 and later can leave checksums out: a CRC of 0.
        if (bytes.Length != entry.Length || (entry.Crc32 != 0 && Crc32.HashToUInt32(bytes) != entry.Crc32))
        {
            throw FileErrors.Bad(path, $"{entry.FullName} is damaged: its length or checksum is wrong");
        }

        return bytes;
    }

    // ---- The format before PyTorch 1.6 ------------------------------------------------------------------------------

    private static object? ReadLegacy(string path, FileStream stream)
    {
        Dictionary<string, PickleCallable> nothing = new Dictionary<string, PickleCallable>();
        object? magic = stream.Length < 2 || stream.ReadByte() != 0x80 ? null : LoadFromStart(path, stream, nothing);
        if (magic is not BigInteger number || number != LegacyMagic)
        {
            throw FileErrors.Bad(path, "not a checkpoint: neither torch.save nor safetensors wrote it");
        }

        if (Unpickler.Load(path, stream, nothing) is not 1001L)
        {
            throw FileErrors.Bad(path, "an unknown version of the torch.save format");
        }

        if (Unpickler.Load(path, stream, nothing) is not PickleDict system
            || (system.TryGet("little_endian", out object? little) && little is false))
        {
            throw FileErrors.Bad(path, "written on a big-endian machine, or damaged");
        }

        Dictionary<string, PthStorage> storages = new Dictionary<string, PthStorage>(StringComparer.Ordinal);
        object? result = Unpickler.Load(path, stream, PthGlobals.All, id => Storage(id, storages), opaque: true);
        IReadOnlyList<object?> keys = PickleValues.Items(Unpickler.Load(path, stream, nothing))
            ?? throw FileErrors.Bad(path, "the list of storages is damaged");
        Span<byte> prefix = stackalloc byte[8];
        foreach (object? item in keys)
        {
            if (PickleValues.Text(item) is not { } key || !storages.TryGetValue(key, out PthStorage? storage))
            {
                throw FileErrors.Bad(path, "the list of storages is damaged");
            }

            stream.ReadExactly(prefix);
            long count = BitConverter.ToInt64(prefix);
            if (count != storage.Count)
            {
                throw FileErrors.Bad(path, $"storage {key} holds {count} elements, not {storage.Count}");
            }

            long bytes = storage.Count * TensorTypes.Size(storage.Type);
            if (count > stream.Length || bytes > stream.Length - stream.Position || bytes > Array.MaxLength)
            {
                throw FileErrors.Bad(path, $"storage {key} reaches beyond the end of the file: truncated?");
            }

            storage.Data = GC.AllocateUninitializedArray<byte>((int)bytes);
            stream.ReadExactly(storage.Data);
        }

        return result;
    }

    private static object? LoadFromStart(string path, FileStream stream, Dictionary<string, PickleCallable> globals)
    {
        stream.Position = 0;
        try
        {
            return Unpickler.Load(path, stream, globals);
        }
        catch (SlttException)
        {
            return null;  // whatever it is, it is no checkpoint
        }
    }
}
