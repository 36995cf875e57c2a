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
        EventFrameSet.Open(Recordings(folder, train, options), options, Name);

    /// <inheritdoc/>
    public override double LargestArray(DataSetOptions options, int batch) =>
        Math.Max(base.LargestArray(options, batch), 2.0 * EventFrames.Sensor * EventFrames.Sensor * options.Steps);

    /// <summary>What is done to the counts.</summary>
    private protected virtual EventTransform Transform(DataSetOptions options) => EventTransform.None;

    /// <summary>The recordings of a part.</summary>
    private protected abstract EventRecordings Recordings(string folder, bool train, DataSetOptions options);
}
