namespace SlttEngine.Data;

/// <summary>How a data set is opened. Data sets of images ignore all but <see cref="AllowIncomplete"/>.</summary>
public sealed record DataSetOptions
{
    /// <summary>T, the number of frames.</summary>
    public required int Steps { get; init; }

    /// <summary>Which events make a frame; by default frames have equal event counts.</summary>
    public EventSplit Split { get; init; }

    /// <summary>
    /// DVS-CIFAR10: frames become 48×48 by resampling the counts (<see cref="EventTransform.Plain48"/>), not as the official programs
    /// do it (<see cref="EventTransform.Official48"/>).
    /// </summary>
    public bool PlainResize { get; init; }

    /// <summary>Where packed frames are kept for the next run; null, or not writable: in memory alone.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>
    /// Take what is there of an incomplete set, and leave out samples without an event. Else both are refused.
    /// <see cref="IDataSet.Warnings"/> says what is missing.
    /// </summary>
    public bool AllowIncomplete { get; init; }

    /// <summary>Threads that decode recordings.</summary>
    public int Workers { get; init; } = 4;

    /// <summary>Receives one line now and then while recordings are decoded for the first time, from any thread.</summary>
    public Action<string>? Progress { get; init; }
}
