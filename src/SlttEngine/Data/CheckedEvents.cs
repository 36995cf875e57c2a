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
    private readonly EventList events = new(capacity);
    private long last;

    /// <summary>Makes room.</summary>
    internal void Reserve(int more) => events.Reserve(more);

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
                path, $"event {events.Count} is at column {x}, row {y}, outside the {EventFrames.Sensor}×{EventFrames.Sensor} sensor",
                "are the columns in this order: t, x, y, p in .npz, x, y, p, t in .npy?");
        }

        if (p is not (0 or 1))
        {
            throw FileErrors.Bad(
                path, $"event {events.Count} has polarity {p}; polarities are 0 (OFF) and 1 (ON)",
                "write them as 0 and 1: (p > 0) as integers");
        }

        if (t < 0 || t > EventFrames.MaxTime)
        {
            throw FileErrors.Bad(path, $"event {events.Count} has time {t} µs");
        }

        if (t < last)
        {
            throw FileErrors.Bad(
                path, $"time goes back at event {events.Count}, from {last} to {t} µs",
                "sort the events by time, or convert the recording anew");
        }

        last = t;
        events.Add(t, (int)x, (int)y, (int)p);
    }

    /// <summary>The events.</summary>
    /// <exception cref="SlttException">There are none.</exception>
    internal EventList Finish() => events.Count > 0 ? events : throw FileErrors.Bad(path, "holds no event");
}
