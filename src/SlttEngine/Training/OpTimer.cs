using System.Diagnostics;
using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>An operation of a profiled iteration.</summary>
/// <param name="Op">The operation.</param>
/// <param name="Steps">The steps that it was launched for.</param>
/// <param name="Start">Seconds from the iteration's beginning until it began.</param>
/// <param name="Seconds">Seconds that it took.</param>
/// <param name="Launches">Kernels, clears and copies that it launched; 1 where they are not seen.</param>
internal readonly record struct TimedOp(Op Op, StepRange Steps, double Start, double Seconds, int Launches);

/// <summary>An iteration, timed operation by operation.</summary>
/// <param name="Ops">Its operations, in order.</param>
/// <param name="Seconds">What the iteration took, measuring included.</param>
/// <param name="Gaps">Seconds of it in which none of the operations ran.</param>
/// <param name="Activities">What ran on the device; empty where only operations are seen.</param>
internal sealed record TimedIteration(
    IReadOnlyList<TimedOp> Ops, double Seconds, double Gaps, IReadOnlyList<(DeviceActivity Activity, int Op)> Activities);

/// <summary>A way to time the operations of an iteration.</summary>
internal abstract class OpTimer(BatchRun run, NetworkProgram program) : IDisposable
{
    /// <summary>What it measures by, as people read it.</summary>
    public abstract string Name { get; }

    /// <summary>The run whose iterations are timed.</summary>
    protected BatchRun Run => run;

    /// <summary>The device.</summary>
    protected ComputeDevice Device => run.Engine.Device;

    /// <summary>Times one iteration.</summary>
    public abstract TimedIteration Measure();

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Runs an iteration whose operations are launched one by one.</summary>
    /// <param name="launch">Launches one.</param>
    /// <returns>Seconds until it was done.</returns>
    protected double RunBy(Action<Op, StepRange, Action> launch)
    {
        program.Launcher = launch;
        try
        {
            long start = Stopwatch.GetTimestamp();
            run.Iterate();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            program.Launcher = null;
        }
    }
}

/// <summary>The host waits for each operation: for the CPU device, which works in the host's thread.</summary>
internal sealed class HostTimer(BatchRun run, NetworkProgram program) : OpTimer(run, program)
{
    /// <inheritdoc/>
    public override string Name => "timers of the host around each operation";

    /// <inheritdoc/>
    public override TimedIteration Measure()
    {
        List<TimedOp> ops = [];
        long first = Stopwatch.GetTimestamp();
        double seconds = RunBy((op, steps, launch) =>
        {
            long start = Stopwatch.GetTimestamp();
            launch();
            Device.Synchronize();
            ops.Add(new(
                op, steps, Stopwatch.GetElapsedTime(first, start).TotalSeconds, Stopwatch.GetElapsedTime(start).TotalSeconds, Launches: 1));
        });
        return new TimedIteration(ops, seconds, Math.Max(0, seconds - ops.Sum(o => o.Seconds)), []);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}

/// <summary>
/// Events between the operations of a GPU, launched one by one: where the host launches more slowly than the GPU works, waiting for the
/// host counts as the operation's time.
/// </summary>
internal sealed class EventTimer(BatchRun run, NetworkProgram program) : OpTimer(run, program)
{
    private readonly List<CudaEvent> events = [];

    /// <inheritdoc/>
    public override string Name => "events around each operation";

    /// <inheritdoc/>
    public override TimedIteration Measure()
    {
        List<(Op Op, StepRange Steps)> launched = [];
        double seconds = RunBy((op, steps, launch) =>
        {
            Record(launched.Count);
            launch();
            launched.Add((op, steps));
            Record(launched.Count);
        });
        double Milliseconds(int from, int to) => CudaEvent.ElapsedTime(events[from], events[to]);
        List<TimedOp> ops = [.. launched.Select(
            (l, i) => new TimedOp(l.Op, l.Steps, 1e-3 * Milliseconds(0, i), 1e-3 * Milliseconds(i, i + 1), Launches: 1))];
        return new TimedIteration(ops, seconds, Math.Max(0, seconds - ops.Sum(o => o.Seconds)), []);
    }

    /// <inheritdoc/>
    public override void Dispose() => events.ForEach(e => e.Dispose());

    private void Record(int index)
    {
        if (index == events.Count)
        {
            events.Add(new CudaEvent(CUEventFlags.Default));
        }

        events[index].Record(Device.Stream.Stream);
    }
}
