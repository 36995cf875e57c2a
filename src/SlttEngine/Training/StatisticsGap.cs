using System.Globalization;
using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>
/// Warns where batch norm's running statistics lose what training learned: the same training samples score much lower with them than with
/// the statistics of their batches (docs/guide/batch-norm.md). Changes nothing that training reads.
/// </summary>
internal sealed class StatisticsGap
{
    /// <summary>Samples that are scored at most.</summary>
    public const int MaxSamples = 512;

    /// <summary>Points of accuracy that make a gap worth a warning, a share of 1.</summary>
    private const double Worth = 0.1;

    /// <summary>Share of an epoch's time that a look may take in every epoch.</summary>
    private const double Affordable = 0.01;

    /// <summary>An iteration of training takes about as long as so many evaluations of its samples.</summary>
    private const int EvaluationsInTraining = 3;

    private readonly TrainingEngine engine;
    private readonly TrainingData train;
    private readonly ITrainingObserver observer;
    private readonly bool isAffordable;
    private int pause;
    private int nextEpoch;
    private bool isDone;

    /// <summary>Makes ready to look at an engine's network.</summary>
    /// <param name="engine">Was built with a <see cref="EngineOptions.GapBatch"/>, or never looks.</param>
    /// <param name="train">The training set.</param>
    /// <param name="testSamples">Samples of the test set.</param>
    /// <param name="observer">Is warned.</param>
    public StatisticsGap(TrainingEngine engine, TrainingData train, int testSamples, ITrainingObserver observer)
    {
        (this.engine, this.train, this.observer) = (engine, train, observer);
        isDone = engine.GapBatch == 0;
        isAffordable = 2.0 * MaxSamples <= Affordable * ((EvaluationsInTraining * (double)train.Count) + testSamples);
    }

    /// <summary>
    /// Looks after an epoch, until a warning was given. Where a look takes more than 1 % of an epoch: only if testing, which uses the
    /// running statistics, scored as much lower than training, which uses the batches'; and after a look that found no gap with a pause,
    /// each twice as long.
    /// </summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="trained">Its training accuracy, a share of 1.</param>
    /// <param name="tested">Its test accuracy.</param>
    /// <param name="cancel">Ends the look without a result.</param>
    public void Check(int epoch, double trained, double tested, CancellationToken cancel)
    {
        bool isSuspicious = trained - tested >= Worth && epoch >= nextEpoch;
        if (isDone || !engine.HasRunningStatistics || !(isAffordable || isSuspicious))
        {
            return;
        }

        (BatchMetrics running, BatchMetrics batch) = Score(cancel);
        if (cancel.IsCancellationRequested)
        {
            return;
        }

        pause = Math.Max(1, 2 * pause);
        nextEpoch = epoch + 1 + pause;
        if ((batch.Top1 - running.Top1) / running.Samples >= Worth)
        {
            isDone = true;
            observer.Warning(
                $"epoch {epoch}: {(long)batch.Samples} training samples score {Percent(batch)} % with batch norm's statistics of their "
                    + $"batches, but {Percent(running)} % with the running statistics, which testing uses: the test accuracy tells little "
                    + "of what the network learned; a lower -lr may help (docs/guide/batch-norm.md)");
        }
    }

    private static string Percent(BatchMetrics sums) => (100 * sums.Top1 / sums.Samples).ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>The first samples of the run's training order, not augmented, scored in both ways.</summary>
    private (BatchMetrics Running, BatchMetrics Batch) Score(CancellationToken cancel)
    {
        int size = engine.GapBatch;
        (BatchMetrics running, BatchMetrics byBatch) = (default, default);
        using BatchLoader loader = train.Loader(size);
        loader.Start(epoch: 0);
        for (int i = 0; i < Math.Min(MaxSamples / size, loader.BatchesPerEpoch) && !cancel.IsCancellationRequested; i++)
        {
            Batch batch = loader.Next()!;
            running = running.Plus(Run(batch, batchStatistics: false));
            byBatch = byBatch.Plus(Run(batch, batchStatistics: true));
        }

        return (running, byBatch);
    }

    private BatchMetrics Run(Batch batch, bool batchStatistics)
    {
        engine.EvaluateTrainingSamples(train.Input(batch), batch.Labels, batchStatistics);
        return engine.WaitForMetrics();
    }
}
