using System.Collections.Concurrent;
using System.Diagnostics;
using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>A pass over batches: averages so far, waiting times, and the observer's view of them.</summary>
/// <param name="observer">Is told after each batch.</param>
/// <param name="damaged">What data sets say of samples that they left out.</param>
/// <param name="start">Phase, epoch, number of epochs and of batches, and how many batches were done before.</param>
/// <param name="sums">Sums over those.</param>
internal sealed class PassProgress(ITrainingObserver observer, ConcurrentQueue<string> damaged, IterationFinished start, BatchMetrics sums = default)
{
    private readonly Stopwatch batchWatch = new();
    private double dataSeconds;
    private double batchSeconds;
    private int batch = start.Batch;

    /// <summary>Sums so far.</summary>
    public BatchMetrics Sums { get; private set; } = sums;

    /// <summary>The next batch, once it is there.</summary>
    /// <param name="data">Where from.</param>
    public Batch Wait(TrainingData data)
    {
        batchWatch.Restart();
        Batch next = data.Next() ?? throw new InvalidOperationException("the epoch ended before its last batch");
        dataSeconds += batchWatch.Elapsed.TotalSeconds;
        return next;
    }

    /// <summary>The batch is done.</summary>
    /// <param name="metrics">What it adds.</param>
    public void Finish(BatchMetrics metrics)
    {
        batch++;
        batchSeconds += batchWatch.Elapsed.TotalSeconds;
        Sums = new BatchMetrics(Sums.Loss + metrics.Loss, Sums.Top1 + metrics.Top1, Sums.Top5 + metrics.Top5, Sums.Samples + metrics.Samples);
        while (damaged.TryDequeue(out string? message))
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
    }
}
