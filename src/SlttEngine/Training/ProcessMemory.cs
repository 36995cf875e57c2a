using System.Diagnostics;
using System.Globalization;

namespace SlttEngine.Training;

/// <summary>Memory of this process.</summary>
public static class ProcessMemory
{
    /// <summary>Frees unused memory and, on Linux, restarts the peak. Elsewhere the peak stays that of the whole process.</summary>
    public static void RestartPeak()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        const string Reset = "/proc/self/clear_refs";
        if (File.Exists(Reset))
        {
            try
            {
                File.WriteAllText(Reset, "5");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not allowed here: the peak then includes what came before, which is too much and never too little.
            }
        }
    }

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
