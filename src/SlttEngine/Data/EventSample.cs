namespace SlttEngine.Data;

/// <summary>A sample as a file has it: its events or, where a program made them before, its frames.</summary>
/// <param name="Label">The class.</param>
/// <param name="Name">What messages call it: its file, at least.</param>
/// <param name="Events">The events; null if there are frames.</param>
/// <param name="Frames">Counts, (T, 2, 128, 128); null if there are events.</param>
internal readonly record struct EventSample(int Label, string Name, EventList? Events, ushort[]? Frames = null)
{
    /// <summary>False if nothing happens in the sample.</summary>
    internal bool HasEvents => Events is null ? Frames.AsSpan().ContainsAnyExcept((ushort)0) : Events.Count > 0;

    /// <summary>Writes the sample's frames.</summary>
    /// <param name="steps">T.</param>
    /// <param name="split">Which events make a frame.</param>
    /// <param name="counts">Receives (T, 2, 128, 128).</param>
    internal void Integrate(int steps, EventSplit split, Span<ushort> counts)
    {
        if (Events is not null)
        {
            EventFrames.Integrate(Events, steps, counts, Name, split);
        }
        else
        {
            Frames.CopyTo(counts);
        }
    }
}
