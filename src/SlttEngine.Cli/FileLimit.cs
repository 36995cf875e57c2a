using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace SlttEngine.Cli;

/// <summary>
/// How many files the process may open. With too few, the runtime fails in whatever it opens next, an assembly or the terminal, so this
/// uses nothing that opens a file.
/// </summary>
internal static partial class FileLimit
{
    /// <summary>A run has up to 90 open, the runtime's assemblies included; data take a few more for each of -j's threads.</summary>
    private const ulong Least = 128;

    private const int OpenFiles = 7; // RLIMIT_NOFILE on Linux.

    /// <summary>Says on standard error that the limit is too low.</summary>
    /// <returns>False if it is too low.</returns>
    internal static bool Suffices()
    {
        // The runtime has raised the soft limit to the hard one.
        if (!OperatingSystem.IsLinux() || GetLimit(OpenFiles, out Limit limit) != 0 || limit.Soft >= Least)
        {
            return true;
        }

        using SafeFileHandle handle = new(2, ownsHandle: false);
        using FileStream error = new(handle, FileAccess.Write, bufferSize: 0);
        error.Write(Encoding.ASCII.GetBytes(
            $"sltt: this process may open {limit.Soft} files only, it needs {Least}\n      raise the limit: ulimit -n 1024\n"));
        return false;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit
    {
        public readonly ulong Soft;
        public readonly ulong Hard;
    }
}
