using SkiaSharp;

namespace SlttEngine.Reports;

/// <summary>Pictures as files.</summary>
internal static class PictureFile
{
    private const int JpegQuality = 85;
    private const int ZlibLevel = 6;

    /// <summary>A picture as PNG.</summary>
    /// <param name="picture">The picture.</param>
    internal static byte[] Png(Picture picture) => Png(Rgba(picture), picture.Width, picture.Height);

    /// <summary>Red, green, blue and opacity as PNG.</summary>
    /// <param name="rgba">Height × width × 4 bytes.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    internal static byte[] Png(byte[] rgba, int width, int height) => Encode(
        rgba, width, height, pixels => pixels.Encode(new SKPngEncoderOptions(SKPngEncoderFilterFlags.Sub, ZlibLevel)));

    /// <summary>A picture as JPEG.</summary>
    /// <param name="picture">The picture.</param>
    internal static byte[] Jpeg(Picture picture) => Encode(
        Rgba(picture), picture.Width, picture.Height, pixels => pixels.Encode(
            new SKJpegEncoderOptions(JpegQuality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore)));

    /// <summary>Pictures side by side, in rows, a pixel apart, as one.</summary>
    /// <param name="pictures">Pictures of one size; at least one.</param>
    /// <param name="columns">Pictures a row.</param>
    internal static Picture Sheet(IReadOnlyList<Picture> pictures, int columns)
    {
        (int width, int height) = (pictures[0].Width + 1, pictures[0].Height + 1);
        columns = Math.Min(columns, pictures.Count);
        int rows = (pictures.Count + columns - 1) / columns;
        (int allColumns, int allRows) = ((width * columns) - 1, (height * rows) - 1);
        byte[] rgb = new byte[3 * allColumns * allRows];
        for (int i = 0; i < pictures.Count; i++)
        {
            (int top, int left) = (i / columns * height, i % columns * width);
            for (int y = 0; y < pictures[i].Height; y++)
            {
                pictures[i].Rgb.AsSpan(3 * y * pictures[i].Width, 3 * pictures[i].Width)
                    .CopyTo(rgb.AsSpan(3 * (((top + y) * allColumns) + left)));
            }
        }

        return new Picture(allColumns, allRows, rgb);
    }

    private static byte[] Encode(byte[] rgba, int width, int height, Func<SKPixmap, SKData?> encode)
    {
        using SKImage image = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul), rgba);
        using SKPixmap? pixels = image.PeekPixels();
        using SKData? data = pixels is null ? null : encode(pixels);
        return data?.ToArray() ?? throw new InvalidOperationException($"a picture of {width} × {height} is not encoded");
    }

    private static byte[] Rgba(Picture picture)
    {
        int pixels = picture.Width * picture.Height;
        byte[] rgba = new byte[4 * pixels];
        for (int i = 0; i < pixels; i++)
        {
            picture.Rgb.AsSpan(3 * i, 3).CopyTo(rgba.AsSpan(4 * i));
            rgba[(4 * i) + 3] = byte.MaxValue;
        }

        return rgba;
    }
}
