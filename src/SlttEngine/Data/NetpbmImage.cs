using System.Globalization;

namespace SlttEngine.Data;

/// <summary>Decodes PGM and PPM images of up to 8 bits a sample, as text (P2, P3) or raw (P5, P6).</summary>
/// <remarks>
/// A header of words, apart by white space: P2, P3, P5 or P6, width, height, largest value; '#' begins a comment up to the line's end. One
/// white space follows, then the samples row by row. They are scaled to 0…255. Source: the manual pages ppm(5) and pgm(5)
/// of Netpbm.
/// </remarks>
internal static class NetpbmImage
{
    /// <summary>True for the first bytes of such a file.</summary>
    internal static bool Is(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 2 && bytes[0] == 'P' && bytes[1] is (byte)'2' or (byte)'3' or (byte)'5' or (byte)'6' && IsSpace(bytes[2]);

    /// <summary>The image; null with the reason if it is damaged.</summary>
    internal static PixelImage? Decode(ReadOnlySpan<byte> bytes, out string? problem)
    {
        bool text = bytes[1] is (byte)'2' or (byte)'3';
        int channels = bytes[1] is (byte)'3' or (byte)'6' ? 3 : 1;
        int position = 2;
        if (Word(bytes, ref position) is not { } width || Word(bytes, ref position) is not { } height
            || Word(bytes, ref position) is not { } largest)
        {
            problem = "damaged: the header is not a width, a height and a largest value";
            return null;
        }

        problem = ImageFile.SizeProblem(width, height)
            ?? (largest is < 1 or > 255 ? $"samples up to {largest}: only 8 bits a sample are read" : null);
        if (problem is not null)
        {
            return null;
        }

        position++;
        // A sample in text takes a digit and what parts it from the next.
        if (bytes.Length - position < ((long)width * height * channels * (text ? 2 : 1)) - (text ? 1 : 0))
        {
            problem = "truncated";
            return null;
        }

        byte[] pixels = new byte[width * height * 4];
        for (int pixel = 0; pixel < width * height; pixel++)
        {
            for (int c = 0; c < 3; c++)
            {
                int sample = c >= channels ? pixels[4 * pixel] : text ? Word(bytes, ref position) ?? -1 : bytes[position++];
                if (sample < 0 || sample > (c < channels ? largest : 255))
                {
                    problem = sample < 0 ? "truncated, or no number" : $"damaged: a sample of {sample}, where the largest is {largest}";
                    return null;
                }

                pixels[(4 * pixel) + c] = c >= channels || largest == 255 ? (byte)sample : (byte)Math.Round(sample * 255.0 / largest);
            }
        }

        return new PixelImage(pixels, width, height);
    }

    /// <summary>The next number; null if there is none.</summary>
    private static int? Word(ReadOnlySpan<byte> bytes, ref int position)
    {
        position = Math.Min(position, bytes.Length);
        while (position < bytes.Length && (IsSpace(bytes[position]) || bytes[position] == '#'))
        {
            int line = bytes[position] == '#' ? bytes[position..].IndexOfAny((byte)'\n', (byte)'\r') : 0;
            position = line < 0 ? bytes.Length : position + line + 1;
        }

        int start = position;
        while (position < bytes.Length && bytes[position] is >= (byte)'0' and <= (byte)'9')
        {
            position++;
        }

        return int.TryParse(bytes[start..position], NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
    }

    private static bool IsSpace(byte value) => value is (byte)' ' or >= 9 and <= 13;
}
