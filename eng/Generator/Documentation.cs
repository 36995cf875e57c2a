using System.Text.RegularExpressions;

namespace SlttEngine.Generator;

/// <summary>Lines of documentation from the comments of the kernels' sources.</summary>
internal static partial class Documentation
{
    /// <summary>What the header of a .cu says about a kernel, in one sentence.</summary>
    /// <param name="source">The .cu.</param>
    /// <param name="family">The kernel, without a suffix.</param>
    public static string OfKernel(string source, string family)
    {
        // The header's first paragraph holds entries "kernel, kernel: what they do."; most have one.
        List<(string Names, string Text)> entries = [];
        foreach (
            string line in File.ReadLines(source).TakeWhile(l => l.StartsWith("// ", StringComparison.Ordinal)).Select(l => l[3..].Trim()))
        {
            Match entry = Entry().Match(line);
            if (entry.Success)
            {
                entries.Add((entry.Groups[1].Value, entry.Groups[2].Value));
            }
            else if (entries.Count > 0)
            {
                entries[^1] = (entries[^1].Names, entries[^1].Text + " " + line);
            }
        }

        if (entries.Count == 0)
        {
            throw new InvalidDataException($"{source}: the first line of the header is '// {family}: what it does.'");
        }

        (string Names, string Text) found = entries.FirstOrDefault(e => Regex.IsMatch(e.Names, $@"\b{family}\b"), entries[0]);
        return Escape(found.Text) + ".";
    }

    /// <summary>The comment behind each field of RunState.</summary>
    /// <param name="source">run_state.cuh.</param>
    public static IReadOnlyDictionary<string, string> OfFields(string source)
    {
        Dictionary<string, string> texts = [];
        foreach (Match line in File.ReadLines(source).Select(l => FieldLine().Match(l)).Where(m => m.Success))
        {
            foreach (string name in line.Groups[1].Value.Split(", "))
            {
                string comment = Escape(line.Groups[2].Value);
                texts.Add(name, char.ToUpperInvariant(comment[0]) + comment[1..] + ".");
            }
        }

        return texts;
    }

    private static string Escape(string text) =>
        text.Trim().TrimEnd('.', ':', ';').Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");

    [GeneratedRegex(@"^([a-z_0-9]+(?:, [a-z_0-9]+)*): (.+)$")]
    private static partial Regex Entry();

    [GeneratedRegex(@"^    \w+ (\w+(?:, \w+)*);\s+// (.+)$")]
    private static partial Regex FieldLine();
}
