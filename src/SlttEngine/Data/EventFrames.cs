using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>Makes frames of events: counts by polarity and pixel over parts of equal event count (split_by number).</summary>
public static class EventFrames
{
    /// <summary>Rows and columns of the DVS128 camera, which recorded both event data sets.</summary>
    public const int Sensor = 128;

    /// <summary>Counts the events of each frame: frame i has the N / T events from i · (N / T) on, the last frame also the rest.</summary>
    /// <param name="events">In the file's order.</param>
    /// <param name="steps">T, the number of frames.</param>
    /// <param name="frames">Receives (T, 2, 128, 128); channel 0 is OFF, 1 is ON; overwritten.</param>
    /// <param name="path">The file, for errors.</param>
    /// <exception cref="SlttException">An event lies outside the sensor, or a pixel counts more than 65,535.</exception>
    public static void Integrate(EventList events, int steps, Span<ushort> frames, string path)
    {
        const int FrameLength = 2 * Sensor * Sensor;
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(frames.Length, steps * FrameLength);
        frames.Clear();
        int each = events.Count / steps;
        ReadOnlySpan<ushort> x = events.X, y = events.Y;
        ReadOnlySpan<byte> p = events.P;
        for (int t = 0; t < steps; t++)
        {
            Span<ushort> frame = frames.Slice(t * FrameLength, FrameLength);
            int end = t == steps - 1 ? events.Count : (t + 1) * each;
            for (int i = t * each; i < end; i++)
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

    /// <summary>The frames in a new array; see <see cref="Integrate(EventList, int, Span{ushort}, string)"/>.</summary>
    public static ushort[] Integrate(EventList events, int steps, string path)
    {
        ushort[] frames = new ushort[steps * 2 * Sensor * Sensor];
        Integrate(events, steps, frames, path);
        return frames;
    }
}
