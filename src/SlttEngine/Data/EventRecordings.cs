namespace SlttEngine.Data;

/// <summary>
/// The recordings of one part of an event data set, decoded file by file: what <see cref="EventFrameSet"/> makes its cache from.
/// Several threads call the members at the same time.
/// </summary>
internal abstract class EventRecordings
{
    /// <param name="train">The training part, else the test part.</param>
    /// <param name="steps">T.</param>
    /// <param name="transform">What is done to the counts.</param>
    /// <param name="split">Which events make a frame.</param>
    protected EventRecordings(bool train, int steps, EventTransform transform, EventSplit split)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        (Train, Steps, Transform, Split) = (train, steps, transform, split);
    }

    /// <summary>The data set's and its part's name, for the cache's file name: letters, digits and '-'.</summary>
    internal abstract string Name { get; }

    /// <summary>True for the training part.</summary>
    internal bool Train { get; }

    /// <summary>The classes.</summary>
    internal IReadOnlyList<string> ClassNames => Contents.ClassNames;

    /// <summary>The part's samples by class, as the lists and labels have them: checked before anything is decoded.</summary>
    internal abstract PartContents Contents { get; }

    /// <summary>The number of recordings.</summary>
    internal abstract int Count { get; }

    /// <summary>T.</summary>
    internal int Steps { get; }

    /// <summary>What is done to the counts.</summary>
    internal EventTransform Transform { get; }

    /// <summary>Which events make a frame.</summary>
    internal EventSplit Split { get; }

    /// <summary>Sizes of a sample.</summary>
    internal FrameShape Shape => new(Steps, 2, EventTransformer.Size(Transform), EventTransformer.Size(Transform));

    /// <summary>The files that recording <paramref name="index"/> is made of.</summary>
    internal abstract IEnumerable<string> Files(int index);

    /// <summary>The classes of the samples of recording <paramref name="index"/>, in order.</summary>
    internal abstract IReadOnlyList<int> Labels(int index);

    /// <summary>Looks at the first bytes of recording <paramref name="index"/> alone.</summary>
    /// <exception cref="SlttException">The file cannot be read or is of another kind.</exception>
    internal abstract void CheckStart(int index);

    /// <summary>Decodes a recording's samples in order.</summary>
    /// <exception cref="SlttException">A file cannot be read or is damaged.</exception>
    internal abstract IEnumerable<EventSample> Decode(int index);
}
