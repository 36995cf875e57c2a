using System.Collections.Concurrent;
using SkiaSharp;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>
/// A folder with a folder of images for each class, as ImageNet's train/ and val/ are unpacked: classes in the order of their folders'
/// names. Training images are cropped, resized and flipped at random, others resized and cropped in the middle, both as torchvision does it
/// (RandomResizedCrop(224), RandomHorizontalFlip; Resize(256), CenterCrop(224)).
/// </summary>
/// <remarks>
/// A sample is (1, 3, 224, 224) bytes. A file that cannot be decoded is a damaged sample: the loader leaves it out. Where random numbers
/// are needed they come from the sample's index and the draw of its epoch alone.
/// </remarks>
public sealed class ImageFolder : IFrameSet
{
    private const int Crop = 224;
    private const int Short = 256;

    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".webp"];

    private readonly (string Path, int Label)[] files;
    private readonly bool augment;
    private readonly ConcurrentDictionary<int, string> damaged = [];

    private ImageFolder((string Path, int Label)[] files, IReadOnlyList<string> classNames, bool augment)
    {
        this.files = files;
        this.augment = augment;
        ClassNames = classNames;
    }

    /// <summary>A cropped image: 224×224, RGB.</summary>
    public static FrameShape CropShape => new(1, 3, Crop, Crop);

    /// <summary>1 / (255 · std) of each channel, with torchvision's standard deviations.</summary>
    public static IReadOnlyList<float> OfficialScale { get; } = [
        (float)(1 / (255 * 0.229)), (float)(1 / (255 * 0.224)), (float)(1 / (255 * 0.225))];

    /// <summary>−mean / std of each channel, with torchvision's numbers.</summary>
    public static IReadOnlyList<float> OfficialShift { get; } = [(float)(-0.485 / 0.229), (float)(-0.456 / 0.224), (float)(-0.406 / 0.225)];

    /// <inheritdoc/>
    public int Count => files.Length;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public string Name => "imagenet";

    /// <inheritdoc/>
    public string Transform => "train: random resized crop 224, random flip; test: resize 256, centre crop 224";

    /// <inheritdoc/>
    public FrameShape Shape => CropShape;

    /// <inheritdoc/>
    public int Classes => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<float> Scale => OfficialScale;

    /// <inheritdoc/>
    public IReadOnlyList<float> Shift => OfficialShift;

    /// <summary>The files left out so far, each with the reason.</summary>
    public IReadOnlyCollection<string> Damaged => [.. damaged.Values];

    /// <summary>Lists the images of one part.</summary>
    /// <param name="folder">The data_dir, which holds train/ and val/.</param>
    /// <param name="train">train/ with random augmentation, else val/.</param>
    /// <exception cref="SlttException">The folder or its class folders are missing, or a class is empty.</exception>
    public static ImageFolder Open(string folder, bool train)
    {
        string part = Path.Combine(folder, train ? "train" : "val");
        try
        {
            string[] classes = Directory.Exists(part) ? [.. Directory.GetDirectories(part).Order(StringComparer.Ordinal)] : [];
            if (classes.Length == 0)
            {
                throw new SlttException(ErrorKind.Data, $"no image folders in {part}: one folder for each class is expected",
                    "unpack ImageNet (ILSVRC2012) from https://www.image-net.org into train/ and val/, val sorted into class folders like "
                        + "train");
            }

            List<(string, int)> files = new List<(string, int)>();
            for (int label = 0; label < classes.Length; label++)
            {
                string[] images = [.. Directory.EnumerateFiles(classes[label], "*", SearchOption.AllDirectories)
                    .Where(f => Extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
                if (images.Length == 0)
                {
                    throw FileErrors.Bad(
                        classes[label], $"a class folder without images ({string.Join(' ', Extensions)})", "remove it or fill it");
                }

                foreach (string image in images)
                {
                    files.Add((image, label));
                }
            }

            return new ImageFolder([.. files], [.. classes.Select(c => Path.GetFileName(c)!)], train);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("list", part, e);
        }
    }

    /// <inheritdoc/>
    public int Label(int index) => files[index].Label;

    /// <inheritdoc/>
    public void Read(int index, ulong draw, Span<byte> frames)
    {
        if (damaged.TryGetValue(index, out string? known))
        {
            throw new DamagedSampleException(known);
        }

        using SKBitmap? bitmap = Decode(files[index].Path, out string? problem);
        if (bitmap is null)
        {
            throw new DamagedSampleException(damaged.GetOrAdd(index, $"{files[index].Path}: {problem}; left out"));
        }

        ReadOnlySpan<byte> pixels = bitmap.GetPixelSpan();
        if (augment)
        {
            Train(pixels, bitmap.Width, bitmap.Height, bitmap.RowBytes, new Philox(draw, (uint)index), frames);
        }
        else
        {
            Evaluate(pixels, bitmap.Width, bitmap.Height, bitmap.RowBytes, frames);
        }
    }

    /// <summary>Resize(256) and CenterCrop(224) of packed RGBA pixels into (3, 224, 224).</summary>
    internal static void Evaluate(ReadOnlySpan<byte> pixels, int width, int height, int rowBytes, Span<byte> frames)
    {
        int outWidth = width <= height ? Short : (int)((long)Short * width / height);
        int outHeight = width <= height ? (int)((long)Short * height / width) : Short;
        BilinearResize resize = new BilinearResize(height, width, outHeight, outWidth);
        byte[] plane = new byte[outWidth * outHeight];
        int left = (int)Math.Round((outWidth - Crop) / 2.0), top = (int)Math.Round((outHeight - Crop) / 2.0);
        for (int c = 0; c < 3; c++)
        {
            resize.Plane(pixels, c, 4, rowBytes, plane);
            for (int y = 0; y < Crop; y++)
            {
                plane.AsSpan(((top + y) * outWidth) + left, Crop).CopyTo(frames[(((c * Crop) + y) * Crop)..]);
            }
        }
    }

    /// <summary>The crop of RandomResizedCrop: 8 to 100 % of the area, aspect 3/4 to 4/3, at a random place.</summary>
    internal static (int Left, int Top, int Width, int Height) RandomCrop(int width, int height, ref Philox random)
    {
        const double LowRatio = 3.0 / 4, HighRatio = 4.0 / 3;
        for (int attempt = 0; attempt < 10; attempt++)
        {
            double area = (double)width * height * random.NextBetween(0.08, 1);
            double ratio = Math.Exp(random.NextBetween(Math.Log(LowRatio), Math.Log(HighRatio)));
            int w = (int)Math.Round(Math.Sqrt(area * ratio)), h = (int)Math.Round(Math.Sqrt(area / ratio));
            if (w > 0 && w <= width && h > 0 && h <= height)
            {
                int top = random.NextBelow(height - h + 1);
                return (random.NextBelow(width - w + 1), top, w, h);
            }
        }

        double whole = (double)width / height;
        int cropWidth = whole > HighRatio ? (int)Math.Round(height * HighRatio) : width;
        int cropHeight = whole < LowRatio ? (int)Math.Round(width / LowRatio) : height;
        return ((width - cropWidth) / 2, (height - cropHeight) / 2, cropWidth, cropHeight);
    }

    private static void Train(ReadOnlySpan<byte> pixels, int width, int height, int rowBytes, Philox random, Span<byte> frames)
    {
        (int left, int top, int w, int h) = RandomCrop(width, height, ref random);
        bool flip = (random.NextUInt32() & 1) == 1;
        BilinearResize resize = new BilinearResize(h, w, Crop, Crop);
        for (int c = 0; c < 3; c++)
        {
            Span<byte> plane = frames.Slice(c * Crop * Crop, Crop * Crop);
            resize.Plane(pixels, (top * rowBytes) + (left * 4) + c, 4, rowBytes, plane);
            for (int y = 0; flip && y < Crop; y++)
            {
                plane.Slice(y * Crop, Crop).Reverse();
            }
        }
    }

    /// <summary>
    /// The image as packed RGBA, as stored (no rotation, no colour management, as PIL does); null with the reason if it is damaged.
    /// </summary>
    private static SKBitmap? Decode(string path, out string? problem)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            problem = FileErrors.Wrap("read", path, e).Message;
            return null;
        }

        using SKData data = SKData.CreateCopy(bytes);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null)
        {
            problem = bytes.Length == 0 ? "empty" : "not an image that can be decoded";
            return null;
        }

        SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        if ((long)info.Width * info.Height > 1 << 28)
        {
            problem = $"{info.Width}×{info.Height} pixels, too large";
            return null;
        }

        if (Math.Max(info.Width, info.Height) / Math.Min(info.Width, info.Height) > 100)
        {
            problem = $"{info.Width}×{info.Height} pixels, too narrow";
            return null;
        }

        SKBitmap bitmap = new SKBitmap(info);
        SKCodecResult result = codec.GetPixels(info, bitmap.GetPixels());
        if (result == SKCodecResult.Success)
        {
            problem = null;
            return bitmap;
        }

        bitmap.Dispose();
        problem = result == SKCodecResult.IncompleteInput ? "truncated" : $"damaged ({result})";
        return null;
    }
}
