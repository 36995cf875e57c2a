using System.Buffers.Binary;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>Reads and writes AEDAT 3.1 recordings, as DVS-Gesture has them.</summary>
/// <remarks>
/// Text lines up to #!END-HEADER, then packets: a 28-byte header (type and source of 2 bytes; event size, time offset, time overflow,
/// capacity, number, valid of 4 bytes, all little-endian) and capacity events. Of the polarity packets (type 1) every event
/// up to the capacity counts, whatever its valid bit, as in the reader of the official programs (SpikingJelly): x = (a &gt;&gt; 17) &amp;
/// 0x7fff,
/// y = (a &gt;&gt; 2) &amp; 0x7fff, p = (a &gt;&gt; 1) &amp; 1, t = time | overflow &lt;&lt; 31. Packets of other types are passed over.
/// </remarks>
public static class Aedat31
{
    private const int HeaderBytes = 28;
    private const int PolarityType = 1;

    /// <summary>Reads a recording's polarity events.</summary>
    /// <exception cref="SlttException">The file cannot be read, is not AEDAT 3.1, or a packet is cut off or malformed.</exception>
    public static EventList Read(string path)
    {
        byte[] bytes = FileErrors.ReadAll(path);
        int position = DataStart(path, bytes);
        EventList events = new EventList(Math.Max(0, (bytes.Length - position) / 8));
        while (position < bytes.Length)
        {
            if (bytes.Length - position < HeaderBytes)
            {
                throw FileErrors.Bad(path, $"a packet header is cut off at byte {position}: truncated?");
            }

            ReadOnlySpan<byte> header = bytes.AsSpan(position, HeaderBytes);
            int type = BinaryPrimitives.ReadUInt16LittleEndian(header);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            uint overflow = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
            uint capacity = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
            position += HeaderBytes;
            if (capacity * (ulong)size > (ulong)(bytes.Length - position))
            {
                throw FileErrors.Bad(
                    path, $"a packet of {capacity} events of {size} bytes reaches beyond the end at byte {position}: truncated?");
            }

            if (type == PolarityType)
            {
                if (size < 8 && capacity > 0)
                {
                    throw FileErrors.Bad(path, $"polarity events of {size} bytes at byte {position}, 8 are needed");
                }

                ReadPolarity(bytes.AsSpan(position, (int)(capacity * size)), (int)size, overflow, events);
            }

            position += (int)(capacity * size);
        }

        return events;
    }

    /// <summary>Writes a recording of polarity events, in packets of up to 4096; all valid.</summary>
    /// <param name="stream">Receives the file.</param>
    /// <param name="events">In order of time; columns and rows below 2¹⁵.</param>
    internal static void Write(Stream stream, EventList events)
    {
        const int PacketEvents = 4096;
        stream.Write(
            "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2016-01-01 00:00:00 (TZ+0000)\r\n#!END-HEADER\r\n"u8);
        byte[] packet = new byte[HeaderBytes + (8 * PacketEvents)];
        for (int first = 0; first < events.Count;)
        {
            // The time overflow is the packet's: a packet ends where it changes.
            long overflow = events.T[first] >> 31;
            int count = 0;
            for (; count < PacketEvents && first + count < events.Count && events.T[first + count] >> 31 == overflow; count++)
            {
                int i = first + count;
                uint address = 1u | ((uint)events.P[i] << 1) | ((uint)events.Y[i] << 2) | ((uint)events.X[i] << 17);
                BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(HeaderBytes + (8 * count)), address);
                BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(HeaderBytes + (8 * count) + 4), (uint)(events.T[i] & 0x7fffffff));
            }

            BinaryPrimitives.WriteUInt16LittleEndian(packet, PolarityType);
            BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(2), 1);  // source
            uint[] fields = [8, 4, (uint)overflow, (uint)count, (uint)count, (uint)count];
            for (int f = 0; f < fields.Length; f++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(4 + (4 * f)), fields[f]);
            }

            stream.Write(packet, 0, HeaderBytes + (8 * count));
            first += count;
        }
    }

    private static int DataStart(string path, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith("#!AER-DAT3.1"u8))
        {
            int shown = Math.Min(12, bytes.Length);
            bool text = shown > 0 && bytes[0] == '#' && bytes[..shown].IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0;
            throw FileErrors.Bad(
                path, "not an AEDAT 3.1 file: it begins with "
                + (text ? Encoding.ASCII.GetString(bytes[..shown]) : "something else than #!AER-DAT3.1"));
        }

        int position = 0;
        while (position < bytes.Length && bytes[position] == '#')
        {
            int end = bytes[position..].IndexOf((byte)'\n');
            if (end < 0)
            {
                break;
            }

            ReadOnlySpan<byte> line = bytes.Slice(position, end).TrimEnd((byte)'\r');
            position += end + 1;
            if (line.SequenceEqual("#!END-HEADER"u8))
            {
                return position;
            }
        }

        throw FileErrors.Bad(path, "the header has no #!END-HEADER: truncated?");
    }

    private static void ReadPolarity(ReadOnlySpan<byte> data, int size, uint overflow, EventList events)
    {
        for (; data.Length > 0; data = data[size..])
        {
            uint address = BinaryPrimitives.ReadUInt32LittleEndian(data);
            long time = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]) | ((long)overflow << 31);
            events.Add(time, (int)((address >> 17) & 0x7fff), (int)((address >> 2) & 0x7fff), (int)((address >> 1) & 1));
        }
    }
}
