using System.Runtime.InteropServices;

namespace SlttEngine.Data;

/// <summary>Reads samples of any set, a user's own too: what can't be is refused with the sample's number.</summary>
internal static class CheckedSamples
{
    /// <summary>Reads one sample.</summary>
    /// <param name="set">The set.</param>
    /// <param name="index">The sample.</param>
    /// <param name="draw">Seed of its augmentation.</param>
    /// <param name="frames">Receives its elements.</param>
    /// <exception cref="DamagedSampleException">The set leaves the sample out.</exception>
    /// <exception cref="SlttException">The set's code failed, or made NaN or infinity.</exception>
    internal static void Read(IFrameSet set, int index, ulong draw, Span<byte> frames)
    {
        try
        {
            set.Read(index, draw, frames);
        }
        catch (Exception e) when (e is not SlttException and not OutOfMemoryException)
        {
            throw Failed(set, index, nameof(IFrameSet.Read), e);
        }

        if (set.Element == SampleElement.Float32)
        {
            ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(frames);
            for (int i = 0; i < values.Length; i++)
            {
                if (!float.IsFinite(values[i]))
                {
                    throw new SlttException(
                        ErrorKind.Data,
                        FormattableString.Invariant($"sample {index} of {set.GetType().Name}: element {i} is {values[i]}"),
                        "samples are finite numbers: look at what made them");
                }
            }
        }
    }

    /// <summary>The class of a sample.</summary>
    /// <param name="set">The set.</param>
    /// <param name="index">The sample.</param>
    /// <exception cref="SlttException">The set's code failed.</exception>
    internal static int Label(IDataSet set, int index)
    {
        try
        {
            return set.Label(index);
        }
        catch (Exception e) when (e is not SlttException and not OutOfMemoryException)
        {
            throw Failed(set, index, nameof(IDataSet.Label), e);
        }
    }

    private static SlttException Failed(IDataSet set, int index, string call, Exception e) => new(
        ErrorKind.Data,
        $"sample {index} of {set.GetType().Name}: {call} failed with {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}",
        $"correct {call}; {nameof(DamagedSampleException)} is for samples to leave out", e);
}
