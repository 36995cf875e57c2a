using System.Text.RegularExpressions;

namespace SlttEngine.Device;

/// <summary>The one line of a compiler's output that a user of own kernels needs.</summary>
internal static partial class CompilerMessages
{
    /// <summary>A source that does not compile.</summary>
    /// <param name="source">The source.</param>
    /// <param name="compiler">The compiler and its version.</param>
    /// <param name="output">What it wrote.</param>
    public static SlttException Error(KernelSource source, string compiler, string output)
    {
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string error = Array.Find(lines, l => ErrorWord().IsMatch(l)) ?? lines.FirstOrDefault("it says nothing");

        // An error in a header of the engine comes from a line of the source.
        string? from = error.StartsWith(source.SafeName, StringComparison.Ordinal)
            ? null
            : Array.Find(lines, l => l.Contains(source.SafeName, StringComparison.Ordinal));
        string cause = from is null ? "" : $" (from {Position(source).Match(from).Value})";
        return new SlttException(
            ErrorKind.Usage,
            $"{error}{cause}",
            $"correct the source; {compiler} compiled it, and docs/guide/own-layer.md has the rules for kernels");
    }

    private static Regex Position(KernelSource source) => new(Regex.Escape(source.SafeName) + @"[:(]\d+\)?");

    [GeneratedRegex(@"\berror\b|undefined reference|undefined symbol", RegexOptions.IgnoreCase)]
    private static partial Regex ErrorWord();
}
