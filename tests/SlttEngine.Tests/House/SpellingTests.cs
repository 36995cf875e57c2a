using System.Text.RegularExpressions;

namespace SlttEngine.Tests.House;

/// <summary>C# in one hand, and nothing of the machine that a file was written on.</summary>
public sealed partial class SpellingTests
{
    /// <summary>Hosts that a file of the tree may name.</summary>
    private static readonly string[] Hosts =
    [
        "arxiv.org",
        "docs.nvidia.com",
        "dotnet.microsoft.com",
        "example.org",
        "figshare.com",
        "github.com",
        "keepachangelog.com",
        "research.ibm.com",
        "semver.org",
        "ui.perfetto.dev",
        "www.cs.toronto.edu",
        "www.image-net.org",
        "www.w3.org",
    ];

    [TestCase("if (x == null)", true)]
    [TestCase("return null != x;", true)]
    [TestCase("if (x is null)", false)]
    [TestCase("// x == null", false)]
    [TestCase("Text(\"x == null\")", false)]
    public void Null_is_tested_by_a_pattern(string line, bool wrong) => Assert.That(NullCompared().IsMatch(Code(line)), Is.EqualTo(wrong));

    [Test]
    public void No_file_compares_with_null() => AssertNowhere(NullCompared(), "null is tested by 'is null' and 'is not null'");

    [TestCase("var x = 1;", true)]
    [TestCase("foreach (var x in list)", true)]
    [TestCase("f(out var x);", true)]
    [TestCase("var (a, b) = pair;", true)]
    [TestCase("using var file = Open();", true)]
    [TestCase("var other => throw new InvalidDataException(other),", false)]
    [TestCase("if (list is [var first, ..])", false)]
    public void Types_are_explicit(string line, bool wrong) => Assert.That(Var().IsMatch(Code(line)), Is.EqualTo(wrong));

    [Test]
    public void No_file_declares_with_var() => AssertNowhere(Var(), "a declaration names its type");

    [Test]
    public void No_file_names_a_path_of_a_machine() => SourceTree.AssertNone(
        from path in SourceTree.Files()
        where !IsBinary(path)
        from line in SourceTree.Lines(path).Select((text, i) => (Number: i + 1, Text: text))
        where MachinePath().IsMatch(line.Text)
        select $"{path}:{line.Number}: {MachinePath().Match(line.Text).Value}",
        "no path of one person's machine");

    [Test]
    public void Only_listed_hosts_are_named() => SourceTree.AssertNone(
        from path in SourceTree.Files()
        where !IsBinary(path)
        from line in SourceTree.Lines(path).Select((text, i) => (Number: i + 1, Text: text))
        from Match url in Url().Matches(line.Text)
        where !Hosts.Contains(url.Groups[1].Value)
        select $"{path}:{line.Number}: {url.Groups[1].Value}",
        "a URL names a public host of the list in this test, and no package registry");

    private static void AssertNowhere(Regex pattern, string rule) => SourceTree.AssertNone(
        from path in SourceTree.Files(".cs")
        from line in SourceTree.Lines(path).Select((text, i) => (Number: i + 1, Text: text))
        where pattern.IsMatch(Code(line.Text))
        select $"{path}:{line.Number}: {line.Text.Trim()}",
        rule);

    /// <summary>A line of C# without strings and comments, as far as one line tells.</summary>
    private static string Code(string line) => Comment().Replace(StringLiteral().Replace(line, "\"\""), "");

    private static bool IsBinary(string path)
    {
        using FileStream file = File.OpenRead(Path.Combine(SourceTree.Root, path));
        byte[] start = new byte[4096];
        return start.AsSpan(0, file.Read(start)).Contains((byte)0);
    }

    [GeneratedRegex(@"[=!]= null\b|\bnull [=!]=")]
    private static partial Regex NullCompared();

    [GeneratedRegex(@"\bvar \w+ (=[^=>]|in\b)|\bout var\b|\bvar \(")]
    private static partial Regex Var();

    [GeneratedRegex(@"""([^""\\]|\\.)*""")]
    private static partial Regex StringLiteral();

    [GeneratedRegex("//.*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"(?<![\w.])/(work|root|home)/\w+|\b[A-Z]:[\\/]Users[\\/]")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bhttps?://([\w.-]+)")]
    private static partial Regex Url();
}
