using System.Runtime.InteropServices;

namespace SlttEngine.Data;

/// <summary>A user's own data set: samples as the network's input sees them, in float.</summary>
/// <remarks>
/// Derive from it, and write <see cref="Label"/> and <see cref="Read"/>. Worker threads prepare batches ahead: they call both at the same
/// time for different samples, so neither may change what the other reads. Where elements are bytes, <see cref="IFrameSet"/> saves memory.
/// </remarks>
public abstract class FrameDataSet : IFrameSet
{
    /// <summary>Sets the sizes.</summary>
    /// <param name="count">Samples.</param>
    /// <param name="shape">The sizes of every sample; 1 step for static images, else T.</param>
    /// <param name="classes">Classes.</param>
    /// <exception cref="SlttException">One is not at least 1.</exception>
    protected FrameDataSet(int count, FrameShape shape, int classes)
    {
        if (count < 1 || classes < 1 || shape.Steps < 1 || shape.Channels < 1 || shape.Height < 1 || shape.Width < 1)
        {
            throw new SlttException(
                ErrorKind.Data, $"a data set of {count} samples, {shape} and {classes} classes", "each number must be at least 1");
        }

        (Count, Shape, Classes) = (count, shape, classes);
    }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public FrameShape Shape { get; }

    /// <inheritdoc/>
    public int Classes { get; }

    /// <inheritdoc/>
    public virtual IReadOnlyList<string> ClassNames => [.. Enumerable.Range(0, Classes).Select(i => $"class {i}")];

    /// <inheritdoc/>
    public virtual string? Name => null;

    /// <inheritdoc/>
    public SampleElement Element => SampleElement.Float32;

    /// <inheritdoc/>
    public abstract int Label(int index);

    /// <summary>Reads one sample, augmented where the set does that.</summary>
    /// <param name="index">The sample, from 0 to Count − 1.</param>
    /// <param name="random">
    /// Random numbers for augmentation: they follow from the run's seed, the epoch and the sample, so that a resumed run draws the same.
    /// </param>
    /// <param name="frames">Receives the elements (steps, channels, height, width).</param>
    /// <exception cref="DamagedSampleException">The sample can't be read: it is left out, and training goes on.</exception>
    protected abstract void Read(int index, ref Philox random, Span<float> frames);

    /// <inheritdoc/>
    void IFrameSet.Read(int index, ulong draw, Span<byte> frames)
    {
        Philox random = new(draw, (ulong)index);
        Read(index, ref random, MemoryMarshal.Cast<byte, float>(frames));
    }
}
