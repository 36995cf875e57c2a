using System.Diagnostics;
using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>A pass over batches: averages so far, waiting times, and the observer's view of them.</summary>
/// <param name="observer">Is told after each batch.</param>
/// <param name="start">Phase, epoch, number of epochs and of batches, and how many batches were done before.</param>
/// <param name="sums">Sums over those.</param>
internal sealed class PassProgress(ITrainingObserver observer, IterationFinished start, BatchMetrics sums = default)
{
    private readonly Stopwatch batchWatch = new();
    private double dataSeconds;
    private double batchSeconds;
    private int batch = start.Batch;

    /// <summary>Sums so far.</summary>
    public BatchMetrics Sums { get; private set; } = sums;

    /// <summary>Seconds that the pass waited for data.</summary>
    public double DataSeconds => dataSeconds;

    /// <summary>Called after each batch, once the device has done it.</summary>
    public Action? BatchFinished { get; set; }

    /// <summary>Called with the number of a batch, from 1, whose loss is NaN or infinite.</summary>
    public Action<int>? LossNotFinite { get; set; }

    /// <summary>Runs batches. The host enqueues batch n + 1 on a GPU before it waits for batch n.</summary>
    /// <param name="data">Where from; its pass is begun.</param>
    /// <param name="engine">Adds up what the batches give.</param>
    /// <param name="launch">Enqueues a batch; on a GPU it returns before the batch is done.</param>
    /// <param name="cancel">Stops after the current batch.</param>
    /// <returns>The batches that were done: all that were left, unless it was stopped.</returns>
    public int Run(TrainingData data, TrainingEngine engine, Action<Batch> launch, CancellationToken cancel)
    {
        for (int i = start.Batch; i < start.Batches && !cancel.IsCancellationRequested; i++)
        {
            launch(Wait(data));
            engine.MetricsReads.Begin();
            if (engine.MetricsReads.InFlight > engine.MetricsReads.LeftInFlight)
            {
                Finish(data, engine.MetricsReads.Wait());
            }
        }

        while (engine.MetricsReads.InFlight > 0)
        {
            Finish(data, engine.MetricsReads.Wait());
        }

        return batch - start.Batch;
    }

    /// <summary>Waits for the next batch.</summary>
    private Batch Wait(TrainingData data)
    {
        batchWatch.Restart();
        Batch next = data.Next() ?? throw new InvalidOperationException("the epoch ended before its last batch");
        dataSeconds += batchWatch.Elapsed.TotalSeconds;
        return next;
    }

    /// <summary>A batch is done.</summary>
    /// <param name="data">Where it came from.</param>
    /// <param name="metrics">What it adds.</param>
    private void Finish(TrainingData data, BatchMetrics metrics)
    {
        batch++;
        batchSeconds += batchWatch.Elapsed.TotalSeconds;
        batchWatch.Restart();
        Sums = Sums.Plus(metrics);
        BatchFinished?.Invoke();
        while (data.TryNextDamaged(out string? message))
        {
            observer.Warning(message);
        }

        int timed = batch - start.Batch;
        observer.IterationFinished(start with
        {
            Batch = batch,
            DataSeconds = dataSeconds / timed,
            BatchSeconds = batchSeconds / timed,
            Loss = Sums.Loss / Sums.Samples,
            Top1 = 100 * Sums.Top1 / Sums.Samples,
            Top5 = 100 * Sums.Top5 / Sums.Samples,
        });
        if (!double.IsFinite(metrics.Loss))
        {
            LossNotFinite?.Invoke(batch);
        }
    }
}
