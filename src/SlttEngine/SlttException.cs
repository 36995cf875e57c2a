namespace SlttEngine;

/// <summary>What went wrong, by who can mend it; the command line turns it into its exit code.</summary>
public enum ErrorKind
{
    /// <summary>The options or their combination; exit code 2.</summary>
    Usage = 2,

    /// <summary>The device, its libraries or its memory; exit code 3.</summary>
    Device = 3,

    /// <summary>Files: data sets, checkpoints, folders; exit code 4.</summary>
    Data = 4,
}

/// <summary>An error that a user can act on: one line that says what and where, and a hint that says what to do.</summary>
public class SlttException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="kind">Decides the exit code.</param>
    /// <param name="message">One line: what is wrong and where. Line ends, as a file may bring them in, become spaces.</param>
    /// <param name="hint">One line: what to do about it; null if the message says it.</param>
    /// <param name="inner">The cause, shown by --verbose.</param>
    public SlttException(ErrorKind kind, string message, string? hint = null, Exception? inner = null)
        : base(message.ReplaceLineEndings(" "), inner)
    {
        Kind = kind;
        Hint = hint;
    }

    /// <summary>What went wrong, by who can mend it.</summary>
    public ErrorKind Kind { get; }

    /// <summary>What to do about it, or null.</summary>
    public string? Hint { get; }
}
