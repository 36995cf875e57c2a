using System.IO.Hashing;
using SkiaSharp;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>Image folders: resizing as the Python Imaging Library does it, crops as torchvision does them, damaged files.</summary>
public sealed class ImageFolderTests
{
    // CRC-32 of what PIL 9.4 makes of the pattern below (Image.resize with BILINEAR), packed RGB.
    [TestCase(37, 53, 11, 17, 0xbe4da6ffu)]
    [TestCase(53, 37, 224, 224, 0x6315d42du)]
    [TestCase(500, 375, 341, 256, 0x952eed11u)]
    [TestCase(64, 64, 64, 32, 0x2cb95ba1u)]
    [TestCase(1, 5, 3, 2, 0x5f5d31f0u)]
    [TestCase(300, 200, 224, 224, 0xd32cd60au)]
    public void Resizing_gives_the_same_bytes_as_pil(int width, int height, int outWidth, int outHeight, uint crc)
    {
        byte[] pixels = Pattern(width, height);
        BilinearResize resize = new BilinearResize(height, width, outHeight, outWidth);
        byte[] packed = new byte[outWidth * outHeight * 3];
        byte[] plane = new byte[outWidth * outHeight];
        for (int c = 0; c < 3; c++)
        {
            resize.Plane(pixels, c, 4, width * 4, plane);
            for (int i = 0; i < plane.Length; i++)
            {
                packed[(3 * i) + c] = plane[i];
            }
        }

        Assert.That(Crc32.HashToUInt32(packed), Is.EqualTo(crc));
    }

