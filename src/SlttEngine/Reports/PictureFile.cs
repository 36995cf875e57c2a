using SkiaSharp;

namespace SlttEngine.Reports;

/// <summary>Pictures as files.</summary>
internal static class PictureFile
{
    /// <summary>A picture as PNG.</summary>
    /// <param name="picture">The picture.</param>
    internal static byte[] Png(Picture picture)
    {
        int pixels = picture.Width * picture.Height;
        byte[] rgba = new byte[4 * pixels];
        for (int i = 0; i < pixels; i++)
        {
            picture.Rgb.AsSpan(3 * i, 3).CopyTo(rgba.AsSpan(4 * i));
            rgba[(4 * i) + 3] = byte.MaxValue;
        }

        SKImageInfo info = new(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using SKImage image = SKImage.FromPixelCopy(info, rgba);
        using SKData data = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

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
}
