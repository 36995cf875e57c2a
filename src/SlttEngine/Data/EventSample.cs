namespace SlttEngine.Data;

/// <summary>A sample as a file has it: its events or, where a program made them before, its frames.</summary>
/// <param name="Label">The class.</param>
/// <param name="Path">The file, for errors.</param>
/// <param name="Events">The events; null if there are frames.</param>
/// <param name="Frames">Counts, (T, 2, 128, 128); null if there are events.</param>
internal readonly record struct EventSample(int Label, string Path, EventList? Events, ushort[]? Frames = null)
{
    /// <summary>Writes the sample's frames.</summary>
    /// <param name="steps">T.</param>
    /// <param name="split">Which events make a frame.</param>
    /// <param name="counts">Receives (T, 2, 128, 128).</param>
    internal void Integrate(int steps, EventSplit split, Span<ushort> counts)
    {
        if (Events is not null)
        {
            EventFrames.Integrate(Events, steps, counts, Path, split);
        }
        else
        {
            Frames.CopyTo(counts);
        }
    }
}
