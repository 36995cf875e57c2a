using SkiaSharp;
using SlttEngine.Data;
using SlttEngine.Reports;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>What people see of samples.</summary>
public sealed class SamplePicturesTests
{
    [Test]
    public void Pixels_are_shown_as_they_are()
    {
        Picture color = SamplePictures.Frames(Set([10, 20, 30, 40, 50, 60], new FrameShape(1, 3, 1, 2)), 0).Single();
        Assert.That((color.Width, color.Height), Is.EqualTo((2, 1)));
        Assert.That(color.Rgb, Is.EqualTo(new byte[] { 10, 30, 50, 20, 40, 60 }));
        Picture grey = SamplePictures.Frames(Set([7, 200], new FrameShape(1, 1, 1, 2)), 0).Single();
        Assert.That(grey.Rgb, Is.EqualTo(new byte[] { 7, 7, 7, 200, 200, 200 }));
    }

    [Test]
    public void Numbers_are_scaled_to_the_samples_range()
    {
        float[] numbers = [-1, 0, 1, 3, 0, 0];
        ArrayDataSet set = new(numbers, new int[1], new FrameShape(1, 3, 1, 2), 1);
        Assert.That(SamplePictures.Frames(set, 0).Single().Rgb, Is.EqualTo(new byte[] { 0, 128, 64, 64, 255, 64 }));
        ArrayDataSet many = new([0f, 4, 0, 4, 0, 0, 0, 0], new int[1], new FrameShape(1, 4, 1, 2), 1);
        Assert.That(SamplePictures.Frames(many, 0).Single().Rgb, Is.EqualTo(new byte[] { 0, 0, 0, 255, 255, 255 }), "the channels' mean");
        ArrayDataSet flat = new([2f, 2f], new int[1], new FrameShape(1, 1, 1, 2), 1);
        Assert.That(SamplePictures.Frames(flat, 0).Single().Rgb, Is.All.Zero);
    }

    [Test]
    public void Events_have_two_colors_and_a_picture_a_step()
    {
        // Steps of (OFF, ON): the most events of the sample, 4, are the full color; one is half of it.
        ArrayDataSet set = Set([4, 0, 0, 1, 0, 0, 0, 4], new FrameShape(2, 2, 1, 2));
        IReadOnlyList<Picture> frames = SamplePictures.Frames(set, 0);
        Assert.That(frames, Has.Count.EqualTo(2));
        Assert.That(frames[0].Rgb, Is.EqualTo(new byte[] { 40, 140, 255, 128, 75, 20 }));
        Assert.That(frames[1].Rgb, Is.EqualTo(new byte[] { 0, 0, 0, 255, 150, 40 }));
        Picture whole = SamplePictures.Whole(set, 0);
        Assert.That(whole.Rgb[..3], Is.Not.All.Zero);
        Assert.That((whole.Width, whole.Height), Is.EqualTo((2, 1)));
    }

    [Test]
    public void Large_pictures_are_made_smaller()
    {
        byte[] pixels = new byte[3 * 97 * 200];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)(i % 200 >= 198 && i / 200 % 97 == 96 ? 90 : 30);
        }

        Picture picture = SamplePictures.Frames(Set(pixels, new FrameShape(1, 3, 97, 200)), 0).Single();
        Assert.That((picture.Width, picture.Height), Is.EqualTo((67, 33)), "means over 3×3 pixels");
        Assert.That(picture.Rgb[..^3], Is.All.EqualTo(30));
        Assert.That(picture.Rgb[^3..], Is.All.EqualTo(90), "of the 1×2 that are left at the corner");
    }

    [Test]
    public void A_sheet_is_a_png()
    {
        Picture[] pictures = [.. Enumerable.Range(1, 3).Select(i => new Picture(2, 1, [.. Enumerable.Repeat((byte)(40 * i), 6)]))];
        Picture sheet = PictureFile.Sheet(pictures, 2);
        Assert.That((sheet.Width, sheet.Height), Is.EqualTo((5, 3)));
        using SKBitmap read = SKBitmap.Decode(PictureFile.Png(sheet));
        Assert.That((read.Width, read.Height), Is.EqualTo((5, 3)));
        Assert.That(new[] { (0, 0), (4, 0), (1, 2), (2, 0), (4, 2) }.Select(p => read.GetPixel(p.Item1, p.Item2).Green),
            Is.EqualTo(new byte[] { 40, 80, 120, 0, 0 }));
        Assert.That(PictureFile.Sheet(pictures, int.MaxValue).Width, Is.EqualTo(8));
    }

    private static ArrayDataSet Set(byte[] elements, FrameShape shape) => new(elements, new int[1], shape, 1);
}
