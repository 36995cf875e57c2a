using System.Globalization;

namespace SlttEngine.Data;

/// <summary>How a sample's events are shared out among its T frames. The rules are SpikingJelly's.</summary>
/// <remarks>The default is <see cref="Number"/>, as the official programs have it.</remarks>
public readonly record struct EventSplit
{
    private EventSplit(bool byTime, long duration) => (ByTime, Duration) = (byTime, duration);

    /// <summary>Frames of equal event count: each has N / T events, the last one also the rest.</summary>
    public static EventSplit Number => default;

    /// <summary>Frames of equal time: each lasts (last − first time) / T µs, the last one also the rest.</summary>
    public static EventSplit Time => new(true, 0);

    /// <summary>True for frames of equal time.</summary>
    public bool ByTime { get; }

    /// <summary>Length of a slice, µs; 0 where the number of frames is fixed.</summary>
    public long Duration { get; }

    /// <summary>
    /// Slices of a fixed length: a slice begins with an event and has all events up to <paramref name="duration"/> later, inclusive; the
    /// next event begins the next slice. The first T slices count. A sample with fewer has empty frames at its end.
    /// </summary>
    /// <param name="duration">µs, at least 1.</param>
    public static EventSplit Slices(long duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, 1);
        return new EventSplit(false, duration);
    }

    /// <summary>number, time or duration_N.</summary>
    public override string ToString() =>
        Duration > 0 ? string.Create(CultureInfo.InvariantCulture, $"duration_{Duration}") : ByTime ? "time" : "number";

    /// <summary>The events of each frame, [Left, Right), of events in order of time.</summary>
    /// <param name="events">In order of time; anything in any order under <see cref="Number"/>.</param>
    /// <param name="steps">T.</param>
    internal (int Left, int Right)[] Segments(EventList events, int steps)
    {
        ReadOnlySpan<long> t = events.T;
        (int, int)[] segments = new (int, int)[steps];
        long each = ByTime && t.Length > 0 ? (t[^1] - t[0]) / steps : t.Length / steps;
        int left = 0;
        for (int i = 0; i < steps; i++)
        {
            int right;
            if (Duration > 0)
            {
                for (right = left; right < t.Length && t[right] - t[left] <= Duration; right++)
                {
                }
            }
            else if (i == steps - 1)
            {
                right = t.Length;
            }
            else if (ByTime)
            {
                for (right = left; right < t.Length && t[right] - t[0] < each * (i + 1); right++)
                {
                }
            }
            else
            {
                right = left + (int)each;
            }

            segments[i] = (left, right);
            left = right;
        }

        return segments;
    }
}
