using System.Runtime.InteropServices;
using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>Reads a sample of any data set as the network's input sees it, without augmentation by the device.</summary>
internal static class SampleReader
{
    /// <summary>Reads one sample.</summary>
    /// <param name="set">The set.</param>
    /// <param name="index">The sample.</param>
    /// <param name="values">Receives the elements (steps, channels, height, width), normalised.</param>
    /// <exception cref="SlttException">It can't be read.</exception>
    internal static void Read(IDataSet set, int index, Span<float> values)
    {
        SampleFormat format = SampleFormat.OfKind(set);
        if (set is IImageSet images)
        {
            Normalise(format, images.Images.Span.Slice(index * set.Shape.Length, set.Shape.Length), values);
            return;
        }

        byte[] bytes = new byte[format.SampleBytes];
        CheckedSamples.Read((IFrameSet)set, index, 0, bytes);
        Normalise(format, bytes, values);
    }

    /// <summary>Reads one sample as the set has it, not normalised.</summary>
    /// <param name="set">The set.</param>
    /// <param name="index">The sample.</param>
    /// <param name="values">Receives the elements (steps, channels, height, width).</param>
    /// <exception cref="SlttException">It can't be read.</exception>
    internal static void ReadElements(IDataSet set, int index, Span<float> values)
    {
        SampleFormat format = SampleFormat.OfKind(set);
        byte[] bytes = new byte[format.SampleBytes];
        if (set is IImageSet images)
        {
            images.Images.Span.Slice(index * set.Shape.Length, set.Shape.Length).CopyTo(bytes);
        }
        else
        {
            CheckedSamples.Read((IFrameSet)set, index, 0, bytes);
        }

        SampleElement element = format is SampleFormat.Frames frames ? frames.Element : SampleElement.UInt8;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Element(element, bytes, i);
        }
    }

    /// <summary>A sample's elements as the network's input sees them.</summary>
    /// <param name="format">What the elements are.</param>
    /// <param name="elements">Elements (steps, channels, height, width) as raw bytes.</param>
    /// <param name="values">Receives them normalised.</param>
    internal static void Normalise(SampleFormat format, ReadOnlySpan<byte> elements, Span<float> values)
    {
        int pixels = format.Shape.Height * format.Shape.Width;
        for (int i = 0; i < values.Length; i++)
        {
            int c = i / pixels % format.Shape.Channels;
            values[i] = format switch
            {
                SampleFormat.Images images => ((elements[i] / 255f) - images.Mean[c]) / images.Std[c],
                SampleFormat.Frames frames => (Element(frames.Element, elements, i) * frames.Scale[c]) + frames.Shift[c],
                _ => throw new ArgumentException($"{format.GetType().Name} is of no known kind", nameof(format)),
            };
        }
    }

    private static float Element(SampleElement type, ReadOnlySpan<byte> bytes, int i) => type switch
    {
        SampleElement.UInt8 => bytes[i],
        SampleElement.UInt16 => MemoryMarshal.Cast<byte, ushort>(bytes)[i],
        _ => MemoryMarshal.Cast<byte, float>(bytes)[i],
    };
}
