using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>
/// Collects a sample's events from a file of another program, where a column may hold what cannot be meant: each event must lie on the
/// sensor, be ON or OFF, and not be earlier than the one before.
/// </summary>
/// <param name="path">The file, for errors.</param>
/// <param name="capacity">How many are expected.</param>
internal sealed class CheckedEvents(string path, int capacity)
{
    private long last;

    /// <summary>The events so far.</summary>
    internal EventList List { get; } = new(capacity);

    /// <summary>Adds an event, or refuses it.</summary>
    /// <param name="t">µs.</param>
    /// <param name="x">Column.</param>
    /// <param name="y">Row.</param>
    /// <param name="p">1 ON, 0 OFF.</param>
    internal void Add(long t, long x, long y, long p)
    {
        if ((ulong)x >= EventFrames.Sensor || (ulong)y >= EventFrames.Sensor)
        {
            throw FileErrors.Bad(
                path, $"event {List.Count} is at column {x}, row {y}, outside the {EventFrames.Sensor}×{EventFrames.Sensor} sensor",
                "are the columns in this order: t, x, y, p in .npz, x, y, p, t in .npy?");
        }

        if (p is not (0 or 1))
        {
            throw FileErrors.Bad(
                path, $"event {List.Count} has polarity {p}; polarities are 0 (OFF) and 1 (ON)",
                "write them as 0 and 1: (p > 0) as integers");
        }

        if (t < 0 || t > EventFrames.MaxTime)
        {
            throw FileErrors.Bad(path, $"event {List.Count} has time {t} µs");
        }

        if (t < last)
        {
            throw FileErrors.Bad(
                path, $"time goes back at event {List.Count}, from {last} to {t} µs",
                "sort the events by time, or convert the recording anew");
        }

        last = t;
        List.Add(t, (int)x, (int)y, (int)p);
    }
}
