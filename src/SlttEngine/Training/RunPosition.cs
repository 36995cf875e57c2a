namespace SlttEngine.Training;

/// <summary>Where a run stands: with the tensors, all that an exact resume needs.</summary>
public sealed record RunPosition
{
    /// <summary>The epoch that runs, from 0.</summary>
    public int Epoch { get; init; }

    /// <summary>Training batches of it that are done.</summary>
    public int Batches { get; init; }

    /// <summary>Sums over those batches.</summary>
    public BatchMetrics Train { get; init; }

    /// <summary>Best test accuracy so far, a share of 1.</summary>
    public double MaxTestAccuracy { get; init; }

    /// <summary>The start of the next epoch.</summary>
    /// <param name="maxTestAccuracy">Best test accuracy so far.</param>
    public RunPosition NextEpoch(double maxTestAccuracy) => new() { Epoch = Epoch + 1, MaxTestAccuracy = maxTestAccuracy };
}
