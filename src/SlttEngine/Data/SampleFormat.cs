namespace SlttEngine.Data;

/// <summary>The type of a sample's elements.</summary>
public enum SampleElement
{
    /// <summary>One byte, 0 to 255.</summary>
    UInt8,

    /// <summary>Two bytes, little-endian, 0 to 65,535.</summary>
    UInt16,

    /// <summary>IEEE single, little-endian.</summary>
    Float32,
}

/// <summary>Sizes of <see cref="SampleElement"/>.</summary>
public static class SampleElements
{
    /// <summary>Bytes an element.</summary>
    /// <param name="element">The type.</param>
    public static int Size(this SampleElement element) => element switch { SampleElement.UInt8 => 1, SampleElement.UInt16 => 2, _ => 4 };
}

/// <summary>What is known of a data set without reading a sample: enough to plan a run's memory.</summary>
/// <param name="Shape">The sizes of every sample.</param>
/// <param name="Classes">The number of classes.</param>
public abstract record SampleFormat(FrameShape Shape, int Classes)
{
    /// <summary>Bytes of one sample on the host.</summary>
    public abstract long SampleBytes { get; }

    /// <summary>The format of a set's samples.</summary>
    /// <param name="set">An <see cref="IImageSet"/> or an <see cref="IFrameSet"/>.</param>
    /// <exception cref="ArgumentException">The set is neither.</exception>
    /// <exception cref="SlttException">
    /// Images are of another size than the device augments, the normalisation is not finite, or class names are not one a class.
    /// </exception>
    public static SampleFormat Of(IDataSet set)
    {
        SampleFormat format = OfKind(set);
        IEnumerable<float> normalisation = format switch
        {
            Images images => [.. images.Mean, .. images.Std],
            Frames frames => [.. frames.Scale, .. frames.Shift],
            _ => [],
        };
        if (normalisation.Any(x => !float.IsFinite(x)) || (format is Images { Std: { } std } && std.Contains(0)))
        {
            throw new SlttException(
                ErrorKind.Data, $"{set.GetType().Name}: its scale, shift or mean holds NaN or infinity, or its standard deviation 0",
                "give one finite number for each channel");
        }

        string[] names = [.. set.ClassNames];
        if (names.Length != set.Classes || names.Any(string.IsNullOrEmpty) || names.Distinct().Count() < names.Length)
        {
            throw new SlttException(
                ErrorKind.Data, $"{set.GetType().Name}: {names.Length} class names ({string.Join(", ", names)}) for {set.Classes} classes",
                "give each class a name of its own");
        }

        return format;
    }

    /// <summary>The same, without looking at its names and numbers.</summary>
    /// <param name="set">An <see cref="IImageSet"/> or an <see cref="IFrameSet"/>.</param>
    internal static SampleFormat OfKind(IDataSet set) => set switch
    {
        IImageSet images when images.Shape != CifarImages.ImageShape => throw new SlttException(
            ErrorKind.Data, $"{set.GetType().Name}: images of {images.Shape}, but an {nameof(IImageSet)} has 1 step of 3×32×32",
            $"make it an {nameof(IFrameSet)}: {nameof(ArrayDataSet)}, or a class derived from {nameof(FrameDataSet)}"),
        IImageSet images => new Images(images.Shape, images.Classes, [.. images.Mean], [.. images.Std]),
        IFrameSet frames => new Frames(frames.Shape, frames.Classes, frames.Element, [.. frames.Scale], [.. frames.Shift]),
        _ => throw new ArgumentException($"{set.GetType().Name} must be an {nameof(IImageSet)} or an {nameof(IFrameSet)}", nameof(set)),
    };

    /// <summary>Samples that are copied to the device batch by batch: input = element · scale + shift.</summary>
    /// <param name="Shape">The sizes of every sample.</param>
    /// <param name="Classes">The number of classes.</param>
    /// <param name="Element">The type of an element.</param>
    /// <param name="Scale">Scale of each channel.</param>
    /// <param name="Shift">Shift of each channel.</param>
    public sealed record Frames(FrameShape Shape, int Classes, SampleElement Element, float[] Scale, float[] Shift) : SampleFormat(
        Shape, Classes)
    {
        /// <inheritdoc/>
        public override long SampleBytes => (long)Shape.Steps * Shape.FrameLength * Element.Size();
    }

    /// <summary>Images that stay in the device's memory: input = (pixel / 255 − mean) / std.</summary>
    /// <param name="Shape">The sizes of every sample; one step.</param>
    /// <param name="Classes">The number of classes.</param>
    /// <param name="Mean">Mean of each channel.</param>
    /// <param name="Std">Standard deviation of each channel.</param>
    public sealed record Images(FrameShape Shape, int Classes, float[] Mean, float[] Std) : SampleFormat(Shape, Classes)
    {
        /// <inheritdoc/>
        public override long SampleBytes => Shape.FrameLength;
    }
}
