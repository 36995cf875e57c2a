using System.Buffers.Binary;

namespace SlttEngine.Data;

/// <summary>
/// Looks at a TIFF file's first directory before LibTiff does: LibTiff believes the sizes there, and would allocate gigabytes for a damaged
/// file of some hundred bytes.
/// </summary>
/// <remarks>
/// "II" or "MM" for the byte order, 42, the directory's offset; there a count, then entries of 12 bytes: tag, type, number of values, and
/// the values or their offset. Source: TIFF 6.0 (Adobe, 1992), section 2.
/// </remarks>
internal static class TiffHeader
{
    /// <summary>No packing of TIFF makes more bytes than about this of one.</summary>
    internal const long MaxGrowth = 1100;

    private const int EntryBytes = 12;
    private const int ShortType = 3, LongType = 4;
    private const int MaxBits = 16, MaxSamples = 4;
    private const int Width = 256, Height = 257, Bits = 258, Samples = 277;
    private const int StripLengths = 279, TileWidth = 322, TileHeight = 323, TileLengths = 325;

    // Bytes of a value by type, from 1 on: byte, text, short, long, rational, signed and other ones, float, double.
    private static ReadOnlySpan<byte> TypeBytes => [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

    /// <summary>Why the directory can't be that of a whole file; null if it can.</summary>
    /// <param name="bytes">The file, which begins as TIFF does.</param>
    internal static string? Problem(ReadOnlySpan<byte> bytes)
    {
        const string Damaged = "a damaged TIFF file";
        bool big = bytes[0] == 'M';
        long at = bytes.Length < 8 ? bytes.Length : Long(bytes[4..], big);
        int entries = at + 2 > bytes.Length ? ushort.MaxValue : Short(bytes[(int)at..], big);
        if (at + 2 + ((long)entries * EntryBytes) > bytes.Length)
        {
            return Damaged;
        }

        Dictionary<int, long> values = [];
        for (int i = 0; i < entries; i++)
        {
            ReadOnlySpan<byte> entry = bytes.Slice((int)at + 2 + (i * EntryBytes), EntryBytes);
            int type = Short(entry[2..], big);
            long count = Long(entry[4..], big);
            int size = type >= 1 && type <= TypeBytes.Length ? TypeBytes[type - 1] : 1;
            if (count * size > bytes.Length)
            {
                return Damaged;
            }

            // The first value, and all lengths of packed parts; numbers of more than four bytes are of no interest here.
            ReadOnlySpan<byte> value = entry[8..];
            if (count * size > 4)
            {
                long offset = Long(value, big);
                if (offset + (count * size) > bytes.Length)
                {
                    return Damaged;
                }

                value = bytes[(int)offset..];
            }

            int tag = Short(entry, big);
            bool isLength = tag is StripLengths or TileLengths;
            if (isLength && type is not (ShortType or LongType))
            {
                return Damaged;
            }

            for (int v = 0; v < (isLength ? count : Math.Min(count, 1)); v++)
            {
                ReadOnlySpan<byte> from = value[(v * size)..];
                long number = size switch { 1 => from[0], 2 => Short(from, big), 4 => Long(from, big), _ => 0 };
                if ((v == 0 && !values.TryAdd(tag, number)) || (isLength && number > bytes.Length))
                {
                    return Damaged;
                }
            }
        }

        long width = values.GetValueOrDefault(Width), height = values.GetValueOrDefault(Height);
        double limit = 8.0 * MaxGrowth * bytes.Length; // pixels of one bit
        double tile = (double)values.GetValueOrDefault(TileWidth) * values.GetValueOrDefault(TileHeight);
        return ImageFile.SizeProblem(width, height) ?? (width * height > limit || tile > limit
            ? $"{width}×{height} pixels cannot come of {bytes.Length} bytes: damaged?"
            : values.GetValueOrDefault(Bits, 1) > MaxBits || values.GetValueOrDefault(Samples, 1) > MaxSamples
                ? "a TIFF image of a kind that is not read" : null);
    }

    private static int Short(ReadOnlySpan<byte> bytes, bool big) =>
        big ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static long Long(ReadOnlySpan<byte> bytes, bool big) =>
        big ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
