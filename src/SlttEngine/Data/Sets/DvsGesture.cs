using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>A row of a labels file: a gesture between two times of a recording.</summary>
/// <param name="Label">The gesture: its number in the file less 1. Its class is <see cref="DvsGesture.ClassOf"/>.</param>
/// <param name="Start">First time, µs.</param>
/// <param name="End">Time behind the last, µs.</param>
public readonly record struct GestureLabel(int Label, long Start, long End);

/// <summary>
/// DVS-Gesture (Amir et al., CVPR 2017): a folder DvsGesture of AEDAT 3.1 recordings, each with NAME_labels.csv (class 1 to 11, start and
/// end in µs), and trials_to_train.txt and trials_to_test.txt that list recordings. A sample is what lies in [start, end) of a row; rows
/// may overlap. A recording may have been converted to AEDAT 4.0.
/// </summary>
public sealed class DvsGesture : EventDataSet
{
    /// <summary>The gestures in the order of their classes: that of their numbers 0 to 10 as text, 0, 1, 10, 2 …</summary>
    /// <remarks>
    /// The official programs take SpikingJelly's folders 0 to 10 by torchvision's DatasetFolder, which sorts their names. The outputs of a
    /// checkpoint have that order.
    /// </remarks>
    public static IReadOnlyList<string> ClassNames { get; } =
    [
        "hand clapping", "right hand wave", "other gestures", "left hand wave", "right arm clockwise", "right arm counter clockwise",
        "left arm clockwise", "left arm counter clockwise", "arm roll", "air drums", "air guitar",
    ];

    /// <summary>The class of a gesture: its place in <see cref="ClassNames"/>.</summary>
    /// <param name="gesture">0 to 10: its number in a labels file less 1, or SpikingJelly's folder.</param>
    public static int ClassOf(int gesture) => gesture switch
    {
        <= 1 => gesture,
        10 => 2,
        _ => gesture + 1,
    };

    /// <inheritdoc/>
    public override string Name => "dvsgesture";

    /// <inheritdoc/>
    public override string Title => "DVS-Gesture";

    /// <inheritdoc/>
    public override string Needs =>
        "DvsGesture/ or extract/DvsGesture/ (.aedat and _labels.csv files, trials_to_train.txt, trials_to_test.txt), unpacked from "
            + "DvsGesture.tar.gz; or SpikingJelly's events_np/ or frames_number_T_split_by_number/, or tonic's ibmGestureTrain/ and "
            + "ibmGestureTest/";

    /// <inheritdoc/>
    public override string Source => "https://research.ibm.com/interactive/dvsgesture/";

    /// <inheritdoc/>
    public override bool DropsLast => true;

    private protected override IReadOnlyList<string> Names => ClassNames;

    private protected override string CacheName => "dvsgesture";

    /// <summary>The folder of the recordings: <paramref name="folder"/>/DvsGesture, …/extract/DvsGesture or itself.</summary>
    /// <exception cref="SlttException">There is none.</exception>
    public static string Find(string folder)
    {
        return Place(folder) ?? throw new SlttException(ErrorKind.Data,
            $"no DVS-Gesture in {folder}: DvsGesture/trials_to_train.txt is not there"
                + (Directory.Exists(folder) ? "" : " (there is no such folder)"),
            "unpack DvsGesture.tar.gz from https://research.ibm.com/interactive/dvsgesture/ there");
    }

    /// <summary>An empty count of a part, which knows how many samples the whole set has.</summary>
    /// <param name="recordings">As <see cref="Find"/> gives it.</param>
    /// <param name="train">Which part.</param>
    internal static PartContents NewContents(string recordings, bool train) =>
        new(recordings, "DVS-Gesture", train, "gestures", ClassNames)
        {
            ExpectedTotal = !SyntheticGestures.IsIn(recordings) ? (train ? 1176 : 288) : ClassNames.Count * List(recordings, train).Length,
        };

