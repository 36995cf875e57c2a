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
        int pixels = set.Shape.Height * set.Shape.Width;
        ReadElements(set, index, values);
        for (int i = 0; i < values.Length; i++)
        {
            int c = i / pixels % set.Shape.Channels;
            values[i] = set switch
            {
                IImageSet images => ((values[i] / 255f) - images.Mean[c]) / images.Std[c],
                IFrameSet frames => (values[i] * frames.Scale[c]) + frames.Shift[c],
                _ => values[i],
            };
        }
    }

    /// <summary>Reads one sample as the set has it, not normalised.</summary>
    /// <param name="set">The set.</param>
    /// <param name="index">The sample.</param>
    /// <param name="values">Receives the elements (steps, channels, height, width).</param>
    /// <exception cref="SlttException">It can't be read.</exception>
    internal static void ReadElements(IDataSet set, int index, Span<float> values)
    {
        switch (set)
        {
            case IImageSet images:
                ReadOnlySpan<byte> image = images.Images.Span.Slice(index * set.Shape.Length, set.Shape.Length);
                for (int i = 0; i < image.Length; i++)
                {
                    values[i] = image[i];
                }

                break;
            case IFrameSet frames:
                byte[] bytes = new byte[set.Shape.Length * frames.Element.Size()];
                CheckedSamples.Read(frames, index, 0, bytes);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = Element(frames.Element, bytes, i);
                }

                break;
            default:
                throw new ArgumentException($"{set.GetType().Name} must be an {nameof(IImageSet)} or an {nameof(IFrameSet)}", nameof(set));
        }
    }

    private static float Element(SampleElement type, ReadOnlySpan<byte> bytes, int i) => type switch
    {
        SampleElement.UInt8 => bytes[i],
        SampleElement.UInt16 => MemoryMarshal.Cast<byte, ushort>(bytes)[i],
        _ => MemoryMarshal.Cast<byte, float>(bytes)[i],
    };
}
