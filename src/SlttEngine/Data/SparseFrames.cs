using System.Runtime.InteropServices;

namespace SlttEngine.Data;

/// <summary>Packs frames of counts, which are mostly 0 and 1, into about a byte a non-zero element.</summary>
/// <remarks>
/// Byte 0: 0 raw, 1 packed. Packed: for each non-zero element a token, its upper 6 bits the number of zeros before it (63: 63 more than the
/// variable-length number that follows), its lower 2 bits the value (0: the variable-length number that follows, after the gap's).
/// Variable-length numbers are base 128, low digits first, the top bit meaning that more follow.
/// </remarks>
internal static class SparseFrames
{
    /// <summary>Packs elements of 1 or 2 bytes; as they are, if packing does not help.</summary>
    internal static byte[] Pack(ReadOnlySpan<byte> frames, int elementSize)
    {
        List<byte> packed = new List<byte>(frames.Length / 8) { 1 };
        int gap = 0;
        int count = frames.Length / elementSize;
        for (int i = 0; i < count && packed.Count <= frames.Length; i++)
        {
            int value = elementSize == 1 ? frames[i] : MemoryMarshal.Read<ushort>(frames[(2 * i)..]);
            if (value == 0)
            {
                gap++;
                continue;
            }

            packed.Add((byte)((Math.Min(gap, 63) << 2) | (value <= 3 ? value : 0)));
            if (gap >= 63)
            {
                Number(packed, gap - 63);
            }

            if (value > 3)
            {
                Number(packed, value);
            }

            gap = 0;
        }

        return packed.Count <= frames.Length ? [.. packed] : [0, .. frames];
    }

    /// <summary>Unpacks into exactly <paramref name="frames"/>.</summary>
    /// <returns>False if the bytes are not what <see cref="Pack"/> makes.</returns>
    internal static bool TryUnpack(ReadOnlySpan<byte> packed, int elementSize, Span<byte> frames)
    {
        if (packed.Length == 0 || packed[0] > 1)
        {
            return false;
        }

        if (packed[0] == 0)
        {
            if (packed.Length != frames.Length + 1)
            {
                return false;
            }

            packed[1..].CopyTo(frames);
            return true;
        }

        frames.Clear();
        Span<ushort> wide = elementSize == 2 ? MemoryMarshal.Cast<byte, ushort>(frames) : default;
        int count = frames.Length / elementSize;
        int position = 0;
        for (int i = 1; i < packed.Length;)
        {
            int token = packed[i++];
            int gap = token >> 2;
            int value = token & 3;
            if (gap == 63)
            {
                if (!TryNumber(packed, ref i, out int more))
                {
                    return false;
                }

                gap += more;
            }

            if (value == 0 && !TryNumber(packed, ref i, out value))
            {
                return false;
            }

            position += gap;
            if ((uint)position >= (uint)count || value > (elementSize == 1 ? byte.MaxValue : ushort.MaxValue))
            {
                return false;
            }

            if (elementSize == 2)
            {
                wide[position++] = (ushort)value;
            }
            else
            {
                frames[position++] = (byte)value;
            }
        }

        return true;
    }

    private static void Number(List<byte> packed, int value)
    {
        for (; value >= 128; value >>= 7)
        {
            packed.Add((byte)(value | 128));
        }

        packed.Add((byte)value);
    }

    private static bool TryNumber(ReadOnlySpan<byte> packed, ref int i, out int value)
    {
        value = 0;
        for (int shift = 0; shift < 28 && i < packed.Length; shift += 7)
        {
            int digit = packed[i++];
            value |= (digit & 127) << shift;
            if (digit < 128)
            {
                return true;
            }
        }

        return false;
    }
}
