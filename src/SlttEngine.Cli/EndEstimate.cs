using System.Globalization;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>Estimates when a run ends: what is left of the pass at its pace so far, and the epochs behind it at the last one's.</summary>
internal sealed class EndEstimate
{
    private double trainSeconds;
    private double testSeconds;

    /// <summary>An epoch is done.</summary>
    /// <param name="epoch">Its times.</param>
    internal void Finished(EpochFinished epoch) =>
        (trainSeconds, testSeconds) = (epoch.TrainSeconds, epoch.TotalSeconds - epoch.TrainSeconds);

    /// <summary>Seconds that are left. In a first epoch's training the tests are not known yet and count as nothing.</summary>
    /// <param name="i">Where a pass stands; of an evaluation on its own, that pass is all.</param>
    internal double SecondsLeft(in IterationFinished i)
    {
        double rest = i.BatchSeconds * (i.Batches - i.Batch), pass = i.BatchSeconds * i.Batches;
        bool trains = i.Phase == TrainingPhase.Train;
        double train = trains ? pass : trainSeconds, test = trains ? testSeconds : pass;
        return rest + (trains && i.Epochs > 0 ? test : 0) + (Math.Max(0, i.Epochs - i.Epoch - 1) * (train + test));
    }

    /// <summary>The end as clock time and as duration: ends 14:05 (in 0:12:03); with the day where it is not today.</summary>
    /// <param name="now">Now, in local time.</param>
    /// <param name="seconds">Seconds that are left.</param>
    internal static string Text(DateTimeOffset now, double seconds)
    {
        if (!double.IsFinite(seconds) || seconds > TimeSpan.FromDays(3650).TotalSeconds)
        {
            return "ends -";
        }

        DateTimeOffset end = now.AddSeconds(seconds);
        string form = end.Date == now.Date ? "HH:mm" : end.Date <= now.Date.AddDays(6) ? "ddd HH:mm" : "d MMM HH:mm";
        return $"ends {end.ToString(form, CultureInfo.InvariantCulture)} (in {Units.Clock(seconds)})";
    }
}
