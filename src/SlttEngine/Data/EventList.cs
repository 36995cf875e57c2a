namespace SlttEngine.Data;

/// <summary>Events of a camera in the order of the file: time in µs, column, row, polarity (1 ON, 0 OFF).</summary>
public sealed class EventList
{
    private long[] t;
    private ushort[] x;
    private ushort[] y;
    private byte[] p;

    /// <summary>An empty list with room for <paramref name="capacity"/> events.</summary>
    public EventList(int capacity = 0)
    {
        t = new long[capacity];
        x = new ushort[capacity];
        y = new ushort[capacity];
        p = new byte[capacity];
    }

    /// <summary>The number of events.</summary>
    public int Count { get; private set; }

    /// <summary>Times, µs.</summary>
    public ReadOnlySpan<long> T => t.AsSpan(0, Count);

    /// <summary>Columns.</summary>
    public ReadOnlySpan<ushort> X => x.AsSpan(0, Count);

    /// <summary>Rows.</summary>
    public ReadOnlySpan<ushort> Y => y.AsSpan(0, Count);

    /// <summary>Polarities, 0 or 1.</summary>
    public ReadOnlySpan<byte> P => p.AsSpan(0, Count);

    /// <summary>Appends an event.</summary>
    public void Add(long t, int x, int y, int p)
    {
        if (Count == this.t.Length)
        {
            Grow(Math.Max(256, 2 * Count));
        }

        this.t[Count] = t;
        this.x[Count] = (ushort)x;
        this.y[Count] = (ushort)y;
        this.p[Count] = (byte)p;
        Count++;
    }

    /// <summary>The events with <paramref name="start"/> ≤ t &lt; <paramref name="end"/>; the list need not be in order of time.</summary>
    public EventList Between(long start, long end)
    {
        EventList part = new EventList();
        for (int i = 0; i < Count; i++)
        {
            if (t[i] >= start && t[i] < end)
            {
                part.Add(t[i], x[i], y[i], p[i]);
            }
        }

        return part;
    }

    /// <summary>Makes room for events that are about to be added.</summary>
    internal void Reserve(int more)
    {
        if (Count + (long)more > t.Length)
        {
            Grow((int)Math.Max(Count + (long)more, Math.Min(2L * Count, Array.MaxLength)));
        }
    }

    private void Grow(int capacity)
    {
        Array.Resize(ref t, capacity);
        Array.Resize(ref x, capacity);
        Array.Resize(ref y, capacity);
        Array.Resize(ref p, capacity);
    }
}
