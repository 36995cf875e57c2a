using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using SlttEngine.IO;

namespace SlttEngine.Reports;

/// <summary>history.jsonl of a run folder: a JSON object a line for each begin of the run, each epoch, and each end.</summary>
/// <remarks>
/// Lines are appended whole. A process that is killed within a write leaves a torn last line: readers pass over it, and the next line
/// replaces it. A resumed run adds to the file, so an epoch may be there more than once: what the later process wrote counts.
/// </remarks>
internal static partial class RunHistory
{
    /// <summary>The file in the run folder.</summary>
    internal const string FileName = "history.jsonl";

    private const byte LineEnd = (byte)'\n';
    private const int Block = 4096;

    /// <summary>Letters beyond ASCII as they are.</summary>
    private static readonly HistoryJson Lines = new(new JsonSerializerOptions(HistoryJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>Writes a process's first line.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="begin">What runs on what.</param>
    /// <param name="resumed">The folder of the checkpoint that the run goes on from, whose epochs the history keeps; null: a new run,
    /// whose history replaces an older one.</param>
    /// <exception cref="SlttException">The file can't be written, or the other folder's not read.</exception>
    internal static void Start(string folder, RunBegin begin, string? resumed)
    {
        string path = Path.Combine(folder, FileName);
        if (resumed is not null && Path.GetFullPath(resumed) == Path.GetFullPath(folder))
        {
            Append(folder, begin);
            return;
        }

        string source = Path.Combine(resumed ?? folder, FileName);
        byte[] before = resumed is not null && File.Exists(source) ? FileErrors.ReadAll(source) : [];
        AtomicFile.Write(
            path,
            file =>
            {
                file.Write(before.AsSpan(0, before.AsSpan().LastIndexOf(LineEnd) + 1));
                file.Write(Text(begin));
            },
            durable: false);
    }

    /// <summary>Adds a line; a torn one before it is removed.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="line">What happened.</param>
    /// <exception cref="SlttException">The file can't be written.</exception>
    internal static void Append(string folder, HistoryLine line)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            using FileStream file = new(
                path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            long end = EndOfLastLine(file);
            if (end < file.Length)
            {
                file.SetLength(end);
            }

            file.Position = end;
            file.Write(Text(line));
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("write", path, e);
        }
    }

    /// <summary>Reads what a run folder's history says.</summary>
    /// <param name="folder">The run folder; a run may be writing there.</param>
    /// <returns>null if there is no history, or no whole line in it.</returns>
    /// <exception cref="SlttException">It can't be read, or a line is malformed.</exception>
    internal static RunRecord? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        RunRecord? record = null;
        ReadOnlySpan<byte> rest = ReadShared(path);
        for (int number = 1; rest.IndexOf(LineEnd) is >= 0 and int length; number++, rest = rest[(length + 1)..])
        {
            record = With(record, Parse(rest[..length], path, number));
        }

        return record;
    }

    /// <summary>What is known of a run with one more line.</summary>
    /// <param name="record">What the lines before it say; null: nothing.</param>
    /// <param name="line">The line.</param>
    internal static RunRecord? With(RunRecord? record, HistoryLine line) => line switch
    {
        RunBegin begin => new RunRecord(begin, [.. (record?.Epochs ?? []).Where(e => e.Epoch < begin.FirstEpoch)], null),
        EpochRecord epoch => record is null ? null
            : record with { Epochs = [.. record.Epochs.Where(e => e.Epoch < epoch.Epoch), epoch] },
        RunEnd end => record is null ? null : record with { End = end },
        _ => record,
    };

    private static byte[] Text(HistoryLine line) => [.. JsonSerializer.SerializeToUtf8Bytes(line, Lines.HistoryLine), LineEnd];

    private static HistoryLine Parse(ReadOnlySpan<byte> line, string path, int number)
    {
        try
        {
            return JsonSerializer.Deserialize(line, Lines.HistoryLine) is { } read && IsWhole(read) ? read : throw new JsonException();
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or ArgumentException)
        {
            throw FileErrors.Bad(path, $"line {number} is no line of a run's history", "delete this line, or the file", e);
        }
    }

    /// <summary>True if no list has a null, of which the serializer does not take note.</summary>
    private static bool IsWhole(HistoryLine line) => line switch
    {
        RunBegin begin => begin.ClassNames.Concat(begin.Versions.Values).Concat(begin.Options.Values).All(text => text is not null),
        EpochRecord epoch => epoch.Layers.All(layer => layer is not null),
        _ => true,
    };

    /// <summary>A whole file that another process may be writing.</summary>
    private static byte[] ReadShared(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] bytes = new byte[file.Length];
            return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
    }

    /// <summary>Where the last whole line ends.</summary>
    private static long EndOfLastLine(FileStream file)
    {
        Span<byte> block = stackalloc byte[Block];
        for (long end = file.Length; end > 0;)
        {
            long start = Math.Max(0, end - Block);
            Span<byte> part = block[..(int)(end - start)];
            file.Position = start;
            file.ReadExactly(part);
            int last = part.LastIndexOf(LineEnd);
            if (last >= 0)
            {
                return start + last + 1;
            }

            end = start;
        }

        return 0;
    }

    /// <summary>Source-generated: programs may have switched reflection off.</summary>
    [JsonSourceGenerationOptions(
        GenerationMode = JsonSourceGenerationMode.Metadata,
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowOutOfOrderMetadataProperties = true,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = [typeof(FiniteOrNull)])]
    [JsonSerializable(typeof(HistoryLine))]
    private sealed partial class HistoryJson : JsonSerializerContext;
}
