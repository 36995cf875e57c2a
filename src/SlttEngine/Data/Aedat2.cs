using System.Buffers.Binary;
using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>Reads AEDAT 2.0 recordings of a DVS128 camera, as DVS-CIFAR10 has them.</summary>
/// <remarks>
/// Lines that begin with '#', then big-endian pairs (address, time in µs) of 4 bytes each:
/// x = 127 − ((a &amp; 0xfe) &gt;&gt; 1), y = (a &amp; 0x7f00) &gt;&gt; 8, p = 1 − (a &amp; 1), as the official SLTT programs read them.
/// </remarks>
public static class Aedat2
{
    /// <summary>Reads a recording.</summary>
    /// <exception cref="SlttException">The file cannot be read, is not AEDAT 2.0, or ends within an event.</exception>
    public static EventList Read(string path)
    {
        byte[] bytes = FileErrors.ReadAll(path);
        if (!bytes.AsSpan().StartsWith("#!AER-DAT2.0"u8))
        {
            throw FileErrors.Bad(path, "not an AEDAT 2.0 file: it does not begin with #!AER-DAT2.0");
        }

        ReadOnlySpan<byte> data = bytes.AsSpan(HeaderLength(bytes));
        if (data.Length % 8 != 0)
        {
            throw FileErrors.Bad(path, $"{data.Length} bytes behind the header are not a whole number of 8-byte events: truncated?");
        }

        EventList events = new EventList(data.Length / 8);
        int foreign = 0;
        for (int i = 0; i < data.Length; i += 8)
        {
            uint address = BinaryPrimitives.ReadUInt32BigEndian(data[i..]);
            uint time = BinaryPrimitives.ReadUInt32BigEndian(data[(i + 4)..]);
            foreign += address > ushort.MaxValue ? 1 : 0;
            events.Add(time, 127 - (int)((address & 0xfe) >> 1), (int)((address & 0x7f00) >> 8), 1 - (int)(address & 1));
        }

        // A stray address is read as the official programs do; a DAVIS camera's are all beyond 16 bits.
        if (foreign > events.Count / 100)
        {
            throw FileErrors.Bad(
                path, $"{foreign} of {events.Count} events have addresses beyond 16 bits: a recording of another camera than DVS128",
                "DVS-CIFAR10's recordings are of a DVS128, 128×128 pixels");
        }

        return events;
    }

    /// <summary>The header ends before the first line that is not UTF-8 or, white space apart, does not begin with '#'.</summary>
    private static int HeaderLength(ReadOnlySpan<byte> bytes)
    {
        UTF8Encoding utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);
        int length = 0;
        while (length < bytes.Length)
        {
            int end = bytes[length..].IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = bytes.Slice(length, end < 0 ? bytes.Length - length : end + 1);
            try
            {
                // U+001C to U+001F are white space to the official reader, though not to .NET.
                ReadOnlySpan<char> text = utf8.GetString(line).AsSpan();
                while (text.Length > 0 && (char.IsWhiteSpace(text[0]) || text[0] is >= '\x1c' and <= '\x1f'))
                {
                    text = text[1..];
                }

                if (text.Length == 0 || text[0] != '#')
                {
                    break;
                }
            }
            catch (DecoderFallbackException)
            {
                break;
            }

            length += line.Length;
        }

        return length;
    }
}