    /// <summary>The recordings of a part that are there, with their gestures.</summary>
    /// <param name="recordings">As <see cref="Find"/> gives it.</param>
    /// <param name="train">Which list, trials_to_train.txt or trials_to_test.txt.</param>
    /// <param name="contents">Counts the gestures, and what is missing.</param>
    /// <exception cref="SlttException">The list is missing or empty, or a labels file is malformed.</exception>
    internal static GestureTrial[] Trials(string recordings, bool train, PartContents contents)
    {
        string[] names = List(recordings, train), others = List(recordings, !train, optional: true);
        Dictionary<string, string> files = new(StringComparer.OrdinalIgnoreCase);
        foreach (string path in DataFolder.Files(recordings))
        {
            files.TryAdd(Path.GetFileName(path), path);
        }

        // A listed recording may have been converted.
        names = [.. names.Select(n => files.ContainsKey(n) || !files.ContainsKey(Converted(n)) ? n : Converted(n))];
        others = [.. others.Select(n => files.ContainsKey(n) || !files.ContainsKey(Converted(n)) ? n : Converted(n))];
        string[] missing = [.. names.Where(n => !files.ContainsKey(n)).Distinct()];
        string[] unlabelled = [.. names.Where(n => files.ContainsKey(n) && !files.ContainsKey(LabelsPath(n))).Distinct()];
        contents.AddFault("recordings listed but not there", missing);
        contents.AddFault("recordings without a labels file", unlabelled);
        contents.AddFault("recordings listed more than once", [.. names.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key)]);
        contents.AddFault("recordings that the list of the other part has too", [.. names.Intersect(others)]);
        foreach (string path in files.Values.Where(
            f => others.Length > 0 && (DataFolder.HasEnding(f, ".aedat") || DataFolder.HasEnding(f, ".aedat4"))
                && !Contains(names, f) && !Contains(others, f)))
        {
            contents.AddUnread(path);
        }

        List<GestureTrial> trials = [];
        foreach (string name in names.Where(n => !missing.Contains(n) && !unlabelled.Contains(n)))
        {
            GestureLabel[] labels = ReadLabelsFile(files[LabelsPath(name)]);
            GestureLabel[] backward = [.. labels.Where(l => l.End <= l.Start)];
            contents.AddFault($"gestures of {name} that end before they begin, left out", [.. backward.Select(Describe)]);
            GestureTrial trial = new(files[name], files[LabelsPath(name)], [.. labels.Where(l => l.End > l.Start)]);
            trials.Add(trial);
            Array.ForEach(trial.Labels, l => contents.Add(ClassOf(l.Label)));
        }

