using System.Text.RegularExpressions;

namespace SlttEngine.Tests.House;

/// <summary>Code fits 140 columns, and prose fits 100, so that two files fit side by side on a screen.</summary>
public sealed partial class LineLengthTests
{
    private const int CodeColumns = 140;
    private const int ProseColumns = 100;

    /// <summary>Folders whose code is still to be wrapped.</summary>
    private static readonly string[] CodeToDo =
    [
        "bench/SlttEngine.Bench/Kernel",
        "src/SlttEngine/Device/",
        "tests/SlttEngine.Tests/Kernels/",
    ];

    /// <summary>Pages that record what was measured before the rule.</summary>
    private static readonly string[] OlderResults = ["bench/results/2026-11-24", "bench/results/2026-11-25"];

    [Test]
    public void Code_fits_140_columns()
    {
        string[] endings = [".cs", ".cu", ".cuh", ".h", ".cpp", ".py", ".sh", ".ps1", "CMakeLists.txt", ".ci/run"];
        SourceTree.AssertNone(
            from path in SourceTree.Files(endings)
            where !path.EndsWith(".g.cs", StringComparison.Ordinal)
            from finding in TooLong(path, SourceTree.Lines(path).Select((line, i) => (i + 1, line)), CodeColumns)
            select finding,
            $"code has at most {CodeColumns} columns");
    }

    [Test]
    public void Prose_fits_100_columns() => SourceTree.AssertNone(
        from path in SourceTree.Files(".md")
        where !StartsWithAny(path, OlderResults)
        from finding in TooLong(path, Prose(SourceTree.Lines(path)), ProseColumns)
        select finding,
        $"prose has at most {ProseColumns} columns");

    /// <summary>The rule's exceptions: what must not be wrapped is no prose.</summary>
    [TestCase("| a table |")]
    [TestCase("    indented code")]
    [TestCase("# a heading")]
    [TestCase("- [a link alone](https://example.org/page)")]
    [TestCase("[a reference]: https://example.org/page")]
    public void Not_prose(string line) => Assert.That(Prose([line]), Is.Empty);

    [Test]
    public void Fenced_code_is_no_prose() =>
        Assert.That(Prose(["before", "```", "code", "```", "after"]).Select(p => p.Line), Is.EqualTo(["before", "after"]));

    private static bool StartsWithAny(string path, string[] folders) =>
        Array.Exists(folders, folder => path.StartsWith(folder, StringComparison.Ordinal));

    private static IEnumerable<string> TooLong(string path, IEnumerable<(int Number, string Line)> lines, int limit) =>
        from line in lines
        let columns = SourceTree.Columns(line.Line)
        where columns > limit
        select $"{path}:{line.Number}: {columns} columns";

    private static IEnumerable<(int Number, string Line)> Prose(string[] lines)
    {
        bool fenced = false;
        for (int i = 0; i < lines.Length; i++)
        {
            bool fence = lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal);
            fenced ^= fence;
            if (!fenced && !fence && !NotProse().IsMatch(lines[i]))
            {
                yield return (i + 1, lines[i]);
            }
        }
    }

    // Tables (in lists too), indented code, headings, lines that are one link, definitions of links.
    [GeneratedRegex(@"^\s*\||^ {4}|^#|^\s*([-*] )?\[[^\]]*\]\(\S*\)[.,;]?$|^\[[^\]]*\]: ")]
    private static partial Regex NotProse();
}
