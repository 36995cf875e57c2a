namespace SlttEngine.Data.Sets;

/// <summary>One part of a data set as found in a folder.</summary>
/// <param name="Part">train or test.</param>
/// <param name="Samples">Samples found; 0 if there is a problem that prevents counting.</param>
/// <param name="SamplesByClass">Samples of each class.</param>
/// <param name="Files">Files that were inspected.</param>
/// <param name="BadFiles">Files that cannot be used.</param>
/// <param name="FirstProblem">One line about the first of them, or about a missing folder; null if all is well.</param>
public sealed record DataSetPart(
    string Part, int Samples, IReadOnlyList<int> SamplesByClass, int Files, int BadFiles, string? FirstProblem)
{
    /// <summary>Event data: the form of the samples that were found; null elsewhere.</summary>
    public string? Form { get; init; }

    /// <summary>The classes in order.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>Samples of each class as the authors distribute the set; null if that is not fixed.</summary>
    public IReadOnlyList<int>? ExpectedByClass { get; init; }

    /// <summary>How the part differs from a complete one, a line each: training refuses such a part unless the user allows it.</summary>
    public IReadOnlyList<string> Incomplete { get; init; } = [];

    /// <summary>One line that counts files that are there but are not read; null if there are none.</summary>
    public string? NotRead { get; init; }
}

/// <summary>Counts the samples and files of a part, and keeps the first problem.</summary>
/// <param name="part">train or test.</param>
internal sealed class DataSetTally(string part)
{
    private readonly List<string> withoutEvents = [];
    private string? firstProblem;
    private int bad;

    /// <summary>The samples by class; null while there is a problem that prevents counting.</summary>
    internal PartContents? Contents { get; set; }

    /// <summary>Files that were inspected.</summary>
    internal int Files { get; set; }

    /// <summary>See <see cref="DataSetPart.Form"/>.</summary>
    internal string? Form { get; set; }

    /// <summary>Runs an inspection; what it throws is the first problem.</summary>
    internal void Try(Action inspect)
    {
        try
        {
            inspect();
        }
        catch (SlttException e)
        {
            firstProblem ??= e.Message;
        }
    }

    /// <summary>Checks one file; if it is bad, takes its samples back.</summary>
    internal void File(Action check, IReadOnlyList<int> labels)
    {
        Files++;
        try
        {
            check();
        }
        catch (SlttException e)
        {
            bad++;
            firstProblem ??= e.Message;
            foreach (int label in labels)
            {
                Contents!.Remove(label);
            }
        }
    }

    /// <summary>Takes back a sample that holds no event.</summary>
    internal void WithoutEvents(int label, string name)
    {
        Contents!.Remove(label);
        withoutEvents.Add(name);
    }

    /// <summary>Reads every image; removes the damaged ones from the counts.</summary>
    internal void Decode(ImageFolder images)
    {
        Parallel.For(0, images.Count, () => new byte[images.Shape.Length], (i, _, frames) =>
        {
            try
            {
                images.Read(i, 0, frames);
            }
            catch (DamagedSampleException)
            {
                lock (this)
                {
                    Contents!.Remove(images.Label(i));
                }
            }

            return frames;
        }, _ => { });
        bad += images.Damaged.Count;
        firstProblem ??= images.Damaged.Order(StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>The counts.</summary>
    internal DataSetPart Result()
    {
        Contents?.AddFault("samples without an event", withoutEvents);
        IReadOnlyList<int> found = Contents?.Found ?? [];
        return new DataSetPart(part, found.Sum(), found, Files, bad, firstProblem)
        {
            Form = Form,
            ClassNames = Contents?.ClassNames ?? [],
            ExpectedByClass = Contents?.Expected,
            Incomplete = Contents?.Incomplete ?? [],
            NotRead = Contents?.NotRead,
        };
    }
}
