namespace SlttEngine.Data;

/// <summary>Labelled samples in a fixed order.</summary>
public interface IDataSet
{
    /// <summary>The number of samples.</summary>
    int Count { get; }

    /// <summary>The classes' names; their number is the number of classes.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>The class, 0-based, of sample <paramref name="index"/>.</summary>
    int Label(int index);
}

/// <summary>Small images that stay in memory as bytes and are augmented on the device.</summary>
public interface IImageSet : IDataSet
{
    /// <summary>All pixels, (Count, channels, height, width), 0 to 255.</summary>
    ReadOnlyMemory<byte> Images { get; }

    /// <summary>All labels.</summary>
    ReadOnlyMemory<int> Labels { get; }

    /// <summary>The sizes of one image; one step.</summary>
    FrameShape Shape { get; }

    /// <summary>The official mean of each channel, of pixels scaled to 0…1.</summary>
    IReadOnlyList<float> Mean { get; }

    /// <summary>The official standard deviation of each channel.</summary>
    IReadOnlyList<float> Std { get; }
}

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
}

/// <summary>Samples that worker threads read or make one by one. All members may be called by several threads at once.</summary>
public interface IFrameSet : IDataSet
{
    /// <summary>The sizes of every sample.</summary>
    FrameShape Shape { get; }

    /// <summary>Bytes an element: 1 (byte) or 2 (ushort, little-endian).</summary>
    int ElementSize { get; }

    /// <summary>What the network sees is element · Scale[c] + Shift[c].</summary>
    IReadOnlyList<float> Scale { get; }

    /// <summary>See <see cref="Scale"/>.</summary>
    IReadOnlyList<float> Shift { get; }

    /// <summary>Reads one sample, augmented where the set does that.</summary>
    /// <param name="index">Which sample.</param>
    /// <param name="draw">What random augmentation depends on, beside the index: a number that differs from epoch to epoch.</param>
    /// <param name="frames">Receives (Steps, Channels, Height, Width) elements, as raw bytes.</param>
    /// <returns>False if this sample's file is damaged and the set leaves such samples out; the set has reported it then.</returns>
    /// <exception cref="SlttException">The sample cannot be read.</exception>
    bool TryRead(int index, ulong draw, Span<byte> frames);
}
