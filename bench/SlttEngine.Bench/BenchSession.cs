using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>What the benchmarks share; BenchmarkDotNet makes the benchmarks' objects by itself, so they find it here.</summary>
/// <param name="Device">The device.</param>
/// <param name="CopyBytesPerSecond">The device's copy rate.</param>
/// <param name="KernelCases">Kernels to time.</param>
/// <param name="TrainingCases">Training iterations to time.</param>
internal sealed record BenchSession(
    ComputeDevice Device, double CopyBytesPerSecond, IReadOnlyList<KernelCase> KernelCases, IReadOnlyList<TrainingCase> TrainingCases)
{
    /// <summary>The session of this process.</summary>
    public static BenchSession Current { get; set; } = null!;

    /// <summary>What failed and why: BenchmarkDotNet shows that a case has no result, not the reason.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Device memory of a training case's engine, bytes: what it planned and allocated.</summary>
    public Dictionary<TrainingCase, long> DeviceBytes { get; } = [];

    /// <summary>Does a part of a case; remembers why it failed.</summary>
    /// <param name="name">The case.</param>
    /// <param name="part">What to do.</param>
    public void Try(object name, Action part)
    {
        try
        {
            part();
        }
        catch (Exception e)
        {
            Failures.Add($"{name}: {e.Message}");
            throw;
        }
    }
}
