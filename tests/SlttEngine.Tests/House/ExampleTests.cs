namespace SlttEngine.Tests.House;

/// <summary>Examples are short enough to read at once, and say how they end: ./build.sh examples runs them.</summary>
public sealed class ExampleTests
{
    private const int MaxLines = 60;

    private static IEnumerable<string> Programs => SourceTree.Files(".cs", ".csproj")
        .Where(path => path.StartsWith("examples/", StringComparison.Ordinal));

    [Test]
    public void A_program_has_at_most_60_lines() => SourceTree.AssertNone(
        from path in Programs
        where path.EndsWith(".cs", StringComparison.Ordinal)
        let lines = SourceTree.Lines(path).Length
        where lines > MaxLines
        select $"{path}: {lines} lines",
        $"an example has at most {MaxLines} lines");

    [Test]
    public void A_program_states_its_last_line() => SourceTree.AssertNone(
        from path in Programs
        where path.EndsWith(".csproj", StringComparison.Ordinal)
        let expected = Path.GetDirectoryName(path)!.Replace('\\', '/') + "/expected.txt"
        where !File.Exists(Path.Combine(SourceTree.Root, expected))
        select $"{path}: {expected} is missing",
        "expected.txt is a regular expression that the last line of an example's output matches");
}
