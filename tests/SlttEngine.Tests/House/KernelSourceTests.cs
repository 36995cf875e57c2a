using System.Text.RegularExpressions;

namespace SlttEngine.Tests.House;

/// <summary>A CUDA reader reads CUDA: what the kernels' sources may hold, and what they may include.</summary>
public sealed partial class KernelSourceTests
{
    private const string Kernels = "kernels/", Common = "kernels/common/", Gpu = "kernels/gpu/", Fast = "kernels/cpu/fast/";

    /// <summary>Words that say nothing of what a thing is; the same as in <see cref="NameTests"/>.</summary>
    private static readonly HashSet<string> Banned = new(StringComparer.OrdinalIgnoreCase)
    {
        "sixteen", "own", "few", "once", "again", "settle", "take", "ahead", "most", "far", "soon", "past", "look", "beside",
    };

    private static IEnumerable<string> CudaFiles => SourceTree.Files(".cu").Where(IsKernel)
        .Concat(SourceTree.Files(".cuh").Where(f => IsIn(f, Common) || IsIn(f, Gpu)));

    private static IEnumerable<string> AllFiles => CudaFiles.Concat(SourceTree.Files(".cuh").Where(f => IsIn(f, Fast)));

    /// <summary>A target has a file of its own, found by include path, so that no line is for one target only.</summary>
    [Test]
    public void No_source_asks_for_its_target() => SourceTree.AssertNone(
        from path in AllFiles
        from finding in Findings(path, Conditional())
        select finding,
        "a kernel's source has no #if: a target's code is in a file of its name in gpu/ and cpu/fast/");

    [Test]
    public void Nothing_of_the_CPU_device_is_included() => SourceTree.AssertNone(
        from path in CudaFiles
        from finding in Findings(path, IncludesCpu())
        select finding,
        "kernels, common/ and gpu/ know nothing of cpu/");

    [Test]
    public void The_fast_mode_has_the_same_files() => Assert.That(
        SourceTree.Files(".cuh").Where(f => IsIn(f, Fast)).Select(Path.GetFileName),
        Is.EqualTo(SourceTree.Files(".cuh").Where(f => IsIn(f, Gpu)).Select(Path.GetFileName)).And.Not.Empty);

    /// <summary>A kernel that kernels.cu leaves out would compile nowhere.</summary>
    [Test]
    public void Every_kernel_is_in_the_list()
    {
        IEnumerable<string> listed = SourceTree.Lines(Kernels + "kernels.cu").Select(line => Include().Match(line))
            .Where(m => m.Success && m.Groups[1].Value.EndsWith(".cu", StringComparison.Ordinal)).Select(m => Kernels + m.Groups[1].Value);
        Assert.That(listed, Is.EqualTo(SourceTree.Files(".cu").Where(f => IsKernel(f) && f != Kernels + "kernels.cu")).And.Not.Empty);
    }

    [Test]
    public void Identifiers_are_the_fields_words() => SourceTree.AssertNone(
        from path in AllFiles
        from line in Code(path)
        from Match identifier in Identifier().Matches(line.Text)
        where HasBannedWord(identifier.Value)
        select $"{path}:{line.Number}: {identifier.Value}",
        "identifiers are the field's words");

    [TestCase("own", true)]
    [TestCase("ROWS_AHEAD", true)]
    [TestCase("takeRow", true)]
    [TestCase("ownership", false)]
    [TestCase("ROWS_IN_FLIGHT", false)]
    public void Banned_words(string identifier, bool banned) => Assert.That(HasBannedWord(identifier), Is.EqualTo(banned));

    private static bool IsIn(string path, string folder) => path.StartsWith(folder, StringComparison.Ordinal);

    private static bool IsKernel(string path) => IsIn(path, Kernels) && !path[Kernels.Length..].Contains('/');

    private static bool HasBannedWord(string identifier) => Word().Matches(identifier).Any(word => Banned.Contains(word.Value));

    private static IEnumerable<string> Findings(string path, Regex pattern) =>
        from line in Code(path)
        where pattern.IsMatch(line.Text)
        select $"{path}:{line.Number}: {line.Text.Trim()}";

    /// <summary>The lines without their comments. The sources have line comments only.</summary>
    private static IEnumerable<(int Number, string Text)> Code(string path) =>
        SourceTree.Lines(path).Select((line, i) => (i + 1, Comment().Replace(line, string.Empty)));

    // "#pragma once" is CUDA's and C++'s word, not a name of ours.
    [GeneratedRegex(@"//.*$|^\s*#\s*pragma\b.*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\s*#\s*(if|ifdef|ifndef|elif|else)\b")]
    private static partial Regex Conditional();

    [GeneratedRegex(@"^\s*#\s*include\s*""([^""]+)""")]
    private static partial Regex Include();

    [GeneratedRegex(@"^\s*#\s*include\s*[""<].*\bcpu/")]
    private static partial Regex IncludesCpu();

    [GeneratedRegex(@"\b[A-Za-z_]\w*")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")]
    private static partial Regex Word();
}