    // CRC-32 of torchvision 0.14's Resize(256), CenterCrop(224) of the pattern.
    [TestCase(500, 375, 0xbc01b343u)]
    [TestCase(300, 700, 0x51f8d027u)]
    [TestCase(256, 256, 0xad269c95u)]
    [TestCase(333, 257, 0x428df97au)]
    public void Evaluation_gives_the_same_bytes_as_torchvision(int width, int height, uint crc)
    {
        using TemporaryFolder folder = new TemporaryFolder();
        WriteImage(folder, "val/a/image.png", width, height, SKEncodedImageFormat.Png);
        ImageFolder set = ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true);
        byte[] frames = new byte[set.Shape.Length];
        set.Read(0, 0, frames);
        byte[] packed = [
            .. Enumerable.Range(0, 224 * 224).SelectMany(i => new[] { frames[i], frames[(224 * 224) + i], frames[(2 * 224 * 224) + i] })];
        Assert.That(Crc32.HashToUInt32(packed), Is.EqualTo(crc));
    }

    [Test]
    public void Random_crops_are_inside_and_cover_what_they_should()
    {
        Philox random = new Philox(1, 2);
        double smallest = 1, largest = 0;
        for (int i = 0; i < 20_000; i++)
        {
            (int left, int top, int width, int height) = ImageFolder.RandomCrop(500, 375, ref random);
            Assert.That(
                left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= 500
                && top + height <= 375, $"{left} {top} {width} {height}");
            double area = width * height / (500.0 * 375), ratio = (double)width / height;
            Assert.That(ratio, Is.InRange(0.74, 1.35));
            (smallest, largest) = (Math.Min(smallest, area), Math.Max(largest, area));
        }

        Assert.That(smallest, Is.InRange(0.078, 0.09));
        Assert.That(largest, Is.InRange(0.95, 1.0));
        (int l, int t, int w, int h) = ImageFolder.RandomCrop(1000, 10, ref random);
        Assert.That((l, t, w, h), Is.EqualTo((493, 0, 13, 10)), "nothing fits: the middle");
    }

    [Test]
    public void Training_images_depend_on_index_and_draw_alone()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        WriteImage(folder, "train/b/1.jpg", 300, 260, SKEncodedImageFormat.Jpeg);
        WriteImage(folder, "train/a/2.JPEG", 260, 300, SKEncodedImageFormat.Jpeg);
        WriteImage(folder, "train/a/1.webp", 260, 300, SKEncodedImageFormat.Webp);
        folder.Write("train/a/readme.txt", [1]);
        ImageFolder set = ImageFolder.Open(folder.FullName, train: true, allowIncomplete: true);
        Assert.That(set.Count, Is.EqualTo(3));
        Assert.That(set.ClassNames, Is.EqualTo(new[] { "a", "b" }));
        Assert.That(Enumerable.Range(0, 3).Select(set.Label), Is.EqualTo(new[] { 0, 0, 1 }));
        byte[] Read(int index, ulong draw)
        {
            byte[] frames = new byte[set.Shape.Length];
            set.Read(index, draw, frames);
            return frames;
        }

        Assert.That(Read(1, 5).AsSpan().SequenceEqual(Read(1, 5)));
        Assert.That(Read(1, 5).AsSpan().SequenceEqual(Read(1, 6)), Is.False);
        Assert.That(set.Damaged, Is.Empty);
    }

    [Test]
    public void A_decoded_photograph_is_the_image()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        using (SKBitmap bitmap = new SKBitmap(new SKImageInfo(400, 300, SKColorType.Rgba8888, SKAlphaType.Opaque)))
        {
            bitmap.Erase(new SKColor(200, 100, 50));
            folder.Write("val/a/flat.jpg", bitmap.Encode(SKEncodedImageFormat.Jpeg, 95).ToArray());
        }

        ImageFolder set = ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true);
        byte[] frames = new byte[set.Shape.Length];
        set.Read(0, 0, frames);
        Assert.That(frames[..(224 * 224)], Is.All.InRange(198, 202));
        Assert.That(frames[(224 * 224)..(2 * 224 * 224)], Is.All.InRange(98, 102));
        Assert.That(frames[(2 * 224 * 224)..], Is.All.InRange(48, 52));
        Assert.That((200 * set.Scale[0]) + set.Shift[0], Is.EqualTo(((200 / 255.0) - 0.485) / 0.229).Within(1e-5));
    }

    [Test]
    public void Damaged_files_are_left_out_and_reported_once()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        WriteImage(folder, "val/a/1.jpg", 300, 260, SKEncodedImageFormat.Jpeg);
        WriteImage(folder, "val/a/5.jpg", 300, 260, SKEncodedImageFormat.Jpeg);
        byte[] whole = File.ReadAllBytes(folder["val", "a", "1.jpg"]);
        folder.Write("val/a/2.jpg", whole.AsSpan(0, whole.Length / 2));
        folder.Write("val/a/3.jpg", []);
        folder.Write("val/a/4.jpg", "this is no image"u8);
        List<string> lines = new List<string>();
        ImageFolder set = ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true);
        using BatchLoader loader = new BatchLoader(set, new BatchLoaderOptions { BatchSize = 5, Workers = 1, Damaged = lines.Add });
        for (int epoch = 0; epoch < 2; epoch++)
        {
            loader.Start(epoch);
            Assert.That(loader.Next()!.Indices.ToArray(), Is.EqualTo(new[] { 0, 4 }));
        }

        Assert.That(lines, Has.Count.EqualTo(3));
        Assert.That(set.Damaged, Has.Count.EqualTo(3));
        Assert.That(lines[0], Does.Contain("2.jpg").And.Contain("truncated"));
        Assert.That(lines[1], Does.Contain("3.jpg").And.Contain("empty"));
    }

    [Test]
    public void A_thorough_look_at_a_folder_counts_damaged_files()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        foreach (string part in (string[])["train", "val"])
        {
            WriteImage(folder, $"{part}/a/1.jpg", 300, 260, SKEncodedImageFormat.Jpeg);
            WriteImage(folder, $"{part}/b/1.jpg", 300, 260, SKEncodedImageFormat.Jpeg);
        }

        string bad = folder.Write("val/b/0.jpg", "no image"u8);
        Assert.That(DataSets.Find("imagenet").Inspect(folder.FullName, thorough: false)[1].SamplesByClass, Is.EqualTo(new[] { 1, 2 }));
        IReadOnlyList<DataSetPart> parts = DataSets.Find("imagenet").Inspect(folder.FullName, thorough: true);
        Assert.That((parts[0].Samples, parts[0].BadFiles, parts[0].FirstProblem), Is.EqualTo((2, 0, (string?)null)));
        Assert.That(parts[1].SamplesByClass, Is.EqualTo(new[] { 1, 1 }));
        Assert.That(parts[1].BadFiles, Is.EqualTo(1));
        Assert.That(parts[1].FirstProblem, Does.StartWith(bad));
    }

    [Test]
    public void Mutated_images_never_surprise()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        foreach (SKEncodedImageFormat format in (SKEncodedImageFormat[])[SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png])
        {
            WriteImage(folder, "val/a/1.jpg", 60, 40, format);
            ImageFolder set = ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true);
            byte[] frames = new byte[set.Shape.Length];
            Mutations.Check(File.ReadAllBytes(folder["val", "a", "1.jpg"]), path =>
            {
                File.Copy(path, folder["val", "a", "1.jpg"], overwrite: true);
                ImageFolder.Open(folder.FullName, train: false, allowIncomplete: true).Read(0, 0, frames);
            }, cases: 100, headBytes: 700);
        }
    }

    [Test]
    public void Missing_folders_are_named()
    {
        using TemporaryFolder folder = new TemporaryFolder();
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: true))!.Message, Does.Contain(folder["train"]));
        Directory.CreateDirectory(folder["train", "empty"]);
        Assert.That(
            Assert.Throws<SlttException>(() => ImageFolder.Open(folder.FullName, train: true, allowIncomplete: true))!.Message,
            Does.StartWith($"{folder["train"]}: the training part of image folders holds no images"));
    }

    /// <summary>Packed RGBA, channel c of (x, y) is (7x + 13y + 50c + xy mod 31) mod 256.</summary>
    private static byte[] Pattern(int width, int height)
    {
        byte[] pixels = new byte[width * height * 4];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                for (int c = 0; c < 4; c++)
                {
                    pixels[(((y * width) + x) * 4) + c] = c == 3 ? (byte)255 : (byte)((x * 7) + (y * 13) + (c * 50) + (x * y % 31));
                }
            }
        }

        return pixels;
    }

    /// <summary>Writes an image of that pattern.</summary>
    internal static void WriteImage(TemporaryFolder folder, string name, int width, int height, SKEncodedImageFormat format)
    {
        using SKBitmap bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        byte[] pixels = Pattern(width, height);
        System.Runtime.InteropServices.Marshal.Copy(pixels, 0, bitmap.GetPixels(), pixels.Length);
        folder.Write(name, bitmap.Encode(format, 90).ToArray());
    }
}
