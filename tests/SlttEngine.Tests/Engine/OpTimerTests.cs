using SlttEngine.Cli.Options;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>The ways to time an iteration's operations, on the shared device.</summary>
public sealed class OpTimerTests
{
    [Test]
    public void Every_way_sees_the_same_operations_and_changes_nothing_of_training()
    {
        TrainOptions options =
            new() { Model = "spiking_resnet18", WidthDivisor = 32, T = 2, BatchSize = 2, Device = SharedDevice.Choice };
        using BatchRun plain = TestRuns.OnRandomBatch(options);
        using BatchRun timed = TestRuns.OnRandomBatch(options);
        double[] losses = [.. Enumerable.Range(0, 4).Select(_ => plain.Iterate().Loss)];
        Assert.That(timed.Iterate().Loss, Is.EqualTo(losses[0]));
        using HostTimer timers = new(timed, timed.Program);
        using EventTimer events = new(timed, timed.Program);
        TimedIteration byTimers = timers.Measure();
        TimedIteration byEvents = events.Measure();
        Assert.Multiple(() =>
        {
            Assert.That(timed.Iterate().Loss, Is.EqualTo(losses[3]), "the next iteration is the one behind the timed ones");
            Assert.That(byEvents.Ops.Select(o => (o.Op.Name, o.Steps)), Is.EqualTo(byTimers.Ops.Select(o => (o.Op.Name, o.Steps))));
            foreach (TimedIteration iteration in new[] { byTimers, byEvents })
            {
                Assert.That(iteration.Ops.Select(o => o.Start), Is.Ordered);
                Assert.That(iteration.Ops.Sum(o => o.Seconds), Is.InRange(0.1 * iteration.Seconds, 1.01 * iteration.Seconds));
                Assert.That(iteration.Gaps, Is.InRange(0, iteration.Seconds));
            }
        });
    }
}
