using System.Diagnostics;
using System.Globalization;

namespace SlttEngine.Training;

/// <summary>Memory of this process.</summary>
public static class ProcessMemory
{
    /// <summary>Most physical memory in use so far, bytes (VmHWM on Linux).</summary>
    public static long Peak()
    {
        const string Status = "/proc/self/status";
        if (File.Exists(Status) && File.ReadLines(Status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) is { } line)
        {
            return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }

        using Process process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
