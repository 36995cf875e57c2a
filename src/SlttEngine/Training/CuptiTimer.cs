using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>
/// CUPTI's records of the iteration as it is trained, replayed from its graph. Which kernels belong to which operation is seen once, with
/// the operations launched one by one.
/// </summary>
internal sealed class CuptiTimer : OpTimer
{
    private const int LargestSkip = 64; // launches of the first iteration that a replay may lack one after the other

    private readonly Cupti cupti;
    private readonly List<(Op Op, StepRange Steps)> launched = [];
    private readonly List<(string Name, int Op)> expected = [];

    /// <summary>Sees which kernels each operation launches.</summary>
    /// <param name="run">The run.</param>
    /// <param name="program">Its program.</param>
    /// <param name="cupti">CUPTI, recording; the timer disposes it.</param>
    public CuptiTimer(BatchRun run, NetworkProgram program, Cupti cupti)
        : base(run, program)
    {
        this.cupti = cupti;
        Device.Synchronize();
        cupti.Drain();
        RunBy((op, steps, launch) =>
        {
            if (launched.Count == 0)
            {
                Device.Synchronize();
                cupti.Drain(); // the batch's upload
            }

            launch();
            Device.Synchronize();
            expected.AddRange(cupti.Drain().Select(a => (a.Name, launched.Count)));
            launched.Add((op, steps));
        });
    }

    /// <inheritdoc/>
    public override string Name => "CUPTI, while the iteration's graph is replayed";

    /// <inheritdoc/>
    public override TimedIteration Measure()
    {
        Device.Synchronize();
        cupti.Drain();
        Run.Iterate();
        return Match(launched, expected, cupti.Drain());
    }

    /// <inheritdoc/>
    public override void Dispose() => cupti.Dispose();

    /// <summary>Finds each record's operation: both lists are in the order of launching, but for clears and copies that a graph leaves out
    /// or does otherwise.</summary>
    /// <param name="launched">The operations.</param>
    /// <param name="expected">The names of what they launched, each with its operation's index.</param>
    /// <param name="records">What ran in the replay, by its start.</param>
    internal static TimedIteration Match(
        IReadOnlyList<(Op Op, StepRange Steps)> launched,
        IReadOnlyList<(string Name, int Op)> expected,
        IReadOnlyList<DeviceActivity> records)
    {
        List<(DeviceActivity Activity, int Op)> activities = [];
        int next = 0;
        foreach (DeviceActivity record in records)
        {
            int found = next;
            while (found < expected.Count && found - next < LargestSkip && expected[found].Name != record.Name)
            {
                found++;
            }

            bool matches = found < expected.Count && found - next < LargestSkip;
            activities.Add((record, matches ? expected[found].Op : -1));
            next = matches ? found + 1 : next;
        }

        ulong first = records.Count > 0 ? records[0].Start : 0;
        ILookup<int, DeviceActivity> byOp = activities.ToLookup(a => a.Op, a => a.Activity);
        List<TimedOp> ops = [];
        double start = 0;
        for (int i = 0; i < launched.Count; i++)
        {
            DeviceActivity[] mine = [.. byOp[i]];
            start = mine.Length > 0 ? (mine[0].Start - first) * 1e-9 : start;
            ops.Add(new(launched[i].Op, launched[i].Steps, start, mine.Sum(a => a.Seconds), mine.Length));
        }

        ulong idle = 0, now = first;
        foreach (DeviceActivity record in records)
        {
            idle += record.Start > now ? record.Start - now : 0;
            now = Math.Max(now, record.End);
        }

        return new TimedIteration(ops, (now - first) * 1e-9, idle * 1e-9, activities);
    }
}
