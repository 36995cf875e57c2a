namespace SlttEngine.Data;

/// <summary>Labelled samples in a fixed order.</summary>
public interface IDataSet
{
    /// <summary>The number of samples.</summary>
    int Count { get; }

    /// <summary>The sizes of every sample.</summary>
    FrameShape Shape { get; }

    /// <summary>The number of classes.</summary>
    int Classes { get; }

    /// <summary>The classes' names, for display: "class 0", "class 1" … unless the set has names.</summary>
    IReadOnlyList<string> ClassNames => [.. Enumerable.Range(0, Classes).Select(i => $"class {i}")];

    /// <summary>The data set's name, which a checkpoint keeps; null unless the set has one.</summary>
    string? Name => null;

    /// <summary>What is done to samples of both parts before they are normalised, for a checkpoint to keep; null: it isn't said.</summary>
    string? Transform => null;

    /// <summary>What is worth a line though all is well: the form of the data that is read, where there are several. Often empty.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>What a user should know of the data, one line each: what is incomplete, left out or not read. Empty unless the set has
    /// some.</summary>
    IReadOnlyList<string> Warnings => [];

    /// <summary>The class of a sample, from 0 to <see cref="Classes"/> − 1.</summary>
    /// <param name="index">The sample, from 0 to <see cref="Count"/> − 1.</param>
    int Label(int index);
}

/// <summary>Small images that stay in the device's memory as bytes and are augmented there.</summary>
public interface IImageSet : IDataSet
{
    /// <summary>All pixels, (Count, channels, height, width), 0 to 255.</summary>
    ReadOnlyMemory<byte> Images { get; }

    /// <summary>The mean of each channel, of pixels scaled to 0…1.</summary>
    IReadOnlyList<float> Mean { get; }

    /// <summary>The standard deviation of each channel, of pixels scaled to 0…1.</summary>
    IReadOnlyList<float> Std { get; }
}

/// <summary>
/// Samples that worker threads read or make one by one: a user's own data set implements this.
/// Several threads call <see cref="Read"/> and <see cref="IDataSet.Label"/> at the same time.
/// </summary>
public interface IFrameSet : IDataSet
{
    /// <summary>The type of an element that <see cref="Read"/> writes; bytes unless the set says otherwise.</summary>
    SampleElement Element => SampleElement.UInt8;

    /// <summary>The network's input is element · Scale[c] + Shift[c]; 1 unless the set says otherwise.</summary>
    IReadOnlyList<float> Scale => [.. Enumerable.Repeat(1f, Shape.Channels)];

    /// <summary>See <see cref="Scale"/>; 0 unless the set says otherwise.</summary>
    IReadOnlyList<float> Shift => new float[Shape.Channels];

    /// <summary>Reads one sample, augmented where the set does that.</summary>
    /// <param name="index">The sample, from 0 to Count − 1.</param>
    /// <param name="draw">Seed of random augmentation, with the index: a number that differs from epoch to epoch.</param>
    /// <param name="frames">Receives the elements (steps, channels, height, width) as raw little-endian bytes.</param>
    /// <exception cref="DamagedSampleException">The sample cannot be read: it is left out, and training goes on.</exception>
    /// <exception cref="SlttException">The sample cannot be read, and the run must end.</exception>
    void Read(int index, ulong draw, Span<byte> frames);
}

/// <summary>One sample cannot be read. The loader leaves it out, and reports the message once.</summary>
/// <param name="message">One line that names the file or the sample, and the reason.</param>
/// <param name="inner">What caused it, or null.</param>
public sealed class DamagedSampleException(string message, Exception? inner = null) : SlttException(ErrorKind.Data, message, null, inner);

/// <summary>The sizes of one sample: time steps (1 for a static image), channels, height, width.</summary>
/// <param name="Steps">Frames.</param>
/// <param name="Channels">Channels of a frame; events have 2, polarity 0 (OFF) and 1 (ON).</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct FrameShape(int Steps, int Channels, int Height, int Width)
{
    /// <summary>Elements of one frame.</summary>
    public int FrameLength => Channels * Height * Width;

    /// <summary>Elements of one sample.</summary>
    public int Length => Steps * FrameLength;

    /// <summary>The sizes in words, for messages.</summary>
    public override string ToString() => $"{Steps} {(Steps == 1 ? "step" : "steps")} of {Channels}×{Height}×{Width}";
}
