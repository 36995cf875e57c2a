namespace SlttEngine.Data;

/// <summary>Events of a camera in the order of the file: time in µs, column, row, polarity (1 ON, 0 OFF).</summary>
public sealed class EventList
{
    private long[] _t;
    private ushort[] _x;
    private ushort[] _y;
    private byte[] _p;

    /// <summary>An empty list with room for <paramref name="capacity"/> events.</summary>
    public EventList(int capacity = 0)
    {
        _t = new long[capacity];
        _x = new ushort[capacity];
        _y = new ushort[capacity];
        _p = new byte[capacity];
    }

    /// <summary>The number of events.</summary>
    public int Count { get; private set; }

    /// <summary>Times, µs.</summary>
    public ReadOnlySpan<long> T => _t.AsSpan(0, Count);

    /// <summary>Columns.</summary>
    public ReadOnlySpan<ushort> X => _x.AsSpan(0, Count);

    /// <summary>Rows.</summary>
    public ReadOnlySpan<ushort> Y => _y.AsSpan(0, Count);

    /// <summary>Polarities, 0 or 1.</summary>
    public ReadOnlySpan<byte> P => _p.AsSpan(0, Count);

    /// <summary>Appends an event.</summary>
    public void Add(long t, int x, int y, int p)
    {
        if (Count == _t.Length)
        {
            Grow(Math.Max(256, 2 * Count));
        }

        _t[Count] = t;
        _x[Count] = (ushort)x;
        _y[Count] = (ushort)y;
        _p[Count] = (byte)p;
        Count++;
    }

    /// <summary>The events with <paramref name="start"/> ≤ t &lt; <paramref name="end"/>; the list need not be in order of time.</summary>
    public EventList Between(long start, long end)
    {
        var part = new EventList();
        for (int i = 0; i < Count; i++)
        {
            if (_t[i] >= start && _t[i] < end)
            {
                part.Add(_t[i], _x[i], _y[i], _p[i]);
            }
        }

        return part;
    }

    /// <summary>Makes room for events that are about to be added.</summary>
    internal void Reserve(int more)
    {
        if (Count + (long)more > _t.Length)
        {
            Grow((int)Math.Max(Count + (long)more, Math.Min(2L * Count, Array.MaxLength)));
        }
    }

    private void Grow(int capacity)
    {
        Array.Resize(ref _t, capacity);
        Array.Resize(ref _x, capacity);
        Array.Resize(ref _y, capacity);
        Array.Resize(ref _p, capacity);
    }
}
