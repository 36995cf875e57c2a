using System.Text.RegularExpressions;

namespace SlttEngine.Tests.House;

/// <summary>
/// The C++ of the CPU device: a folder of kernels/cpu includes only what lies below it (docs/internals/cpu-device.md has the order),
/// and identifiers are words of the field. The kernels' sources have a test of their own.
/// </summary>
public sealed partial class CpuDeviceLayersTests
{
    private const string Cpu = "kernels/cpu/";

    /// <summary>The folders that each folder may include, besides itself. "" is kernels/cpu itself, ".." the kernels' headers.</summary>
    private static readonly Dictionary<string, string[]> Below = new()
    {
        [""] = [],
        ["faithful"] = [""],
        ["event"] = [""],
        ["winograd"] = [""],
        ["runtime"] = ["", "faithful", ".."],
        ["dnn"] = ["", "runtime", "event", "winograd"],
    };

    /// <summary>Words that say nothing of what a thing is; the same as in <see cref="NameTests"/>.</summary>
    private static readonly HashSet<string> Banned = new(StringComparer.OrdinalIgnoreCase)
    {
        "sixteen", "own", "few", "once", "again", "settle", "take", "ahead", "most", "far", "soon", "past", "look", "beside",
    };

    /// <summary>Names of the C++ library that hold such a word.</summary>
    private static readonly HashSet<string> Library = ["call_once", "once_flag"];

    private static IEnumerable<string> Sources => SourceTree.Files(".h", ".cpp").Where(f => f.StartsWith(Cpu, StringComparison.Ordinal)
        && !f.StartsWith(Cpu + "fast/", StringComparison.Ordinal) && !f.EndsWith("/kernels_tu.cpp", StringComparison.Ordinal));

    [Test]
    public void A_folder_includes_only_what_lies_below_it() => SourceTree.AssertNone(
        from include in Includes()
        where !MayInclude(Folder(include.Path[Cpu.Length..]), Folder(include.File))
        select $"{include.Path}:{include.Number}: {include.File}",
        "kernels/cpu: faithful, event, winograd < runtime < dnn; each knows kernels/cpu itself");

    [TestCase("dnn", "event", true)]
    [TestCase("event", "dnn", false)]
    [TestCase("event", "winograd", false)]
    [TestCase("winograd", "runtime", false)]
    [TestCase("runtime", "dnn", false)]
    [TestCase("faithful", "runtime", false)]
    [TestCase("", "runtime", false)]
    public void Arrows(string from, string to, bool allowed) => Assert.That(MayInclude(from, to), Is.EqualTo(allowed));

    [Test]
    public void The_sources_are_found() => Assert.That(
        Includes().Select(i => Folder(i.Path[Cpu.Length..])).Distinct().Order(),
        Is.EqualTo(Below.Keys.Order()));

    /// <summary>A call upwards without an include needs a declaration of the function. There is none.</summary>
    [Test]
    public void No_file_declares_an_exported_function_of_another() => SourceTree.AssertNone(
        from path in Sources
        from line in Code(path)
        where Declaration().IsMatch(line.Text)
        select $"{path}:{line.Number}: {line.Text}",
        "a function of another folder is reached by its header");

    [Test]
    public void Identifiers_are_the_fields_words() => SourceTree.AssertNone(
        from path in Sources
        from line in Code(path)
        from Match identifier in Identifier().Matches(line.Text)
        where !Library.Contains(identifier.Value) && Word().Matches(identifier.Value).Any(word => Banned.Contains(word.Value))
        select $"{path}:{line.Number}: {identifier.Value}",
        "identifiers are the field's words");

    [Test]
    public void Lines_fit_140_columns() => SourceTree.AssertNone(
        from path in Sources
        where Folder(path[Cpu.Length..]).Length > 0
        from line in SourceTree.Lines(path).Select((text, i) => (Number: i + 1, Text: text))
        where SourceTree.Columns(line.Text) > 140
        select $"{path}:{line.Number}: {SourceTree.Columns(line.Text)} columns",
        "code has at most 140 columns");

    private static bool MayInclude(string from, string to) => from == to || Below[from].Contains(to);

    private static string Folder(string path) => path.Contains('/') ? path[..path.IndexOf('/')] : "";

    private static IEnumerable<(string Path, int Number, string File)> Includes() =>
        from path in Sources
        from line in SourceTree.Lines(path).Select((text, i) => (Number: i + 1, Text: text))
        let include = Include().Match(line.Text)
        where include.Success
        select (path, line.Number, include.Groups[1].Value);

    /// <summary>The lines without comments, strings and directives. The sources have line comments only.</summary>
    private static IEnumerable<(int Number, string Text)> Code(string path) =>
        SourceTree.Lines(path).Select((line, i) => (i + 1, CommentOrString().Replace(line, "")));

    [GeneratedRegex("^\\s*#\\s*include \"([^\"]+)\"")]
    private static partial Regex Include();

    [GeneratedRegex(@"^SLTT_API [^{]*\)\s*;")]
    private static partial Regex Declaration();

    [GeneratedRegex("\"(\\\\.|[^\"\\\\])*\"|//.*$|^\\s*#.*$")]
    private static partial Regex CommentOrString();

    [GeneratedRegex(@"\b[A-Za-z_]\w*")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")]
    private static partial Regex Word();
}
