using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>Lists DVS-Gesture's samples where other programs have cut the recordings: one sample a file, the class by its number.</summary>
internal static class GestureFiles
{
    /// <summary>SpikingJelly's layout: train and test, each with folders 0 to 10 of .npz files.</summary>
    internal static (string Path, int Label)[] List(string root, bool train)
    {
        string part = Path.Combine(root, train ? "train" : "test");
        List<(string Path, int Label)> files = [];
        foreach (string folder in SampleForm.FoldersIn(part))
        {
            int label = Label(folder, Path.GetFileName(folder));
            files.AddRange(SampleForm.FilesIn(folder, ".npz").Select(path => (path, label)));
        }

        return Sorted(files, part, "0/ … 10/ with .npz files");
    }

    /// <summary>tonic's form: ibmGestureTrain and ibmGestureTest, each with folders USER_LIGHT of CLASS.npy files.</summary>
    /// <returns>Null if there is none.</returns>
    internal static SampleForm? FindTonic(string folder)
    {
        string? place = ((string[])["", "DVSGesture"]).Select(place => Path.Combine(folder, place)).FirstOrDefault(
            place => Directory.Exists(Path.Combine(place, "ibmGestureTrain")) || Directory.Exists(Path.Combine(place, "ibmGestureTest")));
        return place is null ? null
            : new SampleForm(
                "tonic's events", place, train => ListTonic(Path.Combine(place, train ? "ibmGestureTrain" : "ibmGestureTest")),
                (path, label) => new EventSample(label, path, EventArrays.ReadTonic(path)))
            {
                Magic = [0x93, .. "NUMPY"u8],
                Remark = "cut and timed in ms by its authors, so its samples are not those of the recordings",
            };
    }

    private static (string Path, int Label)[] ListTonic(string part)
    {
        List<(string Path, int Label)> files = [];
        foreach (string folder in SampleForm.FoldersIn(part))
        {
            files.AddRange(SampleForm.FilesIn(folder, ".npy").Select(path => (path, Label(path, Path.GetFileNameWithoutExtension(path)))));
        }

        return Sorted(files, part, "USER_LIGHT/0.npy … 10.npy");
    }

    private static int Label(string path, string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int label) && label < DvsGesture.ClassNames.Count
            ? label
            : throw FileErrors.Bad(path, $"{name} is no class; classes are 0 to {DvsGesture.ClassNames.Count - 1}");

    /// <summary>By class, then by name.</summary>
    private static (string Path, int Label)[] Sorted(List<(string Path, int Label)> files, string part, string layout) =>
        files.Count > 0 ? [.. files.OrderBy(f => f.Label).ThenBy(f => f.Path, StringComparer.Ordinal)]
            : throw FileErrors.Bad(part, $"holds no sample: {layout} are not there", "let the program that makes them run to its end");
}
