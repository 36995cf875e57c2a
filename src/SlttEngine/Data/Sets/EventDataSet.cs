namespace SlttEngine.Data.Sets;

/// <summary>What data sets of an event camera have in common: recordings become T frames of counts.</summary>
public abstract class EventDataSet : NamedDataSet
{
    /// <summary>The classes in order.</summary>
    private protected abstract IReadOnlyList<string> Names { get; }

    /// <inheritdoc/>
    public override SampleFormat Format(DataSetOptions options)
    {
        EventTransform transform = Transform(options);
        (int size, float scale) = (EventTransformer.Size(transform), EventTransformer.Scale(transform));
        FrameShape shape = new(options.Steps, 2, size, size);
        return new SampleFormat.Frames(shape, Names.Count, EventTransformer.Element(transform), [scale, scale], [0, 0]);
    }

    /// <inheritdoc/>
    public override IDataSet Open(string folder, bool train, DataSetOptions options) =>
        EventFrameSet.Open(Recordings(folder, train, options), options);

    /// <inheritdoc/>
    public override double LargestArray(DataSetOptions options, int batch) =>
        Math.Max(base.LargestArray(options, batch), 2.0 * EventFrames.Sensor * EventFrames.Sensor * options.Steps);

    /// <inheritdoc/>
    internal override void Count(string folder, bool train, bool thorough, DataSetTally tally)
    {
        EventRecordings recordings = Recordings(folder, train, new DataSetOptions { Steps = 1 });
        tally.Contents = recordings.Contents;
        for (int i = 0; i < recordings.Count; i++)
        {
            int index = i;
            tally.File(() => Check(recordings, index, thorough, tally), recordings.Labels(index));
        }
    }

    private protected override void RequireComplete(string folder, bool train, DataSetOptions options) =>
        Recordings(folder, train, options).Contents.Require(options.AllowIncomplete);

    /// <summary>What is done to the counts.</summary>
    private protected virtual EventTransform Transform(DataSetOptions options) => EventTransform.None;

    /// <summary>The recordings of a part.</summary>
    private protected abstract EventRecordings Recordings(string folder, bool train, DataSetOptions options);

    /// <summary>Checks a recording: its first bytes or, thoroughly, that it decodes to events on the sensor.</summary>
    private static void Check(EventRecordings recordings, int index, bool thorough, DataSetTally tally)
    {
        if (!thorough)
        {
            recordings.CheckStart(index);
            return;
        }

        // A bad recording counts as one: its samples are taken back together.
        List<(int Label, string Name)> empty = [];
        foreach ((int label, EventList events, string name) in recordings.Decode(index))
        {
            EventFrames.Integrate(events, 1, name);
            if (events.Count == 0)
            {
                empty.Add((label, name));
            }
        }

        empty.ForEach(sample => tally.WithoutEvents(sample.Label, sample.Name));
    }
}
