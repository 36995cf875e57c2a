namespace SlttEngine.Cli;

/// <summary>Text that can be pasted into a shell.</summary>
internal static class ShellText
{
    /// <summary>A word as one argument: in single quotes where the shell would read something else.</summary>
    /// <param name="word">The word.</param>
    internal static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+=:,@%".Contains(c, StringComparison.Ordinal))
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
