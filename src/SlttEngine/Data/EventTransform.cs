using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace SlttEngine.Data;

/// <summary>What is done to frames of event counts before the network sees them.</summary>
public enum EventTransform
{
    /// <summary>Counts, 128×128.</summary>
    None,

    /// <summary>
    /// 48×48 exactly as the official SLTT programs do it, by way of an 8-bit image of two channels: a count c becomes
    /// (255 · c) mod 256, and the resize takes the second channel (ON) for transparency: it is multiplied into the first one before, and
    /// divided out after. Odd, but the paper's accuracy was reached so.
    /// </summary>
    Official48,

    /// <summary>48×48 by antialiased bilinear resampling of the counts themselves, in steps of 1/256.</summary>
    Plain48,
}

/// <summary>Applies an <see cref="EventTransform"/> to frames. One thread at a time may use an instance.</summary>
public sealed partial class EventTransformer
{
    private const int In = EventFrames.Sensor;
    private const int Out = 48;

    private readonly EventTransform transform;
    private readonly BilinearResize? resize;
    private readonly (int Start, double[] Weights)[] axis = [];
    private readonly byte[] pair = new byte[2 * In * In];

    /// <summary>Prepares the weights.</summary>
    public EventTransformer(EventTransform transform)
    {
        this.transform = transform;
        if (transform == EventTransform.Official48)
        {
            resize = new BilinearResize(In, In, Out, Out);
        }
        else if (transform == EventTransform.Plain48)
        {
            axis = Triangle();
        }
    }

    /// <summary>How frames are made, in words for a checkpoint: "event counts of frames split by number, resampled to 48x48".</summary>
    /// <param name="transform">What becomes of a frame.</param>
    /// <param name="split">Which events a frame has.</param>
    public static string Describe(EventTransform transform, EventSplit split) => $"event counts of frames split by {split}"
        + transform switch
        {
            EventTransform.Official48 => ", made 48x48 by way of an 8-bit image",
            EventTransform.Plain48 => ", resampled to 48x48",
            _ => string.Empty,
        };

    /// <summary>Reads what <see cref="Describe"/> wrote.</summary>
    /// <param name="text">The text; null or another text means the defaults.</param>
    public static (bool Plain, EventSplit Split) Parse(string? text)
    {
        Match match = Description().Match(text ?? string.Empty);
        EventSplit split = match.Groups["us"] is { Success: true } slices
            ? EventSplit.Slices(long.Parse(slices.ValueSpan, CultureInfo.InvariantCulture))
            : match.Groups["time"].Success ? EventSplit.Time : EventSplit.Number;
        return (match.Groups["plain"].Success, split);
    }

    /// <summary>Rows and columns that come out.</summary>
    public static int Size(EventTransform transform) => transform == EventTransform.None ? In : Out;

    /// <summary>Type of an element that comes out.</summary>
    public static SampleElement Element(EventTransform transform) =>
        transform == EventTransform.Official48 ? SampleElement.UInt8 : SampleElement.UInt16;

    /// <summary>What an element that comes out is multiplied by to give what the network sees.</summary>
    public static float Scale(EventTransform transform) => transform switch
    {
        EventTransform.Official48 => 1f / 255,
        EventTransform.Plain48 => 1f / 256,
        _ => 1,
    };

    /// <summary>Transforms the frames of one sample.</summary>
    /// <param name="counts">(T, 2, 128, 128).</param>
    /// <param name="frames">Receives (T, 2, size, size) elements as raw bytes.</param>
    public void Apply(ReadOnlySpan<ushort> counts, Span<byte> frames)
    {
        if (transform == EventTransform.None)
        {
            MemoryMarshal.AsBytes(counts).CopyTo(frames);
            return;
        }

        int steps = counts.Length / (2 * In * In);
        for (int t = 0; t < steps; t++)
        {
            ReadOnlySpan<ushort> frame = counts.Slice(t * 2 * In * In, 2 * In * In);
            if (transform == EventTransform.Official48)
            {
                Official(frame, frames.Slice(t * 2 * Out * Out, 2 * Out * Out));
            }
            else
            {
                Plain(frame, MemoryMarshal.Cast<byte, ushort>(frames).Slice(t * 2 * Out * Out, 2 * Out * Out));
            }
        }
    }

    private void Official(ReadOnlySpan<ushort> counts, Span<byte> result)
    {
        const int N = In * In, M = Out * Out;
        Span<byte> light = pair.AsSpan(0, N), alpha = pair.AsSpan(N, N);
        for (int i = 0; i < N; i++)
        {
            // light · alpha / 255, rounded, by the library's own formula.
            alpha[i] = (byte)(255 * counts[N + i]);
            int product = ((byte)(255 * counts[i]) * alpha[i]) + 128;
            light[i] = (byte)(((product >> 8) + product) >> 8);
        }

        resize!.Plane(light, 0, 1, In, result[..M]);
        resize.Plane(alpha, 0, 1, In, result[M..]);
        for (int i = 0; i < M; i++)
        {
            byte a = result[M + i];
            if (a is not (0 or 255))
            {
                result[i] = (byte)Math.Min(255 * result[i] / a, 255);
            }
        }
    }

    private void Plain(ReadOnlySpan<ushort> counts, Span<ushort> result)
    {
        Span<double> rows = new double[In * Out];
        for (int c = 0; c < 2; c++)
        {
            rows.Clear();
            for (int y = 0; y < In; y++)
            {
                ReadOnlySpan<ushort> line = counts.Slice(((c * In) + y) * In, In);
                for (int x = 0; x < Out; x++)
                {
                    (int start, double[] weights) = axis[x];
                    double sum = 0;
                    for (int k = 0; k < weights.Length; k++)
                    {
                        sum += weights[k] * line[start + k];
                    }

                    rows[(y * Out) + x] = sum;
                }
            }

            for (int y = 0; y < Out; y++)
            {
                (int start, double[] weights) = axis[y];
                for (int x = 0; x < Out; x++)
                {
                    double sum = 0;
                    for (int k = 0; k < weights.Length; k++)
                    {
                        sum += weights[k] * rows[((start + k) * Out) + x];
                    }

                    result[(((c * Out) + y) * Out) + x] = (ushort)Math.Min(Math.Round(256 * sum), ushort.MaxValue);
                }
            }
        }
    }

    /// <summary>The normalised triangle of half-width 128/48 around each output pixel.</summary>
    private static (int Start, double[] Weights)[] Triangle()
    {
        const double Scale = (double)In / Out;
        (int, double[])[] axis = new (int, double[])[Out];
        for (int i = 0; i < Out; i++)
        {
            double center = (i + 0.5) * Scale;
            int start = Math.Max((int)Math.Ceiling(center - Scale - 0.5), 0);
            int end = Math.Min((int)Math.Floor(center + Scale - 0.5) + 1, In);
            double[] weights = [.. Enumerable.Range(start, end - start).Select(x => Math.Max(0, 1 - (Math.Abs(x + 0.5 - center) / Scale)))];
            double total = weights.Sum();
            axis[i] = (start, [.. weights.Select(w => w / total)]);
        }

        return axis;
    }

    [GeneratedRegex(@"^event counts of frames split by (?:number|(?<time>time)|duration_(?<us>[1-9]\d{0,17}))(?<plain>, resampled)?")]
    private static partial Regex Description();
}
