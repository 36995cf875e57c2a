using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>A row of a labels file: a gesture between two times of a recording.</summary>
/// <param name="Label">Class, 0-based.</param>
/// <param name="Start">First time, µs.</param>
/// <param name="End">Time behind the last, µs.</param>
public readonly record struct GestureLabel(int Label, long Start, long End);

/// <summary>
/// DVS-Gesture (Amir et al., CVPR 2017): a folder DvsGesture of AEDAT 3.1 recordings, each with NAME_labels.csv (class 1 to 11, start and
/// end in µs), and trials_to_train.txt and trials_to_test.txt that list recordings. A sample is what lies in [start, end) of a row; rows
/// may overlap.
/// </summary>
public sealed class DvsGesture : EventDataSet
{
    /// <summary>The gestures, in the order of their classes.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
    [
        "hand clapping", "right hand wave", "left hand wave", "right arm clockwise", "right arm counter clockwise", "left arm clockwise",
        "left arm counter clockwise", "arm roll", "air drums", "air guitar", "other gestures",
    ];

    /// <inheritdoc/>
    public override string Name => "dvsgesture";

    /// <inheritdoc/>
    public override string Title => "DVS-Gesture";

    /// <inheritdoc/>
    public override string Needs =>
        "DvsGesture/ or extract/DvsGesture/ (.aedat and _labels.csv files, trials_to_train.txt, trials_to_test.txt), unpacked from "
            + "DvsGesture.tar.gz";

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

    /// <summary>The recordings that trials_to_train.txt or trials_to_test.txt lists, as paths.</summary>
    /// <param name="recordings">As <see cref="Find"/> gives it.</param>
    /// <param name="train">Which list.</param>
    /// <exception cref="SlttException">The list is missing or names something that is no file.</exception>
    public static string[] Trials(string recordings, bool train)
    {
        string list = Path.Combine(recordings, train ? "trials_to_train.txt" : "trials_to_test.txt");
        List<string> paths = new List<string>();
        foreach (string line in FileErrors.ReadLines(list))
        {
            string name = line.Trim();
            if (name.Length == 0)
            {
                continue;
            }

            string path = Path.Combine(recordings, name);
            string converted = Path.ChangeExtension(path, ".aedat4");
            path = !File.Exists(path) && File.Exists(converted) ? converted : path;
            if (name != Path.GetFileName(name) || !File.Exists(path))
            {
                throw FileErrors.Bad(list, $"lists {name}, which is not in {recordings}", "unpack the whole archive");
            }

            paths.Add(path);
        }

        return paths.Count > 0 ? [.. paths] : throw FileErrors.Bad(list, "lists no recording");
    }

    /// <summary>Reads the labels file of a recording.</summary>
    /// <param name="recording">The .aedat file.</param>
    /// <exception cref="SlttException">The file NAME_labels.csv is missing or malformed: names the line.</exception>
    public static GestureLabel[] ReadLabels(string recording)
    {
        string path = LabelsPath(recording);
        string[] lines = FileErrors.ReadLines(path);
        List<GestureLabel> labels = new List<GestureLabel>();
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

    private static string? Place(string folder) =>
        ((string[])["DvsGesture", Path.Combine("extract", "DvsGesture"), ""]).Select(place => Path.Combine(folder, place)).FirstOrDefault(
            place => File.Exists(Path.Combine(place, "trials_to_train.txt")) || File.Exists(Path.Combine(place, "trials_to_test.txt")));

    internal static string LabelsPath(string recording) =>
        Path.Combine(Path.GetDirectoryName(recording) ?? "", Path.GetFileNameWithoutExtension(recording) + "_labels.csv");

    private protected override void CountRecordings(string folder, bool train, bool thorough, DataSetTally tally)
    {
        foreach (string path in Trials(Find(folder), train))
        {
            GestureLabel[] labels = [];
            tally.File(
                () =>
                {
                    labels = ReadLabels(path);
                    DataSetTally.CheckRecording(path, "#!AER-DAT3.1"u8, thorough, Aedat31.Read);
                },
                () => Array.ForEach(labels, l => tally.Classes[l.Label]++));
        }
    }

    private protected override EventRecordings Recordings(string folder, bool train, DataSetOptions options) =>
        new ListedTrials(Trials(Find(folder), train), train, options);

    private protected override bool HasRecordings(string folder) => Place(folder) is not null;

    private protected override (string Path, int Label)[] SampleFiles(string root, bool train, bool counted) =>
        GestureFiles.List(root, train);

    private protected override SampleForm? OtherEvents(string folder) => GestureFiles.FindTonic(folder);

    private static bool TryField(string text, out uint value) =>
        uint.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private sealed class ListedTrials(string[] paths, bool train, DataSetOptions options)
        : EventRecordings(train, options.Steps, EventTransform.None, options.Split)
    {
        internal override string Name => Train ? "dvsgesture-train" : "dvsgesture-test";

        internal override IReadOnlyList<string> ClassNames => DvsGesture.ClassNames;

        internal override int Count => paths.Length;

        internal override IEnumerable<string> Files(int index) => [paths[index], LabelsPath(paths[index])];

        internal override IEnumerable<EventSample> Decode(int index)
        {
            foreach ((int label, EventList events) in ReadSamples(paths[index]))
            {
                yield return new EventSample(label, paths[index], events);
            }
        }
    }
}
