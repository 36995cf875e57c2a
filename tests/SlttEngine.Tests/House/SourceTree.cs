using System.Globalization;

namespace SlttEngine.Tests.House;

/// <summary>The files of the source tree that the tests were built from.</summary>
internal static class SourceTree
{
    private static readonly string[] OutputFolders = ["bin", "obj", "out", "logs", "artifacts", "BenchmarkDotNet.Artifacts"];
    private static readonly Lazy<string?> Found = new(Find);

    /// <summary>The tree's root. Ignores the running test where there is no tree, as in the bundle.</summary>
    public static string Root
    {
        get
        {
            if (Found.Value is null)
            {
                Assert.Ignore("the tests run outside the source tree");
            }

            return Found.Value!;
        }
    }

    /// <summary>
    /// All files that people write, by paths relative to the root with '/'. Outputs, hidden folders, recorded data and the .git
    /// file of a worktree are left out.
    /// </summary>
    /// <param name="endings">Endings of the names wanted, such as <c>.cs</c>; none for every file.</param>
    public static IEnumerable<string> Files(params string[] endings) => Under(new DirectoryInfo(Root))
        .Select(file => Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'))
        .Where(path => endings.Length == 0 || Array.Exists(endings, ending => path.EndsWith(ending, StringComparison.Ordinal)))
        .Order(StringComparer.Ordinal);

    /// <summary>Full paths of the C# files of a folder.</summary>
    /// <param name="folder">The folder, relative to the root.</param>
    public static IEnumerable<string> Sources(string folder) =>
        Under(new DirectoryInfo(Path.Combine(Root, folder))).Where(file => file.Extension == ".cs").Select(file => file.FullName);

    /// <summary>The lines of a file, without their ends.</summary>
    /// <param name="path">Its path, relative to the root.</param>
    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    /// <summary>Columns that a line takes on a screen; a combining mark takes none.</summary>
    /// <param name="line">The line.</param>
    public static int Columns(string line) => new StringInfo(line).LengthInTextElements;

    /// <summary>Fails with one line a finding, unless there is none.</summary>
    /// <param name="findings">What is wrong, each as <c>path:line: what</c>.</param>
    /// <param name="rule">The rule that they break.</param>
    public static void AssertNone(IEnumerable<string> findings, string rule)
    {
        List<string> all = [.. findings];
        Assert.That(all, Is.Empty, () => $"{rule} ({all.Count} findings):\n{string.Join('\n', all.Take(50))}");
    }

    private static IEnumerable<FileInfo> Under(DirectoryInfo folder) =>
        folder.EnumerateFiles().Where(f => f.Name != ".git").Concat(folder.EnumerateDirectories()
            .Where(d => (!d.Name.StartsWith('.') || d.Name == ".ci") && d.Name != "Golden" && !OutputFolders.Contains(d.Name))
            .SelectMany(Under));

    private static string? Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "SlttEngine.sln")))
            {
                return at.FullName;
            }
        }

        return null;
    }
}
