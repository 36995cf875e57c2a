using System.Buffers.Binary;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>Reads AEDAT 4.0 recordings, the format of iniVation's DV.</summary>
/// <remarks>
/// The line #!AER-DAT4.0, a header (<see cref="Aedat4Header"/>), then packets: stream and length of 4 bytes each, little-endian, and a
/// compressed FlatBuffer (<see cref="Aedat4Packet"/>). A table of the packets may follow; the header says where. Events are those of the
/// first stream of events, as tonic reads them; packets of other streams are passed over.
/// </remarks>
public static class Aedat4
{
    /// <summary>How a file begins.</summary>
    private static ReadOnlySpan<byte> Magic => "#!AER-DAT4.0"u8;

    /// <summary>Reads a recording.</summary>
    /// <exception cref="SlttException">
    /// The file cannot be read, is not AEDAT 4.0, is damaged, or holds events that cannot be meant (off the sensor, back in time).
    /// </exception>
    public static EventList Read(string path) => Parse(path, FileErrors.ReadAll(path));

    /// <summary>Reads a recording that may have been converted to AEDAT 4.0, whatever its name ends in.</summary>
    /// <param name="path">The file.</param>
    /// <param name="original">Reads the format that the data set is published in.</param>
    internal static EventList ReadOr(string path, Func<string, EventList> original) => Begins(path) ? Read(path) : original(path);

    /// <summary>Looks at a recording's first bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="original">How the format begins that the data set is published in; AEDAT 4.0 will do too.</param>
    internal static void RequireStart(string path, ReadOnlySpan<byte> original) =>
        FileErrors.RequireStart(path, Begins(path) ? Magic : original);

    /// <summary>True if the file can be read and begins as AEDAT 4.0 does.</summary>
    private static bool Begins(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> start = stackalloc byte[16];
            return start[..file.ReadAtLeast(start, Magic.Length, throwOnEndOfStream: false)].StartsWith(Magic);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return false;  // the other reader says why
        }
    }

    private static EventList Parse(string path, byte[] bytes)
    {
        Aedat4Header header = Aedat4Header.Parse(path, bytes);
        CheckedEvents events = new(path, 0);
        int position = header.DataStart;
        while (position < header.DataEnd)
        {
            if (header.DataEnd - position < 8)
            {
                throw FileErrors.Bad(path, $"a packet's header is cut off at byte {position}: truncated?");
            }

            int stream = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(position));
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(position + 4));
            position += 8;
            if (length < 0 || length > header.DataEnd - position)
            {
                throw FileErrors.Bad(path, $"a packet of {length} bytes reaches beyond the end at byte {position}: truncated?");
            }

            if (!header.Streams.Contains(stream))
            {
                throw FileErrors.Bad(path, $"a packet at byte {position} is of stream {stream}, which the header does not name: damaged?");
            }

            if (stream == header.EventStream)
            {
                Aedat4Packet.Read(path, bytes.AsMemory(position, length), header.Compression, events);
            }

            position += length;
        }

        return events.List;
    }
}
