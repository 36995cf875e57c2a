namespace SlttEngine.Data.Sets;

/// <summary>CIFAR-10: 50,000 training and 10,000 test images of 32×32 pixels in 10 classes.</summary>
public sealed class Cifar10() : Cifar(classes: 10)
{
    /// <inheritdoc/>
    public override string Needs =>
        "cifar-10-batches-bin/ or cifar-10-batches-py/ (five training batches and test_batch), "
        + "unpacked from cifar-10-binary.tar.gz or cifar-10-python.tar.gz";
}

/// <summary>CIFAR-100: the same sizes in 100 classes.</summary>
public sealed class Cifar100() : Cifar(classes: 100)
{
    /// <inheritdoc/>
    public override string Needs =>
        "cifar-100-binary/ (train.bin, test.bin) or cifar-100-python/ (train, test), "
        + "unpacked from cifar-100-binary.tar.gz or cifar-100-python.tar.gz";
}

/// <summary>What <see cref="Cifar10"/> and <see cref="Cifar100"/> have in common.</summary>
/// <param name="classes">10 or 100.</param>
public abstract class Cifar(int classes) : NamedDataSet
{
    /// <inheritdoc/>
    public override string Name => $"cifar{classes}";

    /// <inheritdoc/>
    public override string Title => $"CIFAR-{classes}";

    /// <inheritdoc/>
    public override string Source => "https://www.cs.toronto.edu/~kriz/cifar.html";

    /// <inheritdoc/>
    public override int ResidentImages => 60_000;

    /// <inheritdoc/>
    public override SampleFormat Format(DataSetOptions options)
    {
        (float[] mean, float[] std) = CifarImages.Normalisation(classes);
        return new SampleFormat.Images(CifarImages.ImageShape, classes, mean, std);
    }

    /// <inheritdoc/>
    public override IDataSet Open(string folder, bool train, DataSetOptions options) =>
        CifarImages.Load(folder, classes, train, options.AllowIncomplete);

    /// <inheritdoc/>
    internal override SampleFiles Files(DataSetOptions options) => new SampleImages(Format(options), CifarImages.ImageShape.Height);

    /// <inheritdoc/>
    internal override void Count(string folder, bool train, bool thorough, DataSetTally tally)
    {
        tally.Contents = CifarImages.Read(folder, classes, train, out int files).Contents;
        tally.Files += files;
    }
}
