using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Tests.Cli;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>A pass that gives the device a batch ahead, as on a GPU, is the pass that waits for each.</summary>
public sealed class PassProgressTests
{
    [Test]
    public void Running_a_batch_ahead_changes_neither_sums_nor_weights([Values] bool stop)
    {
        (BatchMetrics[] waited, float[] weights) = Pass(ahead: 0, stop);
        (BatchMetrics[] ahead, float[] sameWeights) = Pass(ahead: 1, stop);
        Assert.Multiple(() =>
        {
            Assert.That(waited, Has.Length.EqualTo(stop ? 3 : 5 * SmallCifar.PerFile / 8));
            Assert.That(ahead, Is.EqualTo(waited), "what is told after each batch");
            Assert.That(sameWeights, Is.EqualTo(weights));
        });
    }

    [Test]
    public void Only_as_many_reads_as_there_is_room_for_are_begun()
    {
        TrainOptions options = new() { WidthDivisor = 32, T = 1, BatchSize = 2 };
        using BatchRun run = TestRuns.OnRandomBatch(options);
        MetricsReads reads = run.Engine.MetricsReads;
        run.Launch(null);
        reads.Begin();
        reads.Begin();
        Assert.That(reads.Begin, Throws.InvalidOperationException);
        Assert.That((reads.Wait().Samples, reads.Wait().Samples), Is.EqualTo((2, 0)));
        Assert.That(() => reads.Wait(), Throws.InvalidOperationException);
    }

    private static (BatchMetrics[] Told, float[] Weights) Pass(int ahead, bool stop)
    {
        using SmallCifar files = new();
        TrainOptions options = new() { DataDir = files.Folder, AllowIncomplete = true, WidthDivisor = 32, T = 1, BatchSize = 8 };
        IDataSet set = options.Data.Open(options.DataDir, train: true, RunFactory.Data(options));
        using TrainingData data = new(SharedDevice.Device, set, RunFactory.Training(options), train: true);
        using TrainingEngine engine = new(
            SharedDevice.Device,
            RunFactory.Network(options, data.Shape, data.Classes),
            RunFactory.Training(options).Engine(data.Format, data.Format, staticInput: true) with { TrainBatches = data.BatchSizes });
        engine.Store.Initialize(1);
        engine.MetricsReads.LeftInFlight = ahead;
        using CancellationTokenSource cancel = new();
        Told told = new();
        PassProgress progress = new(told, new IterationFinished { Batches = data.BatchesPerEpoch });
        data.Start(epoch: 0);
        int given = 0;
        int done = progress.Run(
            data,
            engine,
            batch =>
            {
                engine.TrainIteration(data.Input(batch), batch.Labels, 0.1);
                if (stop && ++given == 3)
                {
                    cancel.Cancel();
                }
            },
            cancel.Token);
        Assert.That(done, Is.EqualTo(told.Batches.Count));
        return ([.. told.Batches], [.. engine.Network.Parameters.SelectMany(engine.Store.GetWeight)]);
    }

    private sealed class Told : ITrainingObserver
    {
        public List<BatchMetrics> Batches { get; } = [];

        public void RunStarted(RunStarted run)
        {
        }

        public void IterationFinished(in IterationFinished iteration) =>
            Batches.Add(new BatchMetrics(iteration.Loss, iteration.Top1, iteration.Top5, iteration.Batch));

        public void EpochFinished(EpochFinished epoch)
        {
        }

        public void Warning(string message)
        {
        }

        public void CheckpointSaved(string path)
        {
        }

        public void Stopped(string? checkpoint)
        {
        }
    }
}
