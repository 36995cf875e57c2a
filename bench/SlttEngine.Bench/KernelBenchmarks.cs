using BenchmarkDotNet.Attributes;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>Launches of one kernel, one after the other.</summary>
public class KernelBenchmarks
{
    /// <summary>Launches between two waits for the device, so that a GPU's launch latency does not count.</summary>
    private const int Launches = 8;

    /// <summary>Copies of the arguments at most, for small kernels.</summary>
    private const int MaxSets = 64;

    private readonly List<KernelBuffers> buffers = [];
    private readonly List<KernelLaunch> launches = [];
    private int next;

    /// <summary>The kernels.</summary>
    public static IEnumerable<KernelCase> Cases => BenchSession.Current.KernelCases;

    /// <summary>The kernel.</summary>
    [ParamsSource(nameof(Cases))]
    public KernelCase Kernel { get; set; } = null!;

    private static ComputeDevice Device => BenchSession.Current.Device;

    /// <summary>Allocates and fills the arguments; launches once, measures the copy rate.</summary>
    /// <remarks>
    /// As many copies of the arguments as it takes to exceed the caches twice over; launches take turns through them.
    /// </remarks>
    [GlobalSetup]
    public void Allocate() => BenchSession.Current.Try(Kernel, () =>
    {
        Device.Context.SetCurrent();
        long wanted = Kernel.Bytes == 0 ? 0 : BenchSession.Current.Footprint;
        do
        {
            KernelBuffers set = new(Device);
            buffers.Add(set);
            launches.Add(new KernelLaunch(Device, Kernel.Kernel, Kernel.Shape, Kernel.Arguments(set)));
        }
        while (buffers.Sum(b => b.Size) < wanted && buffers.Count < MaxSets);

        Launch();
        BenchSession.Current.MeasureCopy(Kernel);
    });

    /// <summary>The launches.</summary>
    [Benchmark(OperationsPerInvoke = Launches)]
    public void Launch()
    {
        for (int i = 0; i < Launches; i++)
        {
            launches[next].Launch();
            next = (next + 1) % launches.Count;
        }

        Device.Synchronize();
    }

    /// <summary>Measures the copy rate again; frees the arguments.</summary>
    [GlobalCleanup]
    public void Free()
    {
        BenchSession.Current.MeasureCopy(Kernel);
        foreach (KernelBuffers set in buffers)
        {
            set.Dispose();
        }

        buffers.Clear();
        launches.Clear();
        next = 0;
    }
}
