using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>Lists folders of data. What begins with a dot is passed over: .ipynb_checkpoints, and macOS's ._x beside x.</summary>
internal static class DataFolder
{
    private const int Deepest = 16;

    /// <summary>True for a file or folder that is passed over.</summary>
    internal static bool IsHidden(string path) => Path.GetFileName(path).StartsWith('.');

    /// <summary>The files of a folder, without those below it, in ordinal order.</summary>
    /// <exception cref="SlttException">It cannot be listed.</exception>
    internal static string[] Files(string folder) => List(folder, Directory.GetFiles);

    /// <summary>The folders of a folder, links to folders among them, in ordinal order.</summary>
    /// <exception cref="SlttException">It cannot be listed.</exception>
    internal static string[] Folders(string folder) => List(folder, Directory.GetDirectories);

    /// <summary>The files of a folder, and of the folders in it.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="SlttException">One cannot be listed, or they are nested without an end.</exception>
    internal static IEnumerable<string> AllFiles(string folder) => AllFiles(folder, 0);

    /// <summary>True for a link that leads to nothing.</summary>
    internal static bool IsBrokenLink(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true) is { Exists: false };
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return true;  // links in a circle
        }
    }

    /// <summary>True if a file's name has the ending, in capitals or not.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ending">With its dot.</param>
    internal static bool HasEnding(string path, string ending) => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> AllFiles(string folder, int depth) => depth > Deepest
        ? throw FileErrors.Bad(folder, $"folders nested more than {Deepest} deep: a link to a folder above?", "remove the link")
        : Files(folder).Concat(Folders(folder).SelectMany(inner => AllFiles(inner, depth + 1)));

    private static string[] List(string folder, Func<string, string[]> list)
    {
        try
        {
            return [.. list(folder).Where(path => !IsHidden(path)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("list", folder, e);
        }
    }
}
