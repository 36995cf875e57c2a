using BenchmarkDotNet.Attributes;
using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Bench;

/// <summary>Training iterations on random data, update included.</summary>
public class TrainingBenchmarks
{
    private BatchRun? run;

    /// <summary>The iterations.</summary>
    public static IEnumerable<TrainingCase> Cases => BenchSession.Current.TrainingCases;

    /// <summary>Model, method and T.</summary>
    [ParamsSource(nameof(Cases))]
    public TrainingCase Run { get; set; } = null!;

    /// <summary>Builds the engine and runs it once.</summary>
    [GlobalSetup]
    public void Build() => BenchSession.Current.Try(Run, () =>
    {
        ComputeDevice device = BenchSession.Current.Device;
        device.Context.SetCurrent();
        run = new BatchRun(device, RunFactory.Training(Run.Options), RunFactory.RandomBatch(Run.Options));
        BenchSession.Current.DeviceBytes[Run] = run.Engine.ArenaBytes + run.Engine.StoreBytes;
        Iteration();
    });

    /// <summary>One iteration of all time steps.</summary>
    [Benchmark]
    public BatchMetrics Iteration() => run!.Iterate();

    /// <summary>Frees the engine.</summary>
    [GlobalCleanup]
    public void Free() => run?.Dispose();
}
