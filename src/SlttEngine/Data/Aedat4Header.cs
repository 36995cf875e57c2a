using System.Buffers.Binary;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Google.FlatBuffers;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>What an AEDAT 4.0 file says about itself.</summary>
/// <remarks>
/// A FlatBuffer IOHE behind its length of 4 bytes: compression (int32), position of the table behind the packets (int64, −1: none), and
/// XML that names the streams: node outInfo has a node for each, with the attribute typeIdentifier (EVTS, FRME, IMUS, TRIG).
/// </remarks>
internal sealed class Aedat4Header
{
    private static ReadOnlySpan<byte> FirstLine => "#!AER-DAT4.0\r\n"u8;

    /// <summary>The first byte of the packets.</summary>
    internal required int DataStart { get; init; }

    /// <summary>The byte behind the packets.</summary>
    internal required int DataEnd { get; init; }

    /// <summary>How packets are compressed.</summary>
    internal required Aedat4Compression Compression { get; init; }

    /// <summary>All streams.</summary>
    internal required IReadOnlySet<int> Streams { get; init; }

    /// <summary>The first stream of events.</summary>
    internal required int EventStream { get; init; }

    /// <summary>Parses a file's header.</summary>
    internal static Aedat4Header Parse(string path, byte[] bytes)
    {
        if (!bytes.AsSpan().StartsWith(FirstLine))
        {
            throw FileErrors.Bad(path, "not an AEDAT 4.0 file: it does not begin with #!AER-DAT4.0 and a line's end");
        }

        int start = FirstLine.Length;
        int length = bytes.Length - start < 4 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(start));
        if (length < 0 || length > bytes.Length - start - 4)
        {
            throw FileErrors.Bad(path, "the header is cut off: truncated?");
        }

        ByteBuffer buffer = FlatBuffer(bytes.AsSpan(start + 4, length).ToArray(), 0, "IOHE"u8, Verify)
            ?? throw FileErrors.Bad(path, "the header is no FlatBuffer IOHE: damaged?");

        Table table = new(buffer.GetInt(0), buffer);
        int compression = table.__offset(4) is not 0 and int c ? buffer.GetInt(table.bb_pos + c) : 0;
        long end = table.__offset(6) is not 0 and int e ? buffer.GetLong(table.bb_pos + e) : -1;
        string xml = table.__offset(8) is not 0 and int x ? table.__string(table.bb_pos + x) : "";
        if (!Enum.IsDefined((Aedat4Compression)compression))
        {
            throw FileErrors.Bad(path, $"packets are compressed by method {compression}; 0 to 4 (none, LZ4, ZSTD) are known");
        }

        int dataStart = start + 4 + length;
        if (end >= 0 && (end < dataStart || end > bytes.Length))
        {
            throw FileErrors.Bad(path, $"the table of packets should be at byte {end}, outside the data: truncated?");
        }

        Dictionary<int, string> streams = Types(path, xml);
        int[] events = [.. streams.Where(s => s.Value == "EVTS").Select(s => s.Key).Order()];
        return new Aedat4Header
        {
            DataStart = dataStart,
            DataEnd = end >= 0 ? (int)end : bytes.Length,
            Compression = (Aedat4Compression)compression,
            Streams = streams.Keys.ToHashSet(),
            EventStream = events.Length > 0 ? events[0] : throw FileErrors.Bad(path, "has no stream of events (EVTS)"),
        };
    }

    /// <summary>A FlatBuffer of a kind, all of whose offsets lie inside; null if the bytes are none.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="start">Bytes of the length in front: 4 or 0.</param>
    /// <param name="identifier">The kind; the library's verifier does not look at it.</param>
    /// <param name="verify">Checks the root table.</param>
    internal static ByteBuffer? FlatBuffer(byte[] bytes, int start, ReadOnlySpan<byte> identifier, VerifyTableAction verify)
    {
        if (bytes.Length < start + 8 || !bytes.AsSpan(start + 4, 4).SequenceEqual(identifier)
            || (start > 0 && BinaryPrimitives.ReadUInt32LittleEndian(bytes) > bytes.Length - start))
        {
            return null;
        }

        // Other writers align to the file, not to the buffer. Nothing here needs it.
        ByteBuffer buffer = new(bytes);
        try
        {
            return new Verifier(buffer, new Options { alignmentCheck = false }).VerifyBuffer(null, start > 0, verify) ? buffer : null;
        }
        catch (Exception e) when (e is OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            return null;  // the verifier's own sums overflow on some offsets
        }
    }

    private static bool Verify(Verifier verifier, uint table) =>
        verifier.VerifyTableStart(table) && verifier.VerifyField(table, 4, sizeof(int), sizeof(int), false)
            && verifier.VerifyField(table, 6, sizeof(long), sizeof(long), false) && verifier.VerifyString(table, 8, true)
            && verifier.VerifyTableEnd(table);

    private static Dictionary<int, string> Types(string path, string xml)
    {
        try
        {
            using XmlReader reader = XmlReader.Create(
                new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            XElement? outputs = XDocument.Load(reader).Root!.Elements("node")
                .FirstOrDefault(n => (string?)n.Attribute("name") == "outInfo");
            Dictionary<int, string> types = [];
            foreach (XElement stream in outputs?.Elements("node") ?? [])
            {
                string type = stream.Elements("attr").FirstOrDefault(a => (string?)a.Attribute("key") == "typeIdentifier")?.Value ?? "";
                if (!int.TryParse((string?)stream.Attribute("name"), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                    || !types.TryAdd(number, type.Trim()))
                {
                    throw FileErrors.Bad(path, "the header names a stream without a number, or one twice: damaged?");
                }
            }

            return types;
        }
        catch (XmlException e)
        {
            throw FileErrors.Bad(path, "the header's XML cannot be read: damaged?", null, e);
        }
    }
}
