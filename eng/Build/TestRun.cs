using System.Globalization;
using System.Text.RegularExpressions;

namespace SlttEngine.Build;

/// <summary>One process of the suite: its output, and the counts of its summary.</summary>
internal sealed partial class TestRun
{
    private readonly Dictionary<string, int> counts = [];

    public List<string> Lines { get; } = [];

    public int ExitCode { get; set; }

    public bool HasSummary => counts.ContainsKey("succeeded") && counts.ContainsKey("failed");

    public int this[string name] => counts.GetValueOrDefault(name);

    public void Read(string line)
    {
        Lines.Add(line);
        // Under CI the runner colours its summary, terminal or not.
        Match match = SummaryLine().Match(Colour().Replace(line, ""));
        if (match.Success)
        {
            counts[match.Groups[1].Value] = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        }
    }

    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex Colour();

    [GeneratedRegex(@"^\s+(total|failed|succeeded|skipped): (\d+)\s*$")]
    private static partial Regex SummaryLine();
}
