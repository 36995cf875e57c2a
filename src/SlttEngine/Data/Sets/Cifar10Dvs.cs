using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>
/// DVS-CIFAR10 (Li et al., 2017): a folder for each class with recordings cifar10_CLASS_N.aedat, N from 0 to 999. The first 90 % by N of
/// each class are for training, the rest for testing. A recording may have been converted to AEDAT 4.0.
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

    private protected override string CacheName => "cifar10dvs";

    private protected override string SpikingJellyRemark =>
        "turned clockwise by 90° against the recordings as the official SLTT programs read them: test a network on what it was trained on";

    /// <summary>The folder of the class folders.</summary>
    /// <exception cref="SlttException">There is none.</exception>
    public static string Find(string folder)
    {
        string[] places = [.. Places(folder)];
        return places.FirstOrDefault(HoldsRecordings) ?? places.FirstOrDefault() ?? throw new SlttException(ErrorKind.Data,
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
    public static (string Path, int Label)[] Split(string events, bool train) => Split(events, train, [".aedat", ".aedat4"], 1);

    private static (string Path, int Label)[] Split(string events, bool train, string[] endings, int numberFromEnd)
    {
        (string Path, int Number)[][] classes = [.. ClassNames.Select(name => List(Path.Combine(events, name), endings, numberFromEnd))];
        int largest = classes.Max(c => c.Length);
        bool complete = classes.All(c => c.Select(f => f.Number).SequenceEqual(Enumerable.Range(0, c.Length)));
        int firstTest = (int)(0.9 * (complete ? largest : Math.Max(largest, FilesPerClass)));
        (string, int)[] part = [
            .. classes.SelectMany((files, label) => files.Where(f => f.Number < firstTest == train).Select(f => (f.Path, label)))];
        return part.Length > 0 ? part
            : throw new SlttException(ErrorKind.Data, $"no recording for {(train ? "training" : "testing")} in {events}",
                $"recordings below number {firstTest} of each class are for training, the others for testing");
    }

    /// <summary>The folders that hold class folders.</summary>
    private static IEnumerable<string> Places(string folder) =>
        ((string[])["events", "", "extract", Path.Combine("CIFAR10DVS", "events"), "CIFAR10DVS"])
            .Select(place => Path.Combine(folder, place)).Where(candidate => ClassNames.Any(name => Directory.Exists(Path.Combine(candidate, name))));

    private static bool HoldsRecordings(string place) => ClassNames.Select(name => Path.Combine(place, name)).Where(Directory.Exists)
        .Any(name => SampleForm.FilesIn(name, ".aedat").Length + SampleForm.FilesIn(name, ".aedat4").Length > 0);

    /// <summary>The class of a recording by its folder or name; −1 if neither is a class.</summary>
    public static int LabelOf(string path)
    {
        string folder = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))) ?? "";
        string[] parts = Path.GetFileNameWithoutExtension(path).Split('_');
        int byName = parts.Length >= 2 ? Index(parts[^2]) : -1;
        return byName >= 0 ? byName : Index(folder);
    }

    private protected override void CountRecordings(string folder, bool train, bool thorough, DataSetTally tally)
    {
        foreach ((string path, int label) in Split(Find(folder), train))
        {
            tally.File(() => DataSetTally.CheckRecording(path, "#!AER-DAT2.0"u8, thorough, Aedat2.Read), () => tally.Classes[label]++);
        }
    }

    private protected override EventTransform Transform(DataSetOptions options) =>
        options.PlainResize ? EventTransform.Plain48 : EventTransform.Official48;

    private protected override EventRecordings Recordings(string folder, bool train, DataSetOptions options) =>
        new ClassFolders(Split(Find(folder), train), train, options, Transform(options));

    private protected override bool HasRecordings(string folder) => Places(folder).Any(HoldsRecordings);

    private protected override (string Path, int Label)[] SampleFiles(string root, bool train, bool counted) =>
        Split(root, train, [".npz"], counted ? 2 : 1);

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

    /// <summary>The recordings of a class folder, by number.</summary>
    private static (string Path, int Number)[] List(string folder, string[] endings, int numberFromEnd)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        (string Path, int Number)[] files = [.. endings.SelectMany(ending => SampleForm.FilesIn(folder, ending))
            .Select(path => (path, Number(path, numberFromEnd))).OrderBy(f => f.Item2)];
        for (int i = 1; i < files.Length; i++)
        {
            if (files[i].Number == files[i - 1].Number)
            {
                throw FileErrors.Bad(
                    files[i].Path, $"number {files[i].Number} is there twice, also as {Path.GetFileName(files[i - 1].Path)}",
                    "keep one of them");
            }
        }

        return files;
    }

    private static int Number(string path, int fromEnd)
    {
        string[] parts = Path.GetFileNameWithoutExtension(path).Split('_');
        return parts.Length >= fromEnd && int.TryParse(parts[^fromEnd], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw FileErrors.Bad(path, "the name does not end in a number, as cifar10_airplane_0.aedat does");
    }

    private sealed class ClassFolders((string Path, int Label)[] files, bool train, DataSetOptions options, EventTransform transform)
        : EventRecordings(train, options.Steps, transform, options.Split)
    {
        internal override string Name => Train ? "cifar10dvs-train" : "cifar10dvs-test";

        internal override IReadOnlyList<string> ClassNames => Cifar10Dvs.ClassNames;

        internal override int Count => files.Length;

        internal override IEnumerable<string> Files(int index) => [files[index].Path];

        internal override IEnumerable<EventSample> Decode(int index) =>
            [new EventSample(files[index].Label, files[index].Path, Aedat4.ReadOr(files[index].Path, Aedat2.Read))];
    }
}
