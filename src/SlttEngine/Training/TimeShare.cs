using System.Diagnostics;

namespace SlttEngine.Training;

/// <summary>Keeps what is done now and then to a small share of a run's time.</summary>
/// <param name="largest">The share.</param>
internal sealed class TimeShare(double largest)
{
    private readonly Stopwatch run = Stopwatch.StartNew();
    private readonly Stopwatch work = new();
    private TimeSpan start;

    /// <summary>Seconds of all that was done.</summary>
    public double Seconds => work.Elapsed.TotalSeconds;

    /// <summary>True if it can be done one time more, and take as long as the last time.</summary>
    public bool Affords => work.Elapsed + (work.Elapsed - start) <= largest * run.Elapsed;

    /// <summary>Begins to do it.</summary>
    public void Begin() => start = work.Elapsed;

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
