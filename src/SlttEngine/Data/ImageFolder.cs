using System.Collections.Concurrent;
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

    /// <summary>The shorter side of a test image before it is cropped.</summary>
    internal const int Short = 256;

    private readonly (string Path, int Label)[] files;
    private readonly bool augment;
    private readonly ConcurrentDictionary<int, string> damaged = [];

    private ImageFolder((string Path, int Label)[] files, PartContents contents, bool augment)
    {
        (this.files, this.augment) = (files, augment);
        Contents = contents;
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
    public IReadOnlyList<string> ClassNames => Contents.ClassNames;

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

    /// <inheritdoc/>
    public IReadOnlyList<string> Warnings => Contents.Warnings;

    /// <summary>The images by class, and what is missing.</summary>
    internal PartContents Contents { get; }

    /// <summary>Opens one part. The classes are the folders of train/ for both parts, so that a label means the same in both.</summary>
    /// <param name="folder">The data_dir, which holds train/ and val/.</param>
    /// <param name="train">train/ with random augmentation, else val/.</param>
    /// <param name="allowIncomplete">Take what is there of a part that is incomplete.</param>
    /// <exception cref="SlttException">The folder or its class folders are missing, or the part is incomplete: a class without images that
    /// can be decoded, images of one class alone, or other classes than those of train/.</exception>
    public static ImageFolder Open(string folder, bool train, bool allowIncomplete = false)
    {
        ImageFolder images = List(folder, train);
        images.Contents.Require(allowIncomplete);
        return images;
    }

    private static bool IsLinkTo(string path, string other)
    {
        static string Real(string path) => new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName
            ?? Path.GetFullPath(path);
        return Directory.Exists(path) && Directory.Exists(other) && Real(path) == Real(other);
    }

    /// <summary>Lists the images of one part, complete or not.</summary>
    /// <exception cref="SlttException">The folder or its class folders are missing.</exception>
    internal static ImageFolder List(string folder, bool train)
    {
        string place = Path.Combine(folder, train ? "train" : "val");
        if (!train && IsLinkTo(place, Path.Combine(folder, "train")))
        {
            throw new SlttException(
                ErrorKind.Data, $"{place} is a link to the training images", "give the validation images, sorted into folders like train");
        }

        string[] here = Directory.Exists(place) ? DataFolder.Folders(place) : [];
        if (here.Length == 0)
        {
            int loose = Directory.Exists(place) ? DataFolder.Files(place).Count(ImageFile.HasEnding) : 0;
            throw new SlttException(ErrorKind.Data, $"no image folders in {place}: one folder for each class is expected"
                + (loose > 0 ? $", but {loose} images lie there without one" : string.Empty),
                "unpack ImageNet (ILSVRC2012) from https://www.image-net.org into train/ and val/, val sorted into class folders like "
                    + "train");
        }

        string reference = Path.Combine(folder, "train");
        string[] classes = train || !Directory.Exists(reference) ? here : DataFolder.Folders(reference);
        string[] names = [.. (classes.Length > 0 ? classes : here).Select(c => Path.GetFileName(c)!)];
        string[] present = [.. here.Select(c => Path.GetFileName(c)!)];
        PartContents contents = new(place, "image folders", train, "images", names);
        contents.AddFault("no folder for classes of train/", [.. names.Except(present)]);
        contents.AddFault("class folders that train/ has not, left out", [.. present.Except(names)]);
        foreach (string path in DataFolder.Files(place))
        {
            if (DataFolder.IsBrokenLink(path))
            {
                contents.AddFault($"{Path.GetFileName(path)} is a link to a folder that is not there");
            }
            else
            {
                contents.AddUnread(path);
            }
        }

        List<(string, int)> files = new List<(string, int)>();
        List<string> undecodable = [];
        for (int label = 0; label < names.Length; label++)
        {
            List<string> images = [];
            string path = Path.Combine(place, names[label]);
            if (Directory.Exists(path))
            {
                foreach (string file in DataFolder.AllFiles(path))
                {
                    if (ImageFile.HasEnding(file))
                    {
                        images.Add(file);
                    }
                    else
                    {
                        contents.AddUnread(file);
                    }
                }
            }

            images.Sort(StringComparer.Ordinal);
            if (images.Count > 0 && !images.Exists(ImageFile.CanDecode))
            {
                undecodable.Add($"{names[label]} ({PartContents.Number(images.Count)})");
                continue;
            }

            foreach (string image in images)
            {
                files.Add((image, label));
                contents.Add(label);
            }
        }

        contents.AddFault("classes of which no image can be decoded, left out", undecodable);
        return new ImageFolder([.. files], contents, train);
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

        PixelImage? image = ImageFile.Decode(files[index].Path, out string? problem);
        if (image is null)
        {
            throw new DamagedSampleException(damaged.GetOrAdd(index, $"{files[index].Path}: {problem}; left out"));
        }

        using (image)
        {
            if (augment)
            {
                Train(image.Pixels, image.Width, image.Height, image.RowBytes, new Philox(draw, (uint)index), frames);
            }
            else
            {
                CentreCrop(image, Short, Crop, frames);
            }
        }
    }

    /// <summary>torchvision's Resize(shortSide) and CenterCrop(crop).</summary>
    /// <param name="image">The image.</param>
    /// <param name="shortSide">Pixels that its shorter side is resized to.</param>
    /// <param name="crop">Rows and columns that are left, at most <paramref name="shortSide"/>.</param>
    /// <param name="frames">Receives (3, crop, crop).</param>
    internal static void CentreCrop(PixelImage image, int shortSide, int crop, Span<byte> frames)
    {
        (int width, int height) = (image.Width, image.Height);
        int outWidth = width <= height ? shortSide : (int)((long)shortSide * width / height);
        int outHeight = width <= height ? (int)((long)shortSide * height / width) : shortSide;
        BilinearResize resize = new BilinearResize(height, width, outHeight, outWidth);
        byte[] plane = new byte[outWidth * outHeight];
        int left = (int)Math.Round((outWidth - crop) / 2.0), top = (int)Math.Round((outHeight - crop) / 2.0);
        for (int c = 0; c < 3; c++)
        {
            resize.Plane(image.Pixels, c, 4, image.RowBytes, plane);
            for (int y = 0; y < crop; y++)
            {
                plane.AsSpan(((top + y) * outWidth) + left, crop).CopyTo(frames[(((c * crop) + y) * crop)..]);
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
}
