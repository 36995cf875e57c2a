namespace SlttEngine.Data;

/// <summary>An event data set as frames, from a cache of packed frames: see <see cref="DvsGesture"/> and <see cref="Cifar10Dvs"/>.</summary>
public sealed class EventFrameSet : IFrameSet, IDisposable
{
    private readonly EventCache cache;

    private EventFrameSet(EventRecordings source, EventCache cache)
    {
        this.cache = cache;
        ClassNames = source.ClassNames;
        Shape = source.Shape;
        ElementSize = EventTransformer.ElementSize(source.Transform);
        float scale = EventTransformer.Scale(source.Transform);
        Scale = [scale, scale];
    }

    /// <inheritdoc/>
    public int Count => cache.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public FrameShape Shape { get; }

    /// <inheritdoc/>
    public int ElementSize { get; }

    /// <inheritdoc/>
    public IReadOnlyList<float> Scale { get; }

    /// <inheritdoc/>
    public IReadOnlyList<float> Shift { get; } = [0, 0];

    /// <summary>One line that says why the frames could not be cached in a file for the next run; null if they are, or none was wanted.</summary>
    public string? CacheProblem => cache.Problem;

    /// <inheritdoc/>
    public int Label(int index) => cache.Label(index);

    /// <inheritdoc/>
    public bool TryRead(int index, ulong draw, Span<byte> frames)
    {
        cache.Read(index, ElementSize, frames);
        return true;
    }

    /// <summary>Closes the cache.</summary>
    public void Dispose() => cache.Dispose();

    internal static EventFrameSet Open(EventRecordings source, EventSetOptions options) =>
        new(source, EventCache.Open(source, options.CacheFolder, options.Workers, options.Progress));
}

/// <summary>How an event data set is turned into frames.</summary>
public sealed record EventSetOptions
{
    /// <summary>T, frames of equal event count.</summary>
    public required int Steps { get; init; }

    /// <summary>What is done to the counts.</summary>
    public EventTransform Transform { get; init; }

    /// <summary>Where packed frames are kept for the next run; null, or not writable: in memory alone.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Threads that decode recordings.</summary>
    public int Workers { get; init; } = 4;

    /// <summary>Told (recordings done, recordings) while decoding.</summary>
    public Action<int, int>? Progress { get; init; }
}
