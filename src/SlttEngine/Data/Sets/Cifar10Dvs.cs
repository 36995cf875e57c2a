using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>
/// DVS-CIFAR10 (Li et al., 2017): a folder for each class with recordings cifar10_CLASS_N.aedat, N from 0 to 999. The first 90 % by N of
/// each class are for training, the rest for testing.
/// </summary>
public sealed class Cifar10Dvs : EventDataSet
{
    private const int FilesPerClass = 1000;

    /// <summary>The classes in order.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <inheritdoc/>
    public override string Name => "DVSCIFAR10";

    /// <inheritdoc/>
    public override string Title => "DVS-CIFAR10";

    /// <inheritdoc/>
    public override string Needs => "events/airplane/ … events/truck/ with 1,000 .aedat files each, unpacked from airplane.zip … truck.zip";

    /// <inheritdoc/>
    public override string Source => "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671";

    private protected override IReadOnlyList<string> Names => ClassNames;

    /// <summary>The folder of the class folders.</summary>
    /// <exception cref="SlttException">There is none.</exception>
    public static string Find(string folder)
    {
        foreach (string place in (ReadOnlySpan<string>)["events", "", "extract", Path.Combine("CIFAR10DVS", "events"), "CIFAR10DVS"])
        {
            string candidate = Path.Combine(folder, place);
            if (ClassNames.Any(name => Directory.Exists(Path.Combine(candidate, name))))
            {
                return candidate;
            }
        }

        throw new SlttException(ErrorKind.Data,
            $"no DVS-CIFAR10 in {folder}: events/airplane … events/truck are not there"
                + (Directory.Exists(folder) ? "" : " (there is no such folder)"),
            "unpack airplane.zip … truck.zip from https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671 into events/ there");
    }

    /// <summary>The recordings of a part, by class and number.</summary>
    /// <param name="events">As <see cref="Find"/> gives it.</param>
    /// <param name="train">Which part.</param>
    /// <remarks>
    /// A class has 1,000 recordings, of which those below 900 are for training. If every class holds fewer, numbered from 0 without gaps (a
    /// small set of a user's own), 90 % of that number are.
    /// </remarks>
    /// <exception cref="SlttException">A class folder cannot be listed or a file's name is not cifar10_CLASS_N.aedat.</exception>
    public static (string Path, int Label)[] Split(string events, bool train)
    {
        (string Path, int Number)[][] classes = [.. ClassNames.Select(name => List(Path.Combine(events, name)))];
        int largest = classes.Max(c => c.Length);
        bool complete = classes.All(c => c.Select(f => f.Number).SequenceEqual(Enumerable.Range(0, c.Length)));
        int firstTest = (int)(0.9 * (complete ? largest : Math.Max(largest, FilesPerClass)));
        (string, int)[] part = [
            .. classes.SelectMany((files, label) => files.Where(f => f.Number < firstTest == train).Select(f => (f.Path, label)))];
        return part.Length > 0 ? part
            : throw new SlttException(ErrorKind.Data, $"no recording for {(train ? "training" : "testing")} in {events}",
                $"recordings below number {firstTest} of each class are for training, the others for testing");
    }

    /// <summary>The class of a recording by its folder or name; −1 if neither is a class.</summary>
    public static int LabelOf(string path)
    {
        string folder = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))) ?? "";
        string[] parts = Path.GetFileNameWithoutExtension(path).Split('_');
        int byName = parts.Length >= 2 ? Index(parts[^2]) : -1;
        return byName >= 0 ? byName : Index(folder);
    }

    /// <inheritdoc/>
    internal override void Count(string folder, bool train, bool thorough, DataSetTally tally)
    {
        tally.Classes = new int[ClassNames.Count];
        foreach ((string path, int label) in Split(Find(folder), train))
        {
            tally.File(() => DataSetTally.CheckRecording(path, "#!AER-DAT2.0"u8, thorough, Aedat2.Read), () => tally.Classes[label]++);
        }
    }

    private protected override EventTransform Transform(DataSetOptions options) =>
        options.PlainResize ? EventTransform.Plain48 : EventTransform.Official48;

    private protected override EventRecordings Recordings(string folder, bool train, DataSetOptions options) =>
        new ClassFolders(Split(Find(folder), train), train, options.Steps, Transform(options));

    private static int Index(string name)
    {
        for (int i = 0; i < ClassNames.Count; i++)
        {
            if (ClassNames[i] == name)
            {
                return i;
            }
        }

        return -1;
    }

    private static (string Path, int Number)[] List(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        try
        {
            return [.. Directory.GetFiles(folder, "*.aedat").Select(path => (path, Number(path))).OrderBy(f => f.Item2)];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("list", folder, e);
        }
    }

    private static int Number(string path) =>
        int.TryParse(Path.GetFileNameWithoutExtension(path).Split('_')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
        : throw FileErrors.Bad(path, "the name does not end in a number, as cifar10_airplane_0.aedat does");

    private sealed class ClassFolders((string Path, int Label)[] files, bool train, int steps, EventTransform transform)
        : EventRecordings(train, steps, transform)
    {
        internal override string Name => Train ? "cifar10dvs-train" : "cifar10dvs-test";

        internal override IReadOnlyList<string> ClassNames => Cifar10Dvs.ClassNames;

        internal override int Count => files.Length;

        internal override IEnumerable<string> Files(int index) => [files[index].Path];

        internal override IEnumerable<(int Label, EventList Events, string Path)> Decode(int index) =>
            [(files[index].Label, Aedat2.Read(files[index].Path), files[index].Path)];
    }
}
