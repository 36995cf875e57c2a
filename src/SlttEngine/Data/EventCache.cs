using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>
/// Packed frames of all samples of a set, in a file or, where none can be written, in memory. The file's name and header hold a
/// digest of everything that shapes the frames (version, T, size, transform, split, each source file's name, size and time of change):
/// if anything differs, another file is made. A file gets its name only when it is whole.
/// </summary>
/// <remarks>
/// File: header of 64 bytes ("SLTTEVT1", key 32, samples 4, element size 4, file length 8, index offset 8), the packed samples
/// (<see cref="SparseFrames"/>), then the index: for each sample label 4, length 4, offset 8, XxHash3 8. Little-endian. Last the names of
/// the samples that were left out, a line each.
/// </remarks>
internal sealed class EventCache : IDisposable
{
    private const int Version = 3;
    private const int HeaderBytes = 64;
    private const int EntryBytes = 24;

    private readonly string path;
    private readonly SafeFileHandle? file;
    private readonly byte[][] memory;
    private readonly Entry[] entries;

    private EventCache(
        string path, SafeFileHandle? file, byte[][] memory, Entry[] entries, IReadOnlyList<string> leftOut, string? problem = null)
    {
        LeftOut = leftOut;
        Problem = problem;
        this.path = path;
        this.file = file;
        this.memory = memory;
        this.entries = entries;
    }

    private static ReadOnlySpan<byte> Magic => "SLTTEVT1"u8;

    /// <summary>The number of samples.</summary>
    internal int Count => entries.Length;

    /// <summary>Why the frames are in memory alone, where a file was wanted; null if all is well.</summary>
    internal string? Problem { get; }

    /// <summary>The names of the samples that hold no event, and are not among the others.</summary>
    internal IReadOnlyList<string> LeftOut { get; }

    /// <summary>A sample's label.</summary>
    internal int Label(int index) => entries[index].Label;

    /// <summary>Finds the cache of these recordings, or decodes them all and writes it.</summary>
    /// <param name="source">The recordings.</param>
    /// <param name="folder">Where caches are; made if missing. Null, or a folder that cannot be written: kept in memory.</param>
    /// <param name="workers">Threads that decode.</param>
    /// <param name="progress">Told how many recordings are done, while decoding; null: nobody.</param>
    /// <param name="leaveOut">Leave out samples without an event; else the first one is refused by name.</param>
    /// <exception cref="SlttException">A recording cannot be read or is damaged, or no sample has an event.</exception>
    internal static EventCache Open(EventRecordings source, string? folder, int workers, Action<int, int>? progress, bool leaveOut)
    {
        byte[] key = Key(source);
        string path = folder is null ? "(memory)"
            : Path.Combine(folder, $"{source.Name}-{Convert.ToHexStringLower(key.AsSpan(0, 8))}.frames");
        EventCache cache = (folder is null ? null : TryOpen(path, key))
            ?? Build(source, folder is null ? null : path, key, new Decoding(workers, progress, leaveOut));
        if (cache.LeftOut.Count > 0 && (!leaveOut || cache.Count == 0))
        {
            cache.Dispose();
            throw WithoutEvents(cache.LeftOut[0], others: cache.Count > 0);
        }

        for (int i = 0; i < cache.Count; i++)
        {
            int index = i;
            ClassLabels.Check(
                cache.Label(i), source.ClassNames.Count, () => $"{cache.path}: sample {index}", "delete the file; it is made again");
        }

        return cache;
    }

    /// <summary>A sample that would train on zero frames.</summary>
    /// <param name="name">The sample's.</param>
    /// <param name="others">Whether any sample would be left without it.</param>
    internal static SlttException WithoutEvents(string name, bool others = true) => FileErrors.Bad(
        name, "holds no event", others ? "repair or remove it, or leave such samples out with --allow-incomplete"
            : "no sample of this part holds an event: unpack the recordings again");

