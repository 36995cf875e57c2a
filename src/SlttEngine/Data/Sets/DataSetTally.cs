using System.Text;
using SlttEngine.IO;

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
    /// <summary>Event data: the form of the samples that were found, where there are several; null elsewhere.</summary>
    public string? Form { get; init; }
}

/// <summary>Counts the samples and files of a part, and keeps the first problem.</summary>
/// <param name="part">train or test.</param>
internal sealed class DataSetTally(string part)
{
    private string? firstProblem;
    private int bad;

    /// <summary>Samples of each class.</summary>
    internal int[] Classes { get; set; } = [];

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

    /// <summary>Checks one file and counts its samples, or counts a bad file.</summary>
    internal void File(Action check, Action count)
    {
        Files++;
        try
        {
            check();
            count();
        }
        catch (SlttException e)
        {
            bad++;
            firstProblem ??= e.Message;
        }
    }

    /// <summary>Counts all samples of a set that is open.</summary>
    internal void AddAll(IDataSet set)
    {
        Classes = new int[set.Classes];
        for (int i = 0; i < set.Count; i++)
        {
            Classes[set.Label(i)]++;
        }
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
                    Classes[images.Label(i)]--;
                }
            }

            return frames;
        }, _ => { });
        bad += images.Damaged.Count;
        firstProblem ??= images.Damaged.Order(StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>The counts.</summary>
    internal DataSetPart Result() => new(part, Classes.Sum(), Classes, Files, bad, firstProblem) { Form = Form };

    /// <summary>Checks a recording: its first bytes or, thoroughly, that it decodes to events on the sensor.</summary>
    internal static void CheckRecording(string path, ReadOnlySpan<byte> magic, bool thorough, Func<string, EventList> read) =>
        CheckSample(
            path, [magic.ToArray(), Aedat4.Magic.ToArray()],
            thorough ? () => new EventSample(0, path, Aedat4.ReadOr(path, read)) : null);

    /// <summary>Checks a file: that it begins in one of some ways or, where there is a reader, that it can be read.</summary>
    internal static void CheckSample(string path, byte[][] magics, Func<EventSample>? read)
    {
        if (read is not null)
        {
            EventSample sample = read();
            if (sample.Events is not null)
            {
                EventFrames.Integrate(sample.Events, 1, path);
            }

            return;
        }

        try
        {
            using FileStream file = System.IO.File.OpenRead(path);
            byte[] start = new byte[16];
            int length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            if (!magics.Any(magic => start.AsSpan(0, length).StartsWith(magic)))
            {
                string shown = Encoding.Latin1.GetString(magics[0]).TrimStart('\x93');
                throw FileErrors.Bad(path, $"does not begin with {shown}");
            }
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }
    }
}
