using System.Diagnostics;

namespace SlttEngine.Training;

/// <summary>Keeps what is done now and then to a small share of a run's time.</summary>
/// <param name="largest">The share.</param>
internal sealed class TimeShare(double largest)
{
    private readonly Stopwatch run = Stopwatch.StartNew();
    private readonly Stopwatch work = new();
    private TimeSpan uncounted;

    /// <summary>Seconds of all that was done.</summary>
    public double Seconds => work.Elapsed.TotalSeconds;

    /// <summary>True while what counts of it is within the share, so that it can be done one time more.</summary>
    public bool Affords => work.Elapsed - uncounted <= largest * run.Elapsed;

    /// <summary>What was done so far does not count: the first time code is compiled too, which says nothing of later times.</summary>
    public void StartCounting() => uncounted = work.Elapsed;

    /// <summary>Does a part of it.</summary>
    /// <param name="part">The part.</param>
    public void Measure(Action part)
    {
        work.Start();
        try
        {
            part();
        }
        finally
        {
            work.Stop();
        }
    }
}
