using BenchmarkDotNet.Attributes;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>Launches of one kernel, one after the other.</summary>
public class KernelBenchmarks
{
    /// <summary>Launches between two waits for the device, so that a GPU's launch latency does not count.</summary>
    private const int Launches = 8;

    private KernelBuffers? buffers;
    private object[] arguments = [];

    /// <summary>The kernels.</summary>
    public static IEnumerable<KernelCase> Cases => BenchSession.Current.KernelCases;

    /// <summary>The kernel.</summary>
    [ParamsSource(nameof(Cases))]
    public KernelCase Kernel { get; set; } = null!;

    private static ComputeDevice Device => BenchSession.Current.Device;

    /// <summary>Allocates and fills the arguments; launches once, measures the copy rate.</summary>
    [GlobalSetup]
    public void Allocate() => BenchSession.Current.Try(Kernel, () =>
    {
        Device.Context.SetCurrent();
        buffers = new KernelBuffers(Device);
        arguments = Kernel.Arguments(buffers);
        Device.Launch(Kernel.Kernel, Kernel.Shape, arguments);
        Device.Synchronize();
        BenchSession.Current.MeasureCopy(Kernel);
    });

    /// <summary>The launches.</summary>
    [Benchmark(OperationsPerInvoke = Launches)]
    public void Launch()
    {
        for (int i = 0; i < Launches; i++)
        {
            Device.Launch(Kernel.Kernel, Kernel.Shape, arguments);
        }

        Device.Synchronize();
    }

    /// <summary>Measures the copy rate again; frees the arguments.</summary>
    [GlobalCleanup]
    public void Free()
    {
        BenchSession.Current.MeasureCopy(Kernel);
        buffers?.Dispose();
    }
}
