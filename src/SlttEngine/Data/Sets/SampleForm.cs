using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>A form of an event data set with one sample in a file, as another program left it in a folder.</summary>
/// <param name="Title">What it is, for people.</param>
/// <param name="Folder">Where it is.</param>
/// <param name="Files">Lists the training or the test part: paths and labels.</param>
/// <param name="Read">Reads a file of that path and label.</param>
internal sealed record SampleForm(
    string Title, string Folder, Func<bool, (string Path, int Label)[]> Files, Func<string, int, EventSample> Read)
{
    /// <summary>In what the samples differ from those of the authors' recordings; null if in nothing.</summary>
    internal string? Remark { get; init; }

    /// <summary>How a file begins.</summary>
    internal byte[] Magic { get; init; } = "PK"u8.ToArray();

    /// <summary>One line that says what is read.</summary>
    internal string Note => $"no recordings of the data set's authors there; reads {Title} in {Folder}"
        + (Remark is null ? string.Empty : $" ({Remark})");

    /// <summary>The files of a folder with an ending, in order of their names.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="ending">With the dot; ".aedat" is not the ending of x.aedat4.</param>
    internal static string[] FilesIn(string folder, string ending)
    {
        try
        {
            return [.. Directory.GetFiles(folder).Where(f => Path.GetExtension(f) == ending).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("list", folder, e);
        }
    }

    /// <summary>The folders in a folder, in order of their names; none if it is not there.</summary>
    internal static string[] FoldersIn(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("list", folder, e);
        }
    }
}

/// <summary>The samples of a part of a <see cref="SampleForm"/>.</summary>
internal sealed class SampleFormRecordings(
    string name, IReadOnlyList<string> classNames, SampleForm form, bool train, DataSetOptions options, EventTransform transform)
    : EventRecordings(train, options.Steps, transform, options.Split)
{
    private readonly (string Path, int Label)[] files = form.Files(train);

    internal override string Name => $"{name}-{(Train ? "train" : "test")}";

    internal override IReadOnlyList<string> ClassNames => classNames;

    internal override int Count => files.Length;

    internal override IEnumerable<string> Files(int index) => [files[index].Path];

    internal override IEnumerable<EventSample> Decode(int index) => [form.Read(files[index].Path, files[index].Label)];
}
