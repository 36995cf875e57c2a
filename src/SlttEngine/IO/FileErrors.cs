using System.Text;

namespace SlttEngine.IO;

/// <summary>Turns what the file system throws into the one line that a user can act on.</summary>
internal static class FileErrors
{
    private const int WindowsDiskFull = 112;

    /// <summary>True for the exceptions that files and folders cause, as opposed to mistakes of the program.</summary>
    internal static bool IsFileError(Exception e) =>
        e is IOException or UnauthorizedAccessException or System.Security.SecurityException;

    /// <summary>A data error that names the file and the reason: <c>cannot read PATH: file not found</c>.</summary>
    /// <param name="verb">What was tried: read, write, list …</param>
    /// <param name="path">The file or folder.</param>
    /// <param name="cause">What the file system threw.</param>
    internal static SlttException Wrap(string verb, string path, Exception cause) =>
        cause is UnauthorizedAccessException && Directory.Exists(path) && verb is "read"
            ? new(ErrorKind.Data, $"cannot read {path}: it is a folder", "give a file in it", cause)
            : new(ErrorKind.Data, $"cannot {verb} {path}: {Reason(cause)}", Hint(verb, cause), cause);

    /// <summary>A data error about a file's content: <c>PATH: WHAT</c>.</summary>
    internal static SlttException Bad(string path, string what, string? hint = null, Exception? cause = null) =>
        new(ErrorKind.Data, $"{path}: {what}", hint, cause);

    /// <summary>A whole file's bytes.</summary>
    /// <exception cref="SlttException">It cannot be read.</exception>
    internal static byte[] ReadAll(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (IsFileError(e))
        {
            throw Wrap("read", path, e);
        }
    }

    /// <summary>A whole text file's lines.</summary>
    /// <exception cref="SlttException">It cannot be read.</exception>
    internal static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (IsFileError(e))
        {
            throw Wrap("read", path, e);
        }
    }

    /// <summary>A file's first bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">Receives them; what a shorter file has not is 0.</param>
    /// <exception cref="SlttException">It cannot be read.</exception>
    internal static void ReadStart(string path, Span<byte> start)
    {
        start.Clear();
        try
        {
            using FileStream file = File.OpenRead(path);
            file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (IsFileError(e))
        {
            throw Wrap("read", path, e);
        }
    }

    /// <summary>Looks at a file's first bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">What it must begin with: text.</param>
    /// <exception cref="SlttException">It cannot be read, or begins otherwise.</exception>
    internal static void RequireStart(string path, ReadOnlySpan<byte> start)
    {
        Span<byte> bytes = stackalloc byte[start.Length];
        ReadStart(path, bytes);
        if (!bytes.SequenceEqual(start))
        {
            throw Bad(path, $"does not begin with {Encoding.ASCII.GetString(start)}");
        }
    }

    private static string Reason(Exception cause)
    {
        switch (cause)
        {
            case FileNotFoundException:
                return "file not found";
            case DirectoryNotFoundException:
                return "folder not found";
            case UnauthorizedAccessException or System.Security.SecurityException:
                return "permission denied";
            case EndOfStreamException:
                return "the file ends too early";
            default:
                // The runtime appends the path (" : '/a/b'"), which the line names already.
                string text = cause.Message;
                int tail = text.IndexOf(" : '", StringComparison.Ordinal);
                text = tail > 0 ? text[..tail] : text;
                return text.ReplaceLineEndings(" ").TrimEnd('.');
        }
    }

    private static string? Hint(string verb, Exception cause) => cause switch
    {
        FileNotFoundException or DirectoryNotFoundException => "check the path",
        IOException when cause.Message.StartsWith("No space left", StringComparison.Ordinal)
            || (cause.HResult & 0xffff) == WindowsDiskFull =>
            "free some space, or choose another folder",
        IOException when cause.Message.StartsWith("Too many open files", StringComparison.Ordinal) => "raise the limit: ulimit -n 1024",
        UnauthorizedAccessException => verb is "write" or "make" or "lock"
            ? "choose a folder that you may write to" : "check the file's permissions",
        _ => null,
    };
}