    /// <summary>Unpacks a sample.</summary>
    /// <param name="index">Which.</param>
    /// <param name="elementSize">1 or 2.</param>
    /// <param name="frames">Receives it.</param>
    /// <exception cref="SlttException">The cache was damaged or removed meanwhile.</exception>
    internal void Read(int index, int elementSize, Span<byte> frames)
    {
        Entry entry = entries[index];
        if (file is null)
        {
            if (!SparseFrames.TryUnpack(memory[index], elementSize, frames))
            {
                throw new InvalidOperationException("packed frames in memory are damaged");
            }

            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(entry.Length);
        try
        {
            Span<byte> packed = buffer.AsSpan(0, entry.Length);
            if (!ReadAt(file, packed, entry.Offset) || XxHash3.HashToUInt64(packed) != entry.Hash
                || !SparseFrames.TryUnpack(packed, elementSize, frames))
            {
                throw FileErrors.Bad(path, $"the cached frames of sample {index} are damaged", "delete the file; it is made again");
            }
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file?.Dispose();

    // ---- The key ----------------------------------------------------------------------------------------------------

    private static byte[] Key(EventRecordings source)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string line) => hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        Add($"version {Version}, {source.Name}, {source.Shape}, {source.Transform}, split by {source.Split}");
        for (int i = 0; i < source.Count; i++)
        {
            foreach (string file in source.Files(i))
            {
                try
                {
                    FileInfo info = new FileInfo(file);
                    Add(string.Create(
                        CultureInfo.InvariantCulture, $"{Path.GetFullPath(file)}|{info.Length}|{info.LastWriteTimeUtc.Ticks}|"));
                }
                catch (Exception e) when (FileErrors.IsFileError(e))
                {
                    throw FileErrors.Wrap("read", file, e);
                }
            }
        }

        return hash.GetHashAndReset();
    }

    // ---- Reading ----------------------------------------------------------------------------------------------------

    /// <summary>The cache, or null if there is none or it is not whole.</summary>
    private static EventCache? TryOpen(string path, ReadOnlySpan<byte> key)
    {
        SafeFileHandle? file = null;
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            file = File.OpenHandle(path);
            Span<byte> header = stackalloc byte[HeaderBytes];
            long length = RandomAccess.GetLength(file);
            if (ReadAt(file, header, 0) && header.StartsWith(Magic) && header.Slice(8, 32).SequenceEqual(key)
                && BinaryPrimitives.ReadInt64LittleEndian(header[48..]) == length)
            {
                int count = BinaryPrimitives.ReadInt32LittleEndian(header[40..]);
                long indexOffset = BinaryPrimitives.ReadInt64LittleEndian(header[56..]);
                if (count >= 0 && indexOffset >= HeaderBytes && indexOffset + ((long)count * EntryBytes) is long names && names <= length
                    && Entries(file, count, indexOffset) is { } entries && Names(file, names, length) is { } leftOut)
                {
                    return new EventCache(path, file, [], entries, leftOut);
                }
            }
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            // As good as none.
        }

        file?.Dispose();
        return null;
    }

    private static Entry[]? Entries(SafeFileHandle file, int count, long indexOffset)
    {
        byte[] index = new byte[count * EntryBytes];
        if (!ReadAt(file, index, indexOffset))
        {
            return null;
        }

        Entry[] entries = new Entry[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> e = index.AsSpan(i * EntryBytes);
            entries[i] = new Entry(BinaryPrimitives.ReadInt32LittleEndian(e), BinaryPrimitives.ReadInt32LittleEndian(e[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(e[8..]), BinaryPrimitives.ReadUInt64LittleEndian(e[16..]));
            if (entries[i].Length < 0 || entries[i].Offset < HeaderBytes || entries[i].Offset + entries[i].Length > indexOffset)
            {
                return null;
            }
        }

        return entries;
    }

    private static string[]? Names(SafeFileHandle file, long start, long end)
    {
        byte[] text = new byte[end - start];
        return ReadAt(file, text, start) ? Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries) : null;
    }

    private static bool ReadAt(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(file, bytes, offset);
            if (read == 0)
            {
                return false;
            }

            bytes = bytes[read..];
            offset += read;
        }

        return true;
    }

    // ---- Making -----------------------------------------------------------------------------------------------------

    private static EventCache Build(EventRecordings source, string? path, byte[] key, Decoding how)
    {
        string? problem = path is null ? null : WhyNotWritable(path);
        if (path is not null && problem is null)
        {
            try
            {
                AtomicFile.Write(path, stream => Write(source, stream, key, how));
                return TryOpen(path, key) ?? throw FileErrors.Bad(path, "the cache just written cannot be read");
            }
            catch (SlttException e) when (e.Message.StartsWith($"cannot write {path}", StringComparison.Ordinal))
            {
                problem = e.Message;  // a full disk stops no training
            }
        }

        List<byte[]> packed = new List<byte[]>();
        List<Entry> entries = new List<Entry>();
        List<string> leftOut = new List<string>();
        Decode(source, how, leftOut, (label, bytes) =>
        {
            packed.Add(bytes);
            entries.Add(new Entry(label, bytes.Length, 0, 0));
        });
        return new EventCache("(memory)", null, [.. packed], [.. entries], leftOut, problem);
    }

