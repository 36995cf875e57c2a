namespace SlttEngine.Data.Sets;

/// <summary>ImageNet (ILSVRC2012), or any folder of class folders in its layout: the folders decide the classes.</summary>
public sealed class ImageNet : NamedDataSet
{
    /// <inheritdoc/>
    public override string Name => "imagenet";

    /// <inheritdoc/>
    public override string Title => "ImageNet (ILSVRC2012)";

    /// <inheritdoc/>
    public override string Needs => "train/ and val/, each with 1,000 class folders of JPEG files";

    /// <inheritdoc/>
    public override string Source => "https://www.image-net.org/challenges/LSVRC/2012/";

    /// <inheritdoc/>
    public override SampleFormat Format(DataSetOptions options) => new SampleFormat.Frames(
        ImageFolder.CropShape, 1000, SampleElement.UInt8, [.. ImageFolder.OfficialScale], [.. ImageFolder.OfficialShift]);

    /// <inheritdoc/>
    public override IDataSet Open(string folder, bool train, DataSetOptions options) =>
        ImageFolder.Open(folder, train, options.AllowIncomplete);

    /// <inheritdoc/>
    internal override SampleFiles Files(DataSetOptions options) => new SampleImages(Format(options), ImageFolder.Short);

    /// <inheritdoc/>
    internal override void Count(string folder, bool train, bool thorough, DataSetTally tally)
    {
        ImageFolder images = ImageFolder.List(folder, train);
        tally.Contents = images.Contents;
        tally.Files += images.Count;
        if (thorough)
        {
            tally.Decode(images);
        }
    }
}
