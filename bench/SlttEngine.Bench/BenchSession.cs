using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>What the benchmarks share; BenchmarkDotNet makes the benchmarks' objects by itself, so they find it here.</summary>
/// <param name="Device">The device.</param>
/// <param name="Copy">Measures the device's copy rate.</param>
/// <param name="KernelCases">Kernels to time.</param>
/// <param name="TrainingCases">Training iterations to time.</param>
internal sealed record BenchSession(
    ComputeDevice Device, CopyRate Copy, IReadOnlyList<KernelCase> KernelCases, IReadOnlyList<TrainingCase> TrainingCases)
{
    /// <summary>The session of this process.</summary>
    public static BenchSession Current { get; set; } = null!;

    /// <summary>Bytes that a kernel's launches should touch in turn: more than caches keep.</summary>
    public long Footprint { get; init; }

    /// <summary>What failed and why: BenchmarkDotNet shows that a case has no result, not the reason.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Copy rates measured before and after each kernel, bytes a second.</summary>
    public Dictionary<KernelCase, List<double>> CopyRates { get; } = [];

    /// <summary>Device memory of a training case's engine, bytes: what it planned and allocated.</summary>
    public Dictionary<TrainingCase, long> DeviceBytes { get; } = [];

    /// <summary>A kernel's bytes a second beside the copy rate measured around it; NaN without one.</summary>
    public double OfCopy(KernelCase kernel, double bytesPerSecond) =>
        CopyRates.TryGetValue(kernel, out List<double>? rates) ? bytesPerSecond / rates.Average() : double.NaN;

    /// <summary>Measures the copy rate for a kernel.</summary>
    public void MeasureCopy(KernelCase kernel)
    {
        if (!CopyRates.TryGetValue(kernel, out List<double>? rates))
        {
            CopyRates.Add(kernel, rates = []);
        }

        rates.Add(Copy.Measure());
    }

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
