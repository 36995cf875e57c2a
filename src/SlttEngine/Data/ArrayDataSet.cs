using System.Globalization;
using System.Runtime.InteropServices;

namespace SlttEngine.Data;

/// <summary>Samples and labels that lie in arrays.</summary>
public sealed class ArrayDataSet : IFrameSet
{
    private readonly ReadOnlyMemory<byte> elements;
    private readonly ReadOnlyMemory<int> labels;
    private readonly IReadOnlyList<string>? names;

    /// <summary>Samples of floats, as the network's input sees them. They are copied; labels are not.</summary>
    /// <param name="samples">Elements (n, steps, channels, height, width).</param>
    /// <param name="labels">The class of each sample, from 0.</param>
    /// <param name="shape">The sizes of a sample; 1 step for static images.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="classNames">Their names in order; null: class 0, class 1 …</param>
    /// <exception cref="SlttException">Sizes do not fit, a label is no class, or an element is NaN or infinite.</exception>
    public ArrayDataSet(
        float[] samples, ReadOnlyMemory<int> labels, FrameShape shape, int classes, IReadOnlyList<string>? classNames = null)
        : this(MemoryMarshal.AsBytes(samples.AsSpan()).ToArray(), SampleElement.Float32, labels, shape, classes, 1, 0, classNames)
    {
        int bad = Array.FindIndex(samples, x => !float.IsFinite(x));
        if (bad >= 0)
        {
            throw new SlttException(
                ErrorKind.Data, FormattableString.Invariant($"sample {bad / shape.Length}: element {bad % shape.Length} is {samples[bad]}"),
                "samples are finite numbers: look at what made them");
        }
    }

    /// <summary>Samples of bytes: the network's input is element · scale + shift. Neither array is copied.</summary>
    /// <param name="samples">Elements (n, steps, channels, height, width), 0 to 255.</param>
    /// <param name="labels">The class of each sample, from 0.</param>
    /// <param name="shape">The sizes of a sample; 1 step for static images.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="scale">Scale of every channel; 1/255 makes 0 to 1 of pixels.</param>
    /// <param name="shift">Shift of every channel.</param>
    /// <param name="classNames">Their names in order; null: class 0, class 1 …</param>
    /// <exception cref="SlttException">Sizes do not fit, or a label is no class.</exception>
    public ArrayDataSet(
        byte[] samples,
        ReadOnlyMemory<int> labels,
        FrameShape shape,
        int classes,
        float scale = 1,
        float shift = 0,
        IReadOnlyList<string>? classNames = null)
        : this(samples, SampleElement.UInt8, labels, shape, classes, scale, shift, classNames)
    {
    }

    private ArrayDataSet(
        ReadOnlyMemory<byte> elements,
        SampleElement element,
        ReadOnlyMemory<int> labels,
        FrameShape shape,
        int classes,
        float scale,
        float shift,
        IReadOnlyList<string>? names)
    {
        long bytes = (long)labels.Length * shape.Length * element.Size();
        if (labels.Length == 0)
        {
            throw new SlttException(ErrorKind.Data, "a data set without samples", "give at least one sample and its label");
        }

        if (elements.Length != bytes)
        {
            throw new SlttException(
                ErrorKind.Data,
                $"{labels.Length} samples of {shape} make {bytes / element.Size()} elements, but there are "
                    + (elements.Length / element.Size()).ToString(CultureInfo.InvariantCulture),
                "samples are (n, steps, channels, height, width), with one label each");
        }

        (this.elements, Element, this.labels, Shape, Classes, this.names) = (elements, element, labels, shape, classes, names);
        Scale = [.. Enumerable.Repeat(scale, shape.Channels)];
        Shift = [.. Enumerable.Repeat(shift, shape.Channels)];
        ClassLabels.Check(this);
    }

    /// <inheritdoc/>
    public int Count => labels.Length;

    /// <inheritdoc/>
    public FrameShape Shape { get; }

    /// <inheritdoc/>
    public int Classes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => names ?? [.. Enumerable.Range(0, Classes).Select(i => $"class {i}")];

    /// <inheritdoc/>
    public SampleElement Element { get; }

    /// <inheritdoc/>
    public IReadOnlyList<float> Scale { get; }

    /// <inheritdoc/>
    public IReadOnlyList<float> Shift { get; }

    /// <inheritdoc/>
    public int Label(int index) => labels.Span[index];

    /// <inheritdoc/>
    public void Read(int index, ulong draw, Span<byte> frames)
    {
        int length = Shape.Length * Element.Size();
        elements.Span.Slice(index * length, length).CopyTo(frames);
    }
}
