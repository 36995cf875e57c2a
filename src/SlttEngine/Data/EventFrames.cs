using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>Makes frames of events: counts by polarity and pixel over the parts that an <see cref="EventSplit"/> makes.</summary>
public static class EventFrames
{
    /// <summary>Rows and columns of the DVS128 camera, which recorded both event data sets.</summary>
    public const int Sensor = 128;

    /// <summary>Elements of a frame, (2, 128, 128).</summary>
    internal const int FrameLength = 2 * Sensor * Sensor;

    /// <summary>The latest time that an event can have, µs: differences and products with T stay exact.</summary>
    internal const long MaxTime = 1L << 60;

    /// <summary>Counts the events of each frame.</summary>
    /// <param name="events">In the file's order.</param>
    /// <param name="steps">T, the number of frames.</param>
    /// <param name="frames">Receives (T, 2, 128, 128); channel 0 is OFF, 1 is ON; overwritten.</param>
    /// <param name="path">The file, for errors.</param>
    /// <param name="split">Which events make a frame.</param>
    /// <exception cref="SlttException">
    /// An event lies outside the sensor, a pixel counts more than 65,535, or a split by time has no meaning for these events.
    /// </exception>
    public static void Integrate(EventList events, int steps, Span<ushort> frames, string path, EventSplit split = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(frames.Length, steps * FrameLength);
        if (split != EventSplit.Number)
        {
            CheckTimes(events.T, steps, path, split);
        }

        frames.Clear();
        (int Left, int Right)[] segments = split.Segments(events, steps);
        ReadOnlySpan<ushort> x = events.X, y = events.Y;
        ReadOnlySpan<byte> p = events.P;
        for (int t = 0; t < steps; t++)
        {
            Span<ushort> frame = frames.Slice(t * FrameLength, FrameLength);
            for (int i = segments[t].Left; i < segments[t].Right; i++)
            {
                if (x[i] >= Sensor || y[i] >= Sensor)
                {
                    throw FileErrors.Bad(path, $"an event at column {x[i]}, row {y[i]}, outside the {Sensor}×{Sensor} sensor");
                }

                ref ushort count = ref frame[(((p[i] * Sensor) + y[i]) * Sensor) + x[i]];
                if (++count == 0)
                {
                    throw FileErrors.Bad(path, $"more than 65,535 events in one pixel of a frame (column {x[i]}, row {y[i]})");
                }
            }
        }
    }

    /// <summary>The frames in a new array; see <see cref="Integrate(EventList, int, Span{ushort}, string, EventSplit)"/>.</summary>
    public static ushort[] Integrate(EventList events, int steps, string path, EventSplit split = default)
    {
        ushort[] frames = new ushort[steps * FrameLength];
        Integrate(events, steps, frames, path, split);
        return frames;
    }

    private static void CheckTimes(ReadOnlySpan<long> t, int steps, string path, EventSplit split)
    {
        for (int i = 1; i < t.Length; i++)
        {
            if (t[i] < t[i - 1])
            {
                throw FileErrors.Bad(
                    path, $"time goes back at event {i}, from {t[i - 1]} to {t[i]} µs", "such a recording can be split by number alone");
            }
        }

        if (split.ByTime && t.Length > 0 && t[^1] - t[0] < steps)
        {
            throw FileErrors.Bad(
                path, $"a sample lasts {t[^1] - t[0]} µs, too short for T = {steps} frames of equal time",
                "split by number, or take a smaller T");
        }
    }
}
