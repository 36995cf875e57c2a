using System.Reflection;
using System.Text.RegularExpressions;
using SlttEngine.Cli;

namespace SlttEngine.Tests.House;

/// <summary>Identifiers are the field's words.</summary>
public sealed partial class NameTests
{
    /// <summary>Words that say nothing of what a thing is. A name may hold none of them as a word: TakeMetrics, isSixteen, own.</summary>
    private static readonly HashSet<string> Banned = new(StringComparer.OrdinalIgnoreCase)
    {
        "sixteen", "own", "few", "once", "again", "settle", "take", "ahead", "most", "far", "soon", "past", "look", "beside",
    };

    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Test]
    public void Symbols_are_the_fields_words()
    {
        List<string> bad = [];
        foreach (Type type in new[] { typeof(SlttException).Assembly, typeof(CommandLine).Assembly }.SelectMany(a => a.GetTypes()))
        {
            if (type.Namespace is null || type.Name.Contains('<'))
            {
                continue;
            }

            Add(bad, type.Name, type.FullName!);
            foreach (MemberInfo member in type.GetMembers(All).Where(m => !m.Name.Contains('<')))
            {
                Add(bad, member.Name, $"{type.FullName}.{member.Name}");
                foreach (ParameterInfo parameter in (member as MethodBase)?.GetParameters() ?? [])
                {
                    Add(bad, parameter.Name ?? string.Empty, $"{type.FullName}.{member.Name}({parameter.Name})");
                }
            }
        }

        Assert.That(bad.Distinct(), Is.Empty);
    }

    /// <summary>Local variables and local functions have no name in an assembly's metadata.</summary>
    [Test]
    public void Locals_are_the_fields_words()
    {
        List<string> bad = [];
        foreach (string file in SourceTree.Files(".cs").Where(f => f.StartsWith("src/SlttEngine", StringComparison.Ordinal)))
        {
            string[] lines = SourceTree.Lines(file);
            for (int i = 0; i < lines.Length; i++)
            {
                foreach (Match match in Local().Matches(CommentOrText().Replace(lines[i], "\"\"")))
                {
                    Add(bad, match.Groups[1].Value, $"{Path.GetFileName(file)}:{i + 1}: {match.Groups[1].Value}");
                }
            }
        }

        Assert.That(bad, Is.Empty);
    }

    [TestCase("TakeMetrics", true)]
    [TestCase("isSixteen", true)]
    [TestCase("MostSamples", true)]
    [TestCase("SOON", true)]
    [TestCase("sum_far", true)]
    [TestCase("atOnce", true)]
    [TestCase("StepsAtOnce", false)]
    [TestCase("Owned", false)]
    [TestCase("almost", false)]
    [TestCase("Mistake", false)]
    public void Words_are_told_apart(string name, bool bad) => Assert.That(IsBad(name), Is.EqualTo(bad));

    private static void Add(List<string> bad, string name, string where)
    {
        if (IsBad(name))
        {
            bad.Add(where);
        }
    }

    private static bool IsBad(string name) => Word().Matches(Option().Replace(name, string.Empty)).Any(w => Banned.Contains(w.Value));

    /// <summary>An option's name stays as users know it: steps_at_once.</summary>
    [GeneratedRegex("stepsAtOnce|steps_at_once", RegexOptions.IgnoreCase)]
    private static partial Regex Option();

    [GeneratedRegex(@"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")]
    private static partial Regex Word();

    /// <summary>A declaration: a type, then a name, then what may follow one.</summary>
    [GeneratedRegex(@"(?:[\w>\]\?)]\s+|\(\s*)([a-zA-Z_]\w*)\s*(?:=[^=>]|;|,|\)|\bin\b|\()")]
    private static partial Regex Local();

    [GeneratedRegex(@"//.*$|""(?:[^""\\]|\\.)*""")]
    private static partial Regex CommentOrText();
}
