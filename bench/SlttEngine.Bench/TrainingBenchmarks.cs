using BenchmarkDotNet.Attributes;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Bench;

/// <summary>Training iterations on random data, update included.</summary>
public class TrainingBenchmarks
{
    private TrainingEngine? engine;
    private byte[] input = [];
    private int[] labels = [];

    /// <summary>The iterations.</summary>
    public static IEnumerable<TrainingCase> Cases => BenchSession.Current.TrainingCases;

    /// <summary>Model, method and T.</summary>
    [ParamsSource(nameof(Cases))]
    public TrainingCase Run { get; set; } = null!;

    /// <summary>Builds the engine, makes a batch, and runs it once.</summary>
    [GlobalSetup]
    public void Build() => BenchSession.Current.Try(Run, () =>
    {
        ComputeDevice device = BenchSession.Current.Device;
        device.Context.SetCurrent();
        engine = BenchmarkRun.Build(device, Run.Options, out FrameShape shape, out int classes);
        BenchSession.Current.DeviceBytes[Run] = engine.ArenaBytes + engine.StoreBytes;
        Random random = new(2022);
        input = new byte[shape.Length * Run.Options.BatchSize];
        random.NextBytes(input);
        labels = [.. Enumerable.Range(0, Run.Options.BatchSize).Select(_ => random.Next(classes))];
        Iteration();
    });

    /// <summary>One iteration of all time steps.</summary>
    [Benchmark]
    public BatchMetrics Iteration()
    {
        engine!.TrainIteration(input, labels, Run.Options.LearningRate);
        return engine.TakeMetrics();
    }

    /// <summary>Frees the engine.</summary>
    [GlobalCleanup]
    public void Free() => engine?.Dispose();
}
