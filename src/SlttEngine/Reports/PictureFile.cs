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
}
