using SkiaSharp;

namespace SlttEngine.Reports;

/// <summary>Pictures inside a page, as data URIs.</summary>
internal static class PngUri
{
    /// <summary>Larger pictures are photographs, which JPEG makes ten times as small.</summary>
    private const int JpegFrom = 128 * 128;

    /// <summary>A picture of colours.</summary>
    /// <param name="picture">The picture.</param>
    internal static string Of(Picture picture)
    {
        byte[] rgba = new byte[picture.Width * picture.Height * 4];
        for (int i = 0; i < picture.Width * picture.Height; i++)
        {
            picture.Rgb.AsSpan(3 * i, 3).CopyTo(rgba.AsSpan(4 * i));
            rgba[(4 * i) + 3] = 255;
        }

        return Encode(rgba, picture.Width, picture.Height, picture.Width * picture.Height > JpegFrom);
    }

    /// <summary>A picture of red, green, blue and opacity, which stays transparent where nothing is.</summary>
    /// <param name="rgba">Height × width × 4 bytes.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    internal static string Of(byte[] rgba, int width, int height) => Encode(rgba, width, height, jpeg: false);

    private static string Encode(byte[] rgba, int width, int height, bool jpeg)
    {
        using SKImage image = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul), rgba);
        using SKPixmap? pixels = image.PeekPixels();
        using SKData? data = jpeg
            ? pixels?.Encode(new SKJpegEncoderOptions(85, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore))
            : pixels?.Encode(new SKPngEncoderOptions(SKPngEncoderFilterFlags.Sub, 6));
        ReadOnlySpan<byte> bytes = data is null ? [] : data.AsSpan();
        return $"data:image/{(jpeg ? "jpeg" : "png")};base64,{Convert.ToBase64String(bytes)}";
    }
}
