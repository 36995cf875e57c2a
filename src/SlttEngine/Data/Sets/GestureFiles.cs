using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>Lists DVS-Gesture's samples where other programs have cut the recordings: one sample a file, the class by its number.</summary>
internal static class GestureFiles
{
    /// <summary>SpikingJelly's layout: train and test, each with folders 0 to 10 of .npz files.</summary>
    internal static (PartContents Contents, (string Path, int Label)[] Files) List(string root, bool train)
    {
        string part = Path.Combine(root, train ? "train" : "test");
        PartContents contents = NewContents(part, train, train ? 1176 : 288);
        return (contents, Collect(part, ".npz", contents, (folder, _) => Label(folder, Path.GetFileName(folder))));
    }

    /// <summary>tonic's form: ibmGestureTrain and ibmGestureTest, each with folders USER_LIGHT of CLASS.npy files.</summary>
    /// <returns>Null if there is none.</returns>
    internal static SampleForm? FindTonic(string folder)
    {
        string? place = ((string[])["", "DVSGesture"]).Select(place => Path.Combine(folder, place)).FirstOrDefault(
            place => Directory.Exists(Path.Combine(place, "ibmGestureTrain")) || Directory.Exists(Path.Combine(place, "ibmGestureTest")));
        return place is null ? null
            : new SampleForm(
                "tonic's events", place, train => ListTonic(Path.Combine(place, train ? "ibmGestureTrain" : "ibmGestureTest"), train),
                (path, label) => new EventSample(label, path, EventArrays.ReadTonic(path)))
            {
                Start = [0x93, .. "NUMPY"u8],
                Remark = "cut by its authors and timed in ms, so its samples are not those of the recordings",
            };
    }

    private static (PartContents Contents, (string Path, int Label)[] Files) ListTonic(string part, bool train)
    {
        PartContents contents = NewContents(part, train, train ? 1077 : 264);
        return (contents, Collect(part, ".npy", contents, (_, path) => Label(path, Path.GetFileNameWithoutExtension(path))));
    }

    private static PartContents NewContents(string part, bool train, int total) =>
        new(part, "DVS-Gesture", train, "gestures", DvsGesture.ClassNames) { ExpectedTotal = total };

    /// <summary>The files of the folders of a part, by class, then by name.</summary>
    private static (string Path, int Label)[] Collect(string part, string ending, PartContents contents, Func<string, string, int> label)
    {
        List<(string Path, int Label)> files = [];
        foreach (string folder in Directory.Exists(part) ? DataFolder.Folders(part) : [])
        {
            foreach (string path in DataFolder.Files(folder))
            {
                if (!DataFolder.HasEnding(path, ending))
                {
                    contents.AddUnread(path);
                    continue;
                }

                files.Add((path, label(folder, path)));
                contents.Add(files[^1].Label);
            }
        }

        return [.. files.OrderBy(f => f.Label).ThenBy(f => f.Path, StringComparer.Ordinal)];
    }

    private static int Label(string path, string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int label) && label < DvsGesture.ClassNames.Count
            ? DvsGesture.ClassOf(label)
            : throw FileErrors.Bad(path, $"{name} is no gesture; gestures are 0 to {DvsGesture.ClassNames.Count - 1}");
}
