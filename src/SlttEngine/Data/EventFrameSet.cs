namespace SlttEngine.Data;

/// <summary>An event data set as frames, from a cache of packed frames.</summary>
public sealed class EventFrameSet : IFrameSet, IDisposable
{
    private readonly EventCache cache;
    private readonly PartContents contents;

    private EventFrameSet(EventRecordings source, EventCache cache, IReadOnlyList<string> notes)
    {
        Notes = notes;
        (this.cache, contents) = (cache, source.Contents);
        ClassNames = source.ClassNames;
        Transform = EventTransformer.Describe(source.Transform, source.Split);
        Shape = source.Shape;
        Element = EventTransformer.Element(source.Transform);
        float scale = EventTransformer.Scale(source.Transform);
        Scale = [scale, scale];
    }

    /// <inheritdoc/>
    public int Count => cache.Count;

    /// <inheritdoc/>
    public int Classes => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public string? Name { get; internal init; }

    /// <inheritdoc/>
    public string Transform { get; }

    /// <inheritdoc/>
    public FrameShape Shape { get; }

    /// <inheritdoc/>
    public SampleElement Element { get; }

    /// <inheritdoc/>
    public IReadOnlyList<float> Scale { get; }

    /// <inheritdoc/>
    public IReadOnlyList<float> Shift { get; } = [0, 0];

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>
    /// One line that says why the frames could not be cached in a file for the next run; null if they are, or none was wanted.
    /// </summary>
    public string? CacheProblem => cache.Problem;

    /// <inheritdoc/>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            List<string> lines = [.. contents.Warnings];
            if (cache.LeftOut.Count > 0)
            {
                string samples = cache.LeftOut.Count == 1 ? "1 sample" : $"{PartContents.Number(cache.LeftOut.Count)} samples";
                lines.Add($"{samples} without an event left out: {PartContents.Some(cache.LeftOut)}");
            }

            if (CacheProblem is not null)
            {
                lines.Add($"the frames are in memory alone, and the next run decodes the recordings again: {CacheProblem}");
            }

            return lines;
        }
    }

    /// <inheritdoc/>
    public int Label(int index) => cache.Label(index);

    /// <inheritdoc/>
    public void Read(int index, ulong draw, Span<byte> frames) => cache.Read(index, Element.Size(), frames);

    /// <summary>Closes the cache.</summary>
    public void Dispose() => cache.Dispose();

    internal static EventFrameSet Open(EventRecordings source, DataSetOptions options, string? name, IReadOnlyList<string> notes)
    {
        source.Contents.Require(options.AllowIncomplete);
        Action<int, int>? progress = options.Progress is { } tell
            ? (done, all) => tell($"decoding {(source.Train ? "training" : "test")} recordings: {done} of {all}")
            : null;
        return new(source, EventCache.Open(source, options.CacheFolder, options.Workers, progress, options.AllowIncomplete), notes)
        {
            Name = name,
        };
    }
}
