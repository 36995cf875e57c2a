using System.Text.RegularExpressions;

namespace SlttEngine.Tests.House;

/// <summary>
/// The sources of the CPU device: each folder of kernels/cpu includes only what lies below it (docs/internals/cpu-device.md has the order),
/// lines fit the width, and identifiers are words of the field.
/// </summary>
internal sealed partial class CpuDeviceLayersTests
{
    private const int Width = 140;

    /// <summary>Which folders each folder may include, besides itself. "" is kernels/cpu itself.</summary>
    private static readonly Dictionary<string, string[]> Below = new()
    {
        [""] = [],
        ["faithful"] = [""],
        ["event"] = [""],
        ["winograd"] = [""],
        ["runtime"] = ["", "faithful"],
        ["dnn"] = ["", "runtime", "event", "winograd"],
    };

    private static readonly HashSet<string> Banned = new(StringComparer.OrdinalIgnoreCase)
    {
        "sixteen", "own", "few", "once", "again", "settle", "take", "ahead", "most", "far", "soon", "past", "look", "beside",
    };

    [Test]
    public void EachFolderIncludesOnlyWhatLiesBelowIt()
    {
        List<string> wrong = [];
        int includes = 0;
        foreach ((string folder, string name, string[] lines) in Sources())
        {
            foreach (string line in lines)
            {
                Match match = Include().Match(line);
                if (!match.Success)
                {
                    continue;
                }

                includes++;
                string included = match.Groups[1].Value;
                string from = included.Contains('/', StringComparison.Ordinal) ? included[..included.IndexOf('/', StringComparison.Ordinal)] : "";
                if (from != folder && !Below[folder].Contains(from))
                {
                    wrong.Add($"{name} includes {included}");
                }
            }
        }

        Assert.That(wrong, Is.Empty);
        Assert.That(includes, Is.GreaterThan(80), "the sources were found");
    }

    /// <summary>A call upwards without an include needs a declaration of an exported function. There is none.</summary>
    [Test]
    public void NoFileDeclaresAnExportedFunctionOfAnother()
    {
        string[] declared = [.. Sources().SelectMany(s => s.Lines.Where(l => Declaration().IsMatch(l)).Select(l => $"{s.Name}: {l}"))];
        Assert.That(declared, Is.Empty);
    }

    [Test]
    public void LinesFitTheWidth()
    {
        string[] wide =
            [.. Sources().SelectMany(s => s.Lines.Select((line, i) => (s.Name, Number: i + 1, line.Length))).Where(l => l.Length > Width)
                .Select(l => $"{l.Name}:{l.Number}: {l.Length} columns")];
        Assert.That(wide, Is.Empty);
    }

    [Test]
    public void IdentifiersAreWordsOfTheField()
    {
        string[] wrong =
            [.. Sources().SelectMany(s => s.Lines.SelectMany(line => Identifier().Matches(CommentOrText().Replace(line, ""))
                .Select(m => m.Value.TrimEnd('_')).Where(Banned.Contains).Select(word => $"{s.Name}: {word}"))).Distinct()];
        Assert.That(wrong, Is.Empty);
    }

    /// <summary>The C++ sources of the folders above. The kernels' own headers are another test's.</summary>
    private static IEnumerable<(string Folder, string Name, string[] Lines)> Sources()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "kernels", "cpu", "simd.h")))
        {
            root = Path.GetDirectoryName(root);
        }

        if (root is null)
        {
            Assert.Ignore("the tests run outside the source tree");
        }

        string cpu = Path.Combine(root, "kernels", "cpu");
        foreach (string folder in Below.Keys)
        {
            foreach (string path in Directory.EnumerateFiles(Path.Combine(cpu, folder)).Where(p => p.EndsWith(".h", StringComparison.Ordinal)
                || p.EndsWith(".cpp", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                // The kernels' translation units name files from kernels/ on.
                if (Path.GetFileName(path) != "kernels_tu.cpp")
                {
                    yield return (folder, Path.GetRelativePath(cpu, path), File.ReadAllLines(path));
                }
            }
        }
    }

    [GeneratedRegex("^\\s*#include \"([^\"]+)\"")]
    private static partial Regex Include();

    [GeneratedRegex(@"^SLTT_API [^{]*\)\s*;")]
    private static partial Regex Declaration();

    [GeneratedRegex("\"(\\\\.|[^\"\\\\])*\"|//.*$")]
    private static partial Regex CommentOrText();

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Identifier();
}
