using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Runs, batches and plans from the command line's options, on the shared device.</summary>
internal static class TestRuns
{
    /// <summary>An engine with a batch of random samples.</summary>
    public static BatchRun OnRandomBatch(TrainOptions options) =>
        new(SharedDevice.Device, RunFactory.Training(options), RunFactory.RandomBatch(options));

    /// <summary>The memory of a training iteration.</summary>
    public static MemoryPlan Memory(TrainOptions options) =>
        MemoryPlan.For(SharedDevice.Device, RunFactory.Training(options), RunFactory.Format(options));

    /// <summary>What a run will need.</summary>
    public static RunPlan Plan(TrainOptions options) => RunFactory.Plan(SharedDevice.Device, options.Validate());

    /// <summary>Makes a run on data and a device of its own, as the command line does.</summary>
    public static void WithRun(TrainOptions options, ITrainingObserver observer, Action<TrainingRun> use)
    {
        (IDataSet train, IDataSet test) = options.Validate().Data.Open(options.DataDir, RunFactory.Data(options));
        using ComputeDevice device = ComputeDevice.Open(options.Device, out _);
        using TrainingRun run = new(device, RunFactory.Training(options), train, test, observer);
        use(run);
    }
}