    /// <summary>Why no file can be made there, to know before all is decoded: data folders are often read-only.</summary>
    private static string? WhyNotWritable(string path)
    {
        try
        {
            string temporary = AtomicFile.TemporaryPath(path);
            Directory.CreateDirectory(Path.GetDirectoryName(temporary)!);
            using FileStream probe = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
            return null;
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return FileErrors.Wrap("write", path, e).Message;
        }
    }

    private static void Write(EventRecordings source, Stream stream, byte[] key, Decoding how)
    {
        stream.Write(new byte[HeaderBytes]);
        List<Entry> entries = new List<Entry>();
        List<string> leftOut = new List<string>();
        Decode(source, how, leftOut, (label, bytes) =>
        {
            entries.Add(new Entry(label, bytes.Length, stream.Position, XxHash3.HashToUInt64(bytes)));
            stream.Write(bytes);
        });

        long indexOffset = stream.Position;
        Span<byte> e = stackalloc byte[EntryBytes];
        foreach (Entry entry in entries)
        {
            BinaryPrimitives.WriteInt32LittleEndian(e, entry.Label);
            BinaryPrimitives.WriteInt32LittleEndian(e[4..], entry.Length);
            BinaryPrimitives.WriteInt64LittleEndian(e[8..], entry.Offset);
            BinaryPrimitives.WriteUInt64LittleEndian(e[16..], entry.Hash);
            stream.Write(e);
        }

        stream.Write(Encoding.UTF8.GetBytes(string.Concat(leftOut.Select(name => name.ReplaceLineEndings(" ") + "\n"))));
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        Magic.CopyTo(header);
        key.CopyTo(header[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], entries.Count);
        BinaryPrimitives.WriteInt32LittleEndian(header[44..], EventTransformer.Element(source.Transform).Size());
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], stream.Position);
        BinaryPrimitives.WriteInt64LittleEndian(header[56..], indexOffset);
        stream.Position = 0;
        stream.Write(header);
    }

    /// <summary>Decodes and packs the recordings, a few at a time in threads, and hands the samples over in order.</summary>
    private static void Decode(EventRecordings source, Decoding how, List<string> leftOut, Action<int, byte[]> add)
    {
        List<Packed>[] batch = new List<Packed>[Math.Max(how.Workers, 1)];
        for (int first = 0; first < source.Count; first += batch.Length)
        {
            int count = Math.Min(batch.Length, source.Count - first);
            Exception? error = null;
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = batch.Length }, i =>
            {
                try
                {
                    batch[i] = Pack(source, first + i, how.LeaveOut);
                }
                catch (Exception e)
                {
                    error ??= e;
                }
            });
            if (error is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
            }

            foreach (Packed sample in batch.Take(count).SelectMany(samples => samples))
            {
                if (sample.Bytes is null)
                {
                    leftOut.Add(sample.Name);
                }
                else
                {
                    add(sample.Label, sample.Bytes);
                }
            }

            how.Progress?.Invoke(first + count, source.Count);
        }
    }

    private static List<Packed> Pack(EventRecordings source, int recording, bool leaveOut)
    {
        EventTransformer transformer = new EventTransformer(source.Transform);
        int elementSize = EventTransformer.Element(source.Transform).Size();
        ushort[] counts = new ushort[source.Steps * EventFrames.FrameLength];
        byte[] frames = new byte[source.Shape.Length * elementSize];
        List<Packed> samples = new List<Packed>();
        foreach (EventSample sample in source.Decode(recording))
        {
            if (!sample.HasEvents)
            {
                samples.Add(leaveOut ? new Packed(sample.Label, null, sample.Name) : throw WithoutEvents(sample.Name));
                continue;
            }

            sample.Integrate(source.Steps, source.Split, counts);
            transformer.Apply(counts, frames);
            samples.Add(new Packed(sample.Label, SparseFrames.Pack(frames, elementSize), sample.Name));
        }

        return samples;
    }

    /// <summary>How recordings are decoded.</summary>
    private sealed record Decoding(int Workers, Action<int, int>? Progress, bool LeaveOut);

    /// <summary>A sample's packed frames; no bytes: it has no event.</summary>
    private sealed record Packed(int Label, byte[]? Bytes, string Name);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Entry(int Label, int Length, long Offset, ulong Hash);
}