        return [.. trials];
    }

    /// <summary>Reads the labels file of a recording.</summary>
    /// <param name="recording">The .aedat file.</param>
    /// <exception cref="SlttException">The file NAME_labels.csv is missing or malformed: names the line.</exception>
    public static GestureLabel[] ReadLabels(string recording) => ReadLabelsFile(LabelsPath(recording));

    /// <summary>Reads a recording's samples in the order of its labels file.</summary>
    /// <param name="recording">The .aedat file; the labels file is in the same folder.</param>
    /// <exception cref="SlttException">A file is missing or damaged: names it.</exception>
    public static IEnumerable<(int Label, EventList Events)> ReadSamples(string recording)
    {
        GestureLabel[] labels = ReadLabels(recording);
        EventList events = Aedat4.ReadOr(recording, Aedat31.Read);
        foreach (GestureLabel label in labels)
        {
            yield return (label.Label, events.Between(label.Start, label.End));
        }
    }

    internal static string LabelsPath(string recording) =>
        Path.Combine(Path.GetDirectoryName(recording) ?? "", Path.GetFileNameWithoutExtension(recording) + "_labels.csv");

    /// <summary>A gesture, for messages.</summary>
    internal static string Describe(GestureLabel label) => $"gesture {label.Label + 1} from {label.Start} to {label.End} µs";

    private protected override EventRecordings Recordings(string folder, bool train, DataSetOptions options)
    {
        string recordings = Find(folder);
        PartContents contents = NewContents(recordings, train);
        return new ListedTrials(Trials(recordings, train, contents), contents, train, options);
    }

    private protected override bool HasRecordings(string folder) => Place(folder) is not null;

    private protected override (PartContents Contents, (string Path, int Label)[] Files) SampleFiles(
        string root, bool train, bool counted) => GestureFiles.List(root, train);

    private protected override SampleForm? OtherEvents(string folder) => GestureFiles.FindTonic(folder);

    private static string? Place(string folder) =>
        ((string[])["DvsGesture", Path.Combine("extract", "DvsGesture"), ""]).Select(place => Path.Combine(folder, place)).FirstOrDefault(
            place => File.Exists(Path.Combine(place, "trials_to_train.txt")) || File.Exists(Path.Combine(place, "trials_to_test.txt")));

    private static string Converted(string recording) => Path.ChangeExtension(recording, ".aedat4");

    /// <summary>The names in a part's list.</summary>
    private static string[] List(string recordings, bool train, bool optional = false)
    {
        string list = Path.Combine(recordings, train ? "trials_to_train.txt" : "trials_to_test.txt");
        if (optional && !File.Exists(list))
        {
            return [];
        }

        string[] names = [.. FileErrors.ReadLines(list).Select(line => line.Trim()).Where(name => name.Length > 0)];
        string? path = names.FirstOrDefault(name => name != Path.GetFileName(name));
        return path is not null ? throw FileErrors.Bad(list, $"lists {path}, which is no file's name")
            : names.Length > 0 || optional ? names : throw FileErrors.Bad(list, "lists no recording");
    }

    private static bool Contains(string[] names, string path) => names.Contains(Path.GetFileName(path), StringComparer.OrdinalIgnoreCase);

    private static GestureLabel[] ReadLabelsFile(string path)
    {
        string[] lines = FileErrors.ReadLines(path);
        List<GestureLabel> labels = new List<GestureLabel>();
        if (lines.Length > 0 && lines[0].Split(',').All(field => TryField(field, out _)))
        {
            throw FileErrors.Bad(path, "line 1 is a gesture, where the names of the columns belong: readers pass over it",
                "begin the file with the line class,startTime_usec,endTime_usec");
        }

        for (int i = 1; i < lines.Length; i++)  // the first line names the columns
        {
            if (string.IsNullOrWhiteSpace(lines[i]))
            {
                continue;
            }

            string[] fields = lines[i].Split(',');
            if (fields.Length != 3 || !TryField(fields[0], out uint label) || !TryField(fields[1], out uint start)
                || !TryField(fields[2], out uint end))
            {
                throw FileErrors.Bad(path, $"line {i + 1} is not class (1 to {ClassNames.Count}), start and end in µs");
            }

            if (label < 1 || label > ClassNames.Count)
            {
                throw FileErrors.Bad(
                    path, $"line {i + 1} has label {label}, but labels go from 1 to {ClassNames.Count} ({ClassNames.Count} classes)");
            }

            labels.Add(new GestureLabel((int)label - 1, start, end));
        }

        return labels.Count > 0 ? [.. labels] : throw FileErrors.Bad(path, "holds no gesture");
    }

    private static bool TryField(string text, out uint value) =>
        uint.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private sealed class ListedTrials(GestureTrial[] trials, PartContents contents, bool train, DataSetOptions options)
        : EventRecordings(train, options.Steps, EventTransform.None, options.Split)
    {
        internal override string Name => Train ? "dvsgesture-train" : "dvsgesture-test";

        internal override PartContents Contents => contents;

        internal override int Count => trials.Length;

        internal override IEnumerable<string> Files(int index) => [trials[index].Path, trials[index].LabelsPath];

        internal override IReadOnlyList<int> Labels(int index) => [.. trials[index].Labels.Select(l => ClassOf(l.Label))];

        internal override void CheckStart(int index) => Aedat4.RequireStart(trials[index].Path, "#!AER-DAT3.1"u8);

        internal override IEnumerable<EventSample> Decode(int index)
        {
            GestureTrial trial = trials[index];
            EventList events = Aedat4.ReadOr(trial.Path, Aedat31.Read);
            foreach (GestureLabel label in trial.Labels)
            {
                yield return new EventSample(
                    ClassOf(label.Label), $"{trial.Path}, {Describe(label)}", events.Between(label.Start, label.End));
            }
        }
    }
}

/// <summary>A recording of a list, with its gestures.</summary>
/// <param name="Path">The recording.</param>
/// <param name="LabelsPath">Its labels file.</param>
/// <param name="Labels">The gestures that begin before they end.</param>
internal sealed record GestureTrial(string Path, string LabelsPath, GestureLabel[] Labels);
