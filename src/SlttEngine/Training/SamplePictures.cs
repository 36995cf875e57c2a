using SlttEngine.Data;
using SlttEngine.Reports;

namespace SlttEngine.Training;

/// <summary>Pictures of a data set's samples, for people.</summary>
/// <remarks>
/// Three channels are red, green and blue; two are events, OFF in blue and ON in orange; of any other number the mean is a shade of grey.
/// Bytes of three channels, and of static images of one, are shown as they are. All else is scaled so that the sample's smallest number
/// (its frames together) is 0 and its largest 1; of events the square root is shown, else a few busy pixels would leave the rest dark.
/// Larger pictures are made smaller by means over k × k pixels.
/// </remarks>
internal static class SamplePictures
{
    private const int LargestSide = 96;
    private const int EventChannels = 2;
    private const int ColorChannels = 3;

    private static readonly float[] Off = [40, 140, 255];
    private static readonly float[] On = [255, 150, 40];

    /// <summary>A picture for each frame of a sample.</summary>
    /// <param name="set">The set.</param>
    /// <param name="index">The sample.</param>
    /// <exception cref="SlttException">It can't be read.</exception>
    public static IReadOnlyList<Picture> Frames(IDataSet set, int index) => Draw(set, Read(set, index));

    /// <summary>One picture of a sample: the mean of its frames.</summary>
    /// <param name="set">The set.</param>
    /// <param name="index">The sample.</param>
    /// <exception cref="SlttException">It can't be read.</exception>
    public static Picture Whole(IDataSet set, int index)
    {
        Frame[] frames = Read(set, index);
        float[] mean = new float[frames[0].Values.Length];
        foreach (Frame frame in frames)
        {
            for (int i = 0; i < mean.Length; i++)
            {
                mean[i] += frame.Values[i] / frames.Length;
            }
        }

        return Draw(set, [frames[0] with { Values = mean }])[0];
    }

    private static Frame[] Read(IDataSet set, int index)
    {
        FrameShape shape = set.Shape;
        float[] elements = new float[shape.Length];
        SampleReader.ReadElements(set, index, elements);
        return [.. Enumerable.Range(0, shape.Steps).Select(
            t => Shrink(elements.AsSpan(t * shape.FrameLength, shape.FrameLength), shape.Channels, shape.Height, shape.Width))];
    }

    /// <summary>Means over k × k pixels; windows at the right and lower edge may be smaller.</summary>
    private static Frame Shrink(ReadOnlySpan<float> values, int channels, int height, int width)
    {
        int k = (Math.Max(height, width) + LargestSide - 1) / LargestSide;
        (int rows, int columns) = ((height + k - 1) / k, (width + k - 1) / k);
        float[] small = new float[channels * rows * columns];
        for (int line = 0; line < channels * height; line++)
        {
            (int c, int y) = (line / height, line % height);
            int pixelsDown = Math.Min(k, height - (y / k * k));
            Span<float> target = small.AsSpan(((c * rows) + (y / k)) * columns, columns);
            ReadOnlySpan<float> source = values.Slice(line * width, width);
            for (int x = 0; x < columns; x++)
            {
                ReadOnlySpan<float> window = source[(x * k)..Math.Min(width, (x + 1) * k)];
                float sum = 0;
                foreach (float value in window)
                {
                    sum += value;
                }

                target[x] += sum / (pixelsDown * window.Length);
            }
        }

        return new Frame(channels, rows, columns, small);
    }

    private static Picture[] Draw(IDataSet set, Frame[] frames)
    {
        bool bytes = set is IImageSet or IFrameSet { Element: SampleElement.UInt8 };
        int channels = set.Shape.Channels;
        bool asTheyAre = bytes && (channels == ColorChannels || (channels == 1 && set.Shape.Steps == 1));
        Frame[] shown = channels is 1 or EventChannels or ColorChannels ? frames : [.. frames.Select(Grey)];
        float low = asTheyAre ? 0 : shown.Min(f => f.Values.Min());
        float high = asTheyAre ? byte.MaxValue : shown.Max(f => f.Values.Max());
        return [.. shown.Select(f => f.Draw(v => high > low ? Math.Clamp((v - low) / (high - low), 0, 1) : 0))];
    }

    /// <summary>The mean of the channels.</summary>
    private static Frame Grey(Frame frame)
    {
        int pixels = frame.Rows * frame.Columns;
        float[] mean = new float[pixels];
        for (int i = 0; i < frame.Values.Length; i++)
        {
            mean[i % pixels] += frame.Values[i] / frame.Channels;
        }

        return new Frame(1, frame.Rows, frame.Columns, mean);
    }

    /// <summary>A frame that is small enough.</summary>
    private sealed record Frame(int Channels, int Rows, int Columns, float[] Values)
    {
        public Picture Draw(Func<float, float> scale)
        {
            int pixels = Rows * Columns;
            byte[] rgb = new byte[3 * pixels];
            for (int p = 0; p < pixels; p++)
            {
                for (int k = 0; k < 3; k++)
                {
                    float shade = Channels switch
                    {
                        EventChannels => (MathF.Sqrt(scale(Values[p])) * Off[k]) + (MathF.Sqrt(scale(Values[pixels + p])) * On[k]),
                        ColorChannels => byte.MaxValue * scale(Values[(k * pixels) + p]),
                        _ => byte.MaxValue * scale(Values[p]),
                    };
                    rgb[(3 * p) + k] = (byte)MathF.Round(Math.Min(byte.MaxValue, shade));
                }
            }

            return new Picture(Columns, Rows, rgb);
        }
    }
}
