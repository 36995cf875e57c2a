namespace SlttEngine.Build;

/// <summary>A failure that is told in one line.</summary>
internal sealed class BuildException(string message, int exitCode) : Exception(message)
{
    public int ExitCode => exitCode;
}
