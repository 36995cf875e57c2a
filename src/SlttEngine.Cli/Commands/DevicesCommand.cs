using System.Globalization;
using SlttEngine.Device;

namespace SlttEngine.Cli.Commands;

/// <summary>Lists what can compute here, and why not the rest.</summary>
internal sealed class DevicesCommand : Command
{
    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; } = [];

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        string? whyNoCuda = NativeLibraries.WhyNoCuda();
        if (whyNoCuda is null)
        {
            using ComputeDevice gpu = ComputeDevice.Open(DeviceKind.Cuda);
            context.WriteLine(
                string.Create(
                CultureInfo.InvariantCulture, $"cuda  {gpu.Name}: {gpu.Multiprocessors} multiprocessors, {Units.Bytes(gpu.TotalMemory)}"));
            // A process uses one kind of device, so the other one is not opened.
            context.WriteLine($"cpu   {CpuMachine()}");
            context.WriteLine("auto  is cuda");
            return 0;
        }

        context.WriteLine($"cuda  no: {whyNoCuda}");
        using ComputeDevice cpu = ComputeDevice.Open(DeviceKind.Cpu);
        context.WriteLine($"cpu   {cpu.Name}: {CpuMachine()}");
        context.WriteLine("auto  is cpu");
        return 0;
    }

    private static string CpuMachine() =>
        $"{Environment.ProcessorCount} cores, {Units.Bytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)} (SLTT_CPU_THREADS limits the "
            + "threads)";
}
