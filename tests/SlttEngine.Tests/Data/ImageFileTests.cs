using System.Text;
using SlttEngine.Data;
using SlttEngine.Tests.IO;

namespace SlttEngine.Tests.Data;

/// <summary>Image files that Skia does not decode: PPM, PGM and TIFF, as the Python Imaging Library reads them.</summary>
public sealed class ImageFileTests
{
    private static string[] Recorded() =>
        [.. Directory.GetFiles(TestFiles.Shipped("images")).Where(ImageFile.HasEnding).Select(f => Path.GetFileName(f)!).Order()];

    [Test]
    public void Every_kind_is_recorded() => Assert.That(Recorded(), Has.Length.EqualTo(11));

    [TestCaseSource(nameof(Recorded))]
    public void Pixels_are_those_of_pil(string name)
    {
        string path = Path.Combine(TestFiles.Shipped("images"), name);
        using PixelImage image = ImageFile.Decode(path, out string? problem) ?? throw new AssertionException(problem!);
        byte[] pixels = image.Pixels.ToArray();
        byte[] rgb = [.. Enumerable.Range(0, image.Width * image.Height).SelectMany(i => pixels.AsSpan(4 * i, 3).ToArray())];
        Assert.That((image.Width, image.Height), Is.EqualTo((9, 7)));
        Assert.That(rgb, Is.EqualTo(File.ReadAllBytes(path + ".rgb")));
        Assert.That(ImageFile.CanDecode(path));
    }

    [TestCase("P6 2 2 255\n123", "truncated")]
    [TestCase("P5 2 2 65535\n12345678", "only 8 bits")]
    [TestCase("P5 0 2 255\n", "no pixels")]
    [TestCase("P2 2 1 10\n3 11", "a sample of 11")]
    [TestCase("P2 2 1 10\n3", "truncated")]
    [TestCase("P6 99999 99999 255\n", "too large")]
    [TestCase("P6 x", "header")]
    [TestCase("II*\0", "TIFF")]
    [TestCase("", "empty")]
    [TestCase("<html>", "not an image")]
    public void A_damaged_image_is_no_image(string content, string reason)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("x.png", Encoding.Latin1.GetBytes(content));
        Assert.That(ImageFile.Decode(path, out string? problem), Is.Null);
        Assert.That(problem, Does.Contain(reason));
        Assert.That(ImageFile.CanDecode(path), Is.False);
    }

    /// <summary>LibTiff would allocate what these say.</summary>
    [TestCase(279, 8, 1 << 28, "a damaged TIFF file")]
    [TestCase(257, 8, 1 << 20, "too narrow")]
    [TestCase(277, 8, 50_000, "not read")]
    [TestCase(273, 4, 1 << 28, "a damaged TIFF file")]
    public void A_tiff_that_says_more_than_it_holds_takes_no_memory(int tag, int at, int value, string reason)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(TestFiles.Shipped("images"), "rgb-raw.tif"));
        int directory = BitConverter.ToInt32(bytes, 4);
        int entry = Enumerable.Range(0, BitConverter.ToUInt16(bytes, directory)).Select(i => directory + 2 + (12 * i))
            .Single(e => BitConverter.ToUInt16(bytes, e) == tag);
        BitConverter.TryWriteBytes(bytes.AsSpan(entry + 2), (ushort)4); // one of four bytes
        BitConverter.TryWriteBytes(bytes.AsSpan(entry + at), value);
        using TemporaryFolder folder = new();
        string path = folder.Write("x.tif", bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(ImageFile.Decode(path, out string? problem), Is.Null);
        Assert.That(problem, Does.Contain(reason));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void Mutated_images_never_surprise([Values("rgb-lzw.tif", "palette.tif", "alpha.tif", "colour.ppm", "text.ppm")] string name)
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(TestFiles.Shipped("images"), name));
        Mutations.Check(whole, path => ImageFile.Decode(path, out _)?.Dispose(), cases: 150, headBytes: whole.Length);
    }
}
