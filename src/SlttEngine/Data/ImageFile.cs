using SkiaSharp;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>
/// Decodes image files: the formats of torchvision's image folders. JPEG, PNG, BMP and WebP by Skia, whatever the ending; PPM, PGM
/// (<see cref="NetpbmImage"/>) and TIFF (<see cref="TiffImage"/>) by their first bytes.
/// </summary>
internal static class ImageFile
{
    private const long MaxPixels = 1 << 28;
    private const int MaxAspect = 100;

    /// <summary>torchvision's endings.</summary>
    internal static IReadOnlyList<string> Endings { get; } =
        [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];

    /// <summary>True for a file that is read as an image: torchvision's endings, in capitals or not.</summary>
    internal static bool HasEnding(string path) => Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>True if the file begins as an image that can be decoded; its pixels may still be damaged.</summary>
    internal static bool CanDecode(string path)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            if (NetpbmImage.Is(bytes) || TiffImage.Is(bytes))
            {
                using PixelImage? image = Decode(bytes, out _);
                return image is not null;
            }

            using SKData data = SKData.CreateCopy(bytes);
            using SKCodec? codec = SKCodec.Create(data);
            return codec is not null;
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return false;
        }
    }

    /// <summary>
    /// The image as packed RGBA, as stored (no rotation, no colour management, as PIL does); null with the reason if it is damaged.
    /// </summary>
    internal static PixelImage? Decode(string path, out string? problem)
    {
        try
        {
            return Decode(File.ReadAllBytes(path), out problem);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            problem = FileErrors.Wrap("read", path, e).Message;
            return null;
        }
    }

    /// <summary>Why an image of that size is not decoded; null if it is.</summary>
    internal static string? SizeProblem(long width, long height) =>
        width < 1 || height < 1 ? "no pixels"
        : width > MaxPixels || height > MaxPixels || width * height > MaxPixels ? $"{width}×{height} pixels, too large"
        : Math.Max(width, height) / Math.Min(width, height) > MaxAspect ? $"{width}×{height} pixels, too narrow"
        : null;

    private static PixelImage? Decode(byte[] bytes, out string? problem) => NetpbmImage.Is(bytes) ? NetpbmImage.Decode(bytes, out problem)
        : TiffImage.Is(bytes) ? TiffImage.Decode(bytes, out problem)
        : DecodeBySkia(bytes, out problem);

    private static PixelImage? DecodeBySkia(byte[] bytes, out string? problem)
    {
        using SKData data = SKData.CreateCopy(bytes);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null)
        {
            problem = bytes.Length == 0 ? "empty" : "not an image that can be decoded";
            return null;
        }

        SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        problem = SizeProblem(info.Width, info.Height);
        if (problem is not null)
        {
            return null;
        }

        SKBitmap bitmap = new SKBitmap(info);
        SKCodecResult result = codec.GetPixels(info, bitmap.GetPixels());
        if (result == SKCodecResult.Success)
        {
            return new PixelImage(bitmap);
        }

        bitmap.Dispose();
        problem = result == SKCodecResult.IncompleteInput ? "truncated" : $"damaged ({result})";
        return null;
    }
}

/// <summary>A decoded image: packed RGBA, in Skia's memory or in an array.</summary>
internal sealed class PixelImage : IDisposable
{
    private readonly SKBitmap? bitmap;
    private readonly byte[] array = [];

    /// <summary>An image in Skia's memory, which goes with it.</summary>
    internal PixelImage(SKBitmap bitmap) => (this.bitmap, Width, Height, RowBytes) = (bitmap, bitmap.Width, bitmap.Height, bitmap.RowBytes);

    /// <summary>An image in an array, row after row.</summary>
    internal PixelImage(byte[] rgba, int width, int height) => (array, Width, Height, RowBytes) = (rgba, width, height, 4 * width);

    internal int Width { get; }

    internal int Height { get; }

    /// <summary>From a row to the next.</summary>
    internal int RowBytes { get; }

    /// <summary>4 bytes a pixel; the last one, alpha, has no meaning here.</summary>
    internal ReadOnlySpan<byte> Pixels => bitmap is null ? array : bitmap.GetPixelSpan();

    public void Dispose() => bitmap?.Dispose();
}
