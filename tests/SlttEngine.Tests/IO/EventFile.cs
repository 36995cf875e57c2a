using System.Buffers.Binary;
using System.Text;

namespace SlttEngine.Tests.IO;

/// <summary>Reads TensorBoard's event files: a parser written from the format's description, apart from the writer.</summary>
internal static class EventFile
{
    /// <summary>The values of a file in order: tag, step, and the value's fields by number.</summary>
    internal static List<(string Tag, long Step, Dictionary<int, object> Value)> Values(string path) =>
    [
        .. Records(File.ReadAllBytes(path)).Select(Fields).Where(e => e.ContainsKey(5)).Select(e =>
        {
            Dictionary<int, object> value = Fields((byte[])Fields((byte[])e[5])[1]);
            return (Encoding.UTF8.GetString((byte[])value[1]), e.TryGetValue(2, out object? step) ? (long)(ulong)step : 0, value);
        }),
    ];

    /// <summary>The records of a file, whose checksums are right.</summary>
    internal static IEnumerable<byte[]> Records(byte[] file)
    {
        for (int offset = 0; offset < file.Length;)
        {
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(offset));
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(offset + 8)), Is.EqualTo(Masked(file.AsSpan(offset, 8))));
            byte[] data = file[(offset + 12)..(offset + 12 + length)];
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(offset + 12 + length)), Is.EqualTo(Masked(data)));
            offset += 16 + length;
            yield return data;
        }
    }

    /// <summary>Bit by bit, from the polynomial.</summary>
    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
            }
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    /// <summary>A message's fields by number; of a repeated one the last.</summary>
    internal static Dictionary<int, object> Fields(byte[] message)
    {
        Dictionary<int, object> fields = new Dictionary<int, object>();
        for (int i = 0; i < message.Length;)
        {
            ulong key = Varint(message, ref i);
            int field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    fields[field] = Varint(message, ref i);
                    break;
                case 1:
                    fields[field] = BitConverter.ToDouble(message, i);
                    i += 8;
                    break;
                case 2:
                    int length = (int)Varint(message, ref i);
                    fields[field] = message[i..(i + length)];
                    i += length;
                    break;
                default:
                    fields[field] = BitConverter.ToSingle(message, i);
                    i += 4;
                    break;
            }
        }

        return fields;
    }

    /// <summary>A packed field of doubles.</summary>
    internal static double[] Doubles(object packed) =>
        [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>((byte[])packed)];

    private static ulong Varint(byte[] message, ref int i)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = message[i++];
            value |= (ulong)(b & 127) << shift;
            if (b < 128)
            {
                return value;
            }
        }
    }
}
