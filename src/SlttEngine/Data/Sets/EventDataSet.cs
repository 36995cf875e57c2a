namespace SlttEngine.Data.Sets;

/// <summary>
/// What data sets of an event camera have in common: samples become T frames of counts. A folder may hold the authors' recordings, or
/// what other programs made of them. Recordings go first, then events, then frames.
/// </summary>
public abstract class EventDataSet : NamedDataSet
{
    /// <summary>The classes in order.</summary>
    private protected abstract IReadOnlyList<string> Names { get; }

    /// <summary>The cache's name of the set.</summary>
    private protected abstract string CacheName { get; }

    /// <inheritdoc/>
    public override SampleFormat Format(DataSetOptions options)
    {
        EventTransform transform = Transform(options);
        (int size, float scale) = (EventTransformer.Size(transform), EventTransformer.Scale(transform));
        FrameShape shape = new(options.Steps, 2, size, size);
        return new SampleFormat.Frames(shape, Names.Count, EventTransformer.Element(transform), [scale, scale], [0, 0]);
    }

    /// <inheritdoc/>
    public override IDataSet Open(string folder, bool train, DataSetOptions options)
    {
        SampleForm? form = FindForm(folder, options.Steps, options.Split);
        List<string> notes = [];
        if (form is not null)
        {
            notes.Add($"{Title}: {form.Note}");
        }

        if (options.Split.Duration > 0)
        {
            notes.Add(
                $"{Title}: a frame is a slice of {options.Split.Duration} µs; the first {options.Steps} of a sample count, shorter samples "
                    + "end in empty frames");
        }

        EventRecordings source = form is null ? Recordings(folder, train, options)
            : new SampleFormRecordings(CacheName, Names, form, train, options, Transform(options));
        return EventFrameSet.Open(source, options, notes);
    }

    /// <inheritdoc/>
    public override double LargestArray(DataSetOptions options, int batch) =>
        Math.Max(base.LargestArray(options, batch), (double)EventFrames.FrameLength * options.Steps);

    /// <inheritdoc/>
    internal override void Count(string folder, bool train, bool thorough, DataSetTally tally)
    {
        tally.Classes = new int[Names.Count];
        SampleForm? form = FindForm(folder, null, EventSplit.Number);
        if (form is null)
        {
            tally.Form = "the authors' recordings";
            CountRecordings(folder, train, thorough, tally);
            return;
        }

        tally.Form = $"{form.Title} in {form.Folder}{(form.Remark is null ? string.Empty : $" ({form.Remark})")}";
        foreach ((string path, int label) in form.Files(train))
        {
            tally.File(
                () => DataSetTally.CheckSample(path, [form.Magic], thorough ? () => form.Read(path, label) : null),
                () => tally.Classes[label]++);
        }
    }

    /// <summary>What is done to the counts.</summary>
    private protected virtual EventTransform Transform(DataSetOptions options) => EventTransform.None;

    /// <summary>True if the folder holds recordings of the authors.</summary>
    private protected abstract bool HasRecordings(string folder);

    /// <summary>The recordings of a part.</summary>
    private protected abstract EventRecordings Recordings(string folder, bool train, DataSetOptions options);

    /// <summary>Counts the authors' recordings of a part.</summary>
    private protected abstract void CountRecordings(string folder, bool train, bool thorough, DataSetTally tally);

    /// <summary>Lists a part of a folder of .npz files in SpikingJelly's layout.</summary>
    /// <param name="root">events_np or a folder of frames.</param>
    /// <param name="train">Which part.</param>
    /// <param name="counted">File names end in the number of frames, as SpikingJelly names those of slices.</param>
    private protected abstract (string Path, int Label)[] SampleFiles(string root, bool train, bool counted);

    /// <summary>The form of another program than SpikingJelly; null if there is none.</summary>
    private protected virtual SampleForm? OtherEvents(string folder) => null;

    /// <summary>In what SpikingJelly's samples differ from those of the authors' recordings; null if in nothing.</summary>
    private protected virtual string? SpikingJellyRemark => null;

    /// <summary>The form to read; null: the authors' recordings, or the message that says what is missing.</summary>
    private SampleForm? FindForm(string folder, int? steps, EventSplit split)
    {
        if (HasRecordings(folder))
        {
            return null;
        }

        string events = Path.Combine(folder, "events_np");
        if (Directory.Exists(events))
        {
            return new SampleForm(
                "SpikingJelly's events", events, train => SampleFiles(events, train, counted: false),
                (path, label) => new EventSample(label, path, EventArrays.ReadNpz(path))) { Remark = SpikingJellyRemark };
        }

        if (OtherEvents(folder) is { } other)
        {
            return other;
        }

        return FrameFolders.Find(folder, steps, split) is not { } frames ? null
            : new SampleForm(
                frames.Title, frames.Path, train => SampleFiles(frames.Path, train, counted: frames.Steps is null),
                (path, label) => new EventSample(label, path, null, EventArrays.ReadFrames(
                    path, frames.Array, steps ?? frames.Steps ?? 1, anyCount: frames.Steps is null)))
            {
                Remark = frames.Array == "frames" ? SpikingJellyRemark : null,
            };
    }
}
