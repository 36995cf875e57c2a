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
    private const int FirstTest = 900;

    private static readonly string[] RecordingEndings = [".aedat", ".aedat4"];

    /// <summary>The classes in order.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <inheritdoc/>
    public override string Name => "DVSCIFAR10";

    /// <inheritdoc/>
    public override string Title => "DVS-CIFAR10";

    /// <inheritdoc/>
    public override string Needs =>
        "events/airplane/ … events/truck/ with 1,000 .aedat files each, unpacked from airplane.zip … truck.zip; or SpikingJelly's "
            + "events_np/ or frames_number_T_split_by_number/ with those class folders";

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

    /// <summary>An empty count of a part, which knows how many samples the whole set has.</summary>
    /// <param name="place">The folder, for messages.</param>
    /// <param name="train">Which part.</param>
    internal static PartContents NewContents(string place, bool train) =>
        new(place, "DVS-CIFAR10", train, "recordings", ClassNames)
        {
            Expected = [.. ClassNames.Select(_ => train ? FirstTest : FilesPerClass - FirstTest)],
        };

    /// <summary>The recordings of a part, by class and number.</summary>
    /// <param name="events">As <see cref="Find"/> gives it.</param>
    /// <param name="train">Which part.</param>
    /// <param name="contents">Counts them, and what is missing.</param>
    /// <exception cref="SlttException">A class folder cannot be listed or a file's name is not cifar10_CLASS_N.aedat.</exception>
    internal static (string Path, int Label)[] Split(string events, bool train, PartContents contents)
    {
        NumberedSample[][] classes = [.. ClassNames.Select(name => List(events, name, contents, RecordingEndings, 1))];
        foreach (string other in DataFolder.Folders(events).Where(
            f => !ClassNames.Contains(Path.GetFileName(f), StringComparer.OrdinalIgnoreCase)))
        {
            int recordings = DataFolder.Files(other).Count(f => HasEnding(f, RecordingEndings));
            if (recordings > 0)
            {
                contents.AddFault($"{other} is no class, its recordings are not read ({PartContents.Number(recordings)})");
            }
        }

        return Split(classes, train, contents);
    }

    /// <summary>The samples of a part, whatever their form.</summary>
    /// <param name="classes">All samples of each class.</param>
    /// <param name="train">Which part.</param>
    /// <param name="contents">Counts them, and what is missing.</param>
    /// <remarks>
    /// A class has 1,000 samples, of which those below 900 are for training. If every class holds fewer, numbered from 0 without gaps (a
    /// small set of a user's own), 90 % of each class are.
    /// </remarks>
    /// <exception cref="SlttException">Two samples of a class have the same number.</exception>
    internal static (string Path, int Label)[] Split(
        IReadOnlyList<IReadOnlyList<NumberedSample>> classes, bool train, PartContents contents)
    {
        bool small = classes.All(
            c => c.Count < FilesPerClass && c.Select(f => f.Number).Order().SequenceEqual(Enumerable.Range(0, c.Count)));
        List<(string, int)> part = [];
        List<string> missing = [];
        for (int label = 0; label < classes.Count; label++)
        {
            int firstTest = small ? (int)(0.9 * classes[label].Count) : FirstTest;
            NumberedSample? last = null;
            foreach (NumberedSample sample in classes[label].OrderBy(s => s.Number))
            {
                if (sample.Number == last?.Number)
                {
                    throw FileErrors.Bad(
                        sample.Path, $"the number is that of {Path.GetFileName(last.Value.Path)} too", "remove one of them");
                }

                last = sample;
                if (sample.Number < firstTest == train)
                {
                    part.Add((sample.Path, label));
                    contents.Add(label);
                }
            }

            // Where a class has most of its samples, those that it lacks are worth their names.
            HashSet<int> there = [.. classes[label].Select(s => s.Number)];
            IEnumerable<int> numbers = train ? Enumerable.Range(0, FirstTest) : Enumerable.Range(FirstTest, FilesPerClass - FirstTest);
            int[] lacking = [.. numbers.Where(n => !there.Contains(n))];
            missing.AddRange(there.Count > FirstTest ? lacking.Select(n => $"{ClassNames[label]} {n}") : []);
        }

        contents.AddFault("not there", missing);
        return [.. part];
    }

    /// <summary>The class of a recording by its folder or name; −1 if neither is a class.</summary>
    public static int LabelOf(string path)
    {
        string folder = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))) ?? "";
        string[] parts = Path.GetFileNameWithoutExtension(path).Split('_');
        int byName = parts.Length >= 2 ? Index(parts[^2]) : -1;
        return byName >= 0 ? byName : Index(folder);
    }

    private protected override EventTransform Transform(DataSetOptions options) =>
        options.PlainResize ? EventTransform.Plain48 : EventTransform.Official48;

    private protected override EventRecordings Recordings(string folder, bool train, DataSetOptions options)
    {
        string events = Find(folder);
        PartContents contents = NewContents(events, train);
        return new ClassRecordings(Split(events, train, contents), contents, train, options, Transform(options));
    }

    private protected override bool HasRecordings(string folder) => Places(folder).Any(HoldsRecordings);

    private protected override (PartContents Contents, (string Path, int Label)[] Files) SampleFiles(string root, bool train, bool counted)
    {
        PartContents contents = NewContents(root, train);
        NumberedSample[][] classes = [.. ClassNames.Select(name => List(root, name, contents, [".npz"], counted ? 2 : 1))];
        return (contents, Split(classes, train, contents));
    }

    /// <summary>The folders that hold class folders.</summary>
    private static IEnumerable<string> Places(string folder) =>
        ((string[])["events", "", "extract", Path.Combine("CIFAR10DVS", "events"), "CIFAR10DVS"])
            .Select(place => Path.Combine(folder, place))
            .Where(place => Directory.Exists(place) && ClassNames.Any(name => ClassFolders(place, name).Length > 0));

    private static bool HoldsRecordings(string place) =>
        ClassNames.SelectMany(name => ClassFolders(place, name)).SelectMany(DataFolder.Files).Any(f => HasEnding(f, RecordingEndings));

    private static bool HasEnding(string path, string[] endings) => endings.Any(ending => DataFolder.HasEnding(path, ending));

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

    /// <summary>The folders of a class; a name in capitals counts too.</summary>
    private static string[] ClassFolders(string events, string name) =>
        [.. DataFolder.Folders(events).Where(f => Path.GetFileName(f).Equals(name, StringComparison.OrdinalIgnoreCase))];

    /// <param name="events">The folder of the class folders.</param>
    /// <param name="name">The class.</param>
    /// <param name="contents">Counts what is not read.</param>
    /// <param name="endings">Of the files to read.</param>
    /// <param name="numberFromEnd">Which part of a file's name is the sample's number: 1, the last.</param>
    private static NumberedSample[] List(string events, string name, PartContents contents, string[] endings, int numberFromEnd)
    {
        string[] folders = ClassFolders(events, name);
        if (folders.Length != 1)
        {
            return folders.Length == 0 ? []
                : throw FileErrors.Bad(
                    events, $"holds {Path.GetFileName(folders[0])} and {Path.GetFileName(folders[1])}: which is the class?",
                    "keep one of them");
        }

        ILookup<bool, string> files = DataFolder.Files(folders[0]).ToLookup(path => HasEnding(path, endings));
        foreach (string path in files[false].Concat(DataFolder.Folders(folders[0])))
        {
            contents.AddUnread(path);
        }

        return [.. files[true].Select(path => new NumberedSample(path, Number(path, name, numberFromEnd)))];
    }

    private static int Number(string path, string className, int fromEnd)
    {
        string[] parts = Path.GetFileNameWithoutExtension(path).Split('_');
        string? named = parts.Length <= fromEnd ? null
            : ClassNames.FirstOrDefault(c => c.Equals(parts[^(fromEnd + 1)], StringComparison.OrdinalIgnoreCase));
        if (named is not null && named != className)
        {
            throw FileErrors.Bad(path, $"a recording of {named} in the folder of {className}", "move it into its class");
        }

        return int.TryParse(parts[^Math.Min(fromEnd, parts.Length)], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw FileErrors.Bad(path, "the name does not end in a number, as cifar10_airplane_0.aedat does");
    }

    private sealed class ClassRecordings(
        (string Path, int Label)[] files, PartContents contents, bool train, DataSetOptions options, EventTransform transform)
        : EventRecordings(train, options.Steps, transform, options.Split)
    {
        internal override string Name => Train ? "cifar10dvs-train" : "cifar10dvs-test";

        internal override PartContents Contents => contents;

        internal override int Count => files.Length;

        internal override IEnumerable<string> Files(int index) => [files[index].Path];

        internal override IReadOnlyList<int> Labels(int index) => [files[index].Label];

        internal override void CheckStart(int index) => Aedat4.RequireStart(files[index].Path, "#!AER-DAT2.0"u8);

        internal override IEnumerable<EventSample> Decode(int index) =>
            [new EventSample(files[index].Label, files[index].Path, Aedat4.ReadOr(files[index].Path, Aedat2.Read))];
    }
}

/// <summary>A sample that a number within its class tells apart.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Number">From 0.</param>
internal readonly record struct NumberedSample(string Path, int Number);
