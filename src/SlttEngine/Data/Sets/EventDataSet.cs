namespace SlttEngine.Data.Sets;

/// <summary>
/// What data sets of an event camera have in common: samples become T frames of counts. A folder may hold the authors' recordings, or
/// what other programs made of them. Recordings go first, then events, then frames.
/// </summary>
public abstract class EventDataSet : NamedDataSet
{
    /// <summary>The classes in order.</summary>
    private protected abstract IReadOnlyList<string> Names { get; }

    /// <summary>T of the frames that a look at every file makes: the command's default.</summary>
    private const int UsualSteps = 6;

    /// <summary>The cache's name of the set.</summary>
    private protected abstract string CacheName { get; }

    /// <summary>In what SpikingJelly's samples differ from those of the authors' recordings; null if in nothing.</summary>
    private protected virtual string? SpikingJellyRemark => null;

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
        List<string> notes = [];
        EventRecordings source = Samples(folder, train, options, options.Steps, out SampleForm? form);
        if (form is not null)
        {
            notes.Add($"{Title}: the authors' recordings are not there; reads {form.Description}");
        }

        if (options.Split.Duration > 0)
        {
            notes.Add(
                $"{Title}: a frame is a slice of {options.Split.Duration} µs; the first {options.Steps} of a sample count, shorter samples "
                    + "end in empty frames");
        }

        return EventFrameSet.Open(source, options, Name, notes);
    }

    /// <inheritdoc/>
    public override double LargestArray(DataSetOptions options, int batch) =>
        Math.Max(base.LargestArray(options, batch), (double)EventFrames.FrameLength * options.Steps);

    /// <inheritdoc/>
    internal override SampleFiles Files(DataSetOptions options) =>
        new SampleRecordings(Format(options), Transform(options), options.Split);

    /// <inheritdoc/>
    internal override void Count(string folder, bool train, bool thorough, DataSetTally tally)
    {
        EventRecordings recordings = Samples(folder, train, new DataSetOptions { Steps = 1 }, null, out SampleForm? form);
        tally.Form = form?.Description ?? "the authors' recordings";
        tally.Contents = recordings.Contents;
        for (int i = 0; i < recordings.Count; i++)
        {
            int index = i;
            tally.File(() => Check(recordings, index, thorough, tally), recordings.Labels(index));
        }
    }

    private protected override void RequireComplete(string folder, bool train, DataSetOptions options) =>
        Samples(folder, train, options, options.Steps, out _).Contents.Require(options.AllowIncomplete);

    /// <summary>What is done to the counts.</summary>
    private protected virtual EventTransform Transform(DataSetOptions options) => EventTransform.None;

    /// <summary>True if the folder holds recordings of the authors.</summary>
    private protected abstract bool HasRecordings(string folder);

    /// <summary>Lists a part of a folder of .npz files in SpikingJelly's layout.</summary>
    /// <param name="root">events_np or a folder of frames.</param>
    /// <param name="train">Which part.</param>
    /// <param name="counted">File names end in the number of frames, as SpikingJelly names those of slices.</param>
    private protected abstract (PartContents Contents, (string Path, int Label)[] Files) SampleFiles(string root, bool train, bool counted);

    /// <summary>Events in the form of another program than SpikingJelly; null if there are none.</summary>
    private protected virtual SampleForm? OtherEvents(string folder) => null;

    /// <summary>The authors' recordings of a part.</summary>
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
        foreach (EventSample sample in recordings.Decode(index))
        {
            if (sample.Events is not null)
            {
                EventFrames.Integrate(sample.Events, UsualSteps, sample.Name);
            }

            if (!sample.HasEvents)
            {
                empty.Add((sample.Label, sample.Name));
            }
        }

        empty.ForEach(sample => tally.WithoutEvents(sample.Label, sample.Name));
    }

    /// <summary>The samples of a part, in the form that goes first of those that are there.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="train">Which part.</param>
    /// <param name="options">T and split.</param>
    /// <param name="steps">T that frames must have; null: any.</param>
    /// <param name="form">The form; null: the authors' recordings.</param>
    private EventRecordings Samples(string folder, bool train, DataSetOptions options, int? steps, out SampleForm? form)
    {
        form = HasRecordings(folder) ? null : FindForm(folder, steps, options.Split);
        return form is null ? Recordings(folder, train, options)
            : new SampleFormRecordings(CacheName, form, train, options, Transform(options));
    }

    private SampleForm? FindForm(string folder, int? steps, EventSplit split)
    {
        string events = Path.Combine(folder, "events_np");
        if (Directory.Exists(events))
        {
            return new SampleForm(
                "SpikingJelly's events", events, train => SampleFiles(events, train, counted: false),
                (path, label) => new EventSample(label, path, EventArrays.ReadNpz(path)))
            {
                Remark = SpikingJellyRemark,
            };
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
