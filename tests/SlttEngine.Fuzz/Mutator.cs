using System.Buffers.Binary;

namespace SlttEngine.Fuzz;

/// <summary>Changes files: single bits and bytes, integers, blocks, and parts of other files.</summary>
/// <param name="random">Decides.</param>
internal sealed class Mutator(Random random)
{
    private const int Longest = 1 << 16;

    private static readonly long[] Interesting =
    [
        0, 1, -1, 2, 16, 32, 64, 100, 127, 128, 255, 256, 511, 512, 1000, 1024, 4096, 32767, 32768, 65535, 65536, 100_000_000, int.MaxValue,
        int.MinValue, uint.MaxValue, (long)uint.MaxValue + 1, long.MaxValue, long.MinValue,
    ];

    /// <summary>A changed copy.</summary>
    /// <param name="original">A file.</param>
    /// <param name="others">Files to take parts from.</param>
    internal byte[] Mutate(byte[] original, IReadOnlyList<byte[]> others)
    {
        byte[] bytes = [.. original];
        for (int changes = 1 << random.Next(6); changes > 0; changes--)
        {
            bytes = Change(bytes, others);
        }

        return bytes;
    }

    private byte[] Change(byte[] bytes, IReadOnlyList<byte[]> others)
    {
        if (bytes.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        // The beginning is where headers are.
        int at = random.Next(2) == 0 ? random.Next(Math.Min(bytes.Length, 64)) : random.Next(bytes.Length);
        int length = Math.Min(1 + random.Next(1 + random.Next(64)), bytes.Length - at);
        switch (random.Next(10))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                bytes[at] = (byte)(bytes[at] + random.Next(-35, 36));
                return bytes;
            case 3:
            case 4:
                WriteInteger(bytes.AsSpan(at));
                return bytes;
            case 5:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 6 when bytes.Length < Longest:
                return [.. bytes[..(at + length)], .. bytes[at..]];
            case 7 when bytes.Length < Longest:
                byte[] other = others[random.Next(others.Count)];
                int from = random.Next(other.Length + 1);
                int count = Math.Min(other.Length - from, 1 + random.Next(256));
                return [.. bytes[..at], .. other[from..(from + count)], .. bytes[(random.Next(2) == 0 ? at : at + length)..]];
            case 8:
                return random.Next(8) == 0 ? bytes[..at] : bytes;
            default:
                int to = random.Next(bytes.Length - length + 1);
                bytes.AsSpan(at, length).CopyTo(bytes.AsSpan(to));
                return bytes;
        }
    }

    private void WriteInteger(Span<byte> bytes)
    {
        int width = 1 << random.Next(4);
        if (bytes.Length < width)
        {
            return;
        }

        Span<byte> whole = stackalloc byte[8];
        whole.Clear();
        bytes[..width].CopyTo(whole);
        bool big = random.Next(4) == 0;
        long value = random.Next(2) == 0 ? Interesting[random.Next(Interesting.Length)]
            : BinaryPrimitives.ReadInt64LittleEndian(whole) + random.Next(-35, 36);
        BinaryPrimitives.WriteInt64LittleEndian(whole, value);
        if (big)
        {
            whole[..width].Reverse();
        }

        whole[..width].CopyTo(bytes);
    }
}
