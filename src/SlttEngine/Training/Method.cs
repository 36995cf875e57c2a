using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>What is done for one time step.</summary>
public enum StepKind
{
    /// <summary>Forward, loss and backward of the step; gradients add up and nothing is kept.</summary>
    ForwardBackward,

    /// <summary>Forward in training mode, without loss or backward.</summary>
    ForwardOnly,

    /// <summary>Forward and loss; what backward needs is kept for this step.</summary>
    ForwardKeep,

    /// <summary>Backward of a step that was kept.</summary>
    Backward,
}

/// <summary>How a training iteration goes through its T time steps: all that differs between the methods.</summary>
public abstract class Method
{
    /// <summary>The name that people use, and that a checkpoint keeps.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>True if gradients flow from step t + 1 to step t, so that T steps' values are kept.</summary>
    public abstract bool ThroughTime { get; }

    /// <summary>True if the passes do not depend on the iteration.</summary>
    public virtual bool SameEveryIteration => true;

    /// <summary>Checks that the method can be used.</summary>
    /// <param name="steps">T.</param>
    /// <exception cref="SlttException">It cannot.</exception>
    public virtual void Validate(int steps)
    {
    }

    /// <summary>The most neighbouring steps that one kind of pass may have: more can't go through the network side by side.</summary>
    /// <param name="steps">T.</param>
    internal virtual int LongestRun(int steps) => steps;

    /// <summary>The numbers of steps that may go through the network side by side, the largest first.</summary>
    /// <param name="steps">T.</param>
    /// <param name="stepsAtOnce">C: at most so many.</param>
    internal IReadOnlyList<int> StepCounts(int steps, int stepsAtOnce) => SameEveryIteration
        ? [.. StepPass.SideBySide(Schedule(steps, 0, 0), stepsAtOnce).Select(p => p.Steps.Count).Distinct().OrderDescending()]
        : [.. Enumerable.Range(1, stepsAtOnce).Reverse()];

    /// <summary>The passes of an iteration, in order.</summary>
    /// <param name="steps">T.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="iteration">Iterations before this one.</param>
    public abstract IEnumerable<(StepKind Kind, int T)> Schedule(int steps, ulong seed, ulong iteration);
}

/// <summary>SLTT (Meng et al., ICCV 2023): forward a step, backward a step; the graph is cut at v(t−1).</summary>
public sealed class Sltt : Method
{
    /// <inheritdoc/>
    public override string Name => "SLTT";

    /// <inheritdoc/>
    public override bool ThroughTime => false;

    /// <inheritdoc/>
    public override IEnumerable<(StepKind Kind, int T)> Schedule(int steps, ulong seed, ulong iteration) =>
        Enumerable.Range(0, steps).Select(t => (StepKind.ForwardBackward, t));
}

/// <summary>SLTT-K: K of the T steps, drawn in each iteration without replacement, get a backward pass.</summary>
/// <param name="k">K, from 1 to T.</param>
public sealed class SlttK(int k) : Method
{
    /// <inheritdoc/>
    public override string Name => "SLTT-K";

    /// <summary>K, steps with a backward pass.</summary>
    public int K => k;

    /// <inheritdoc/>
    public override bool SameEveryIteration => false;

    /// <inheritdoc/>
    public override bool ThroughTime => false;

    /// <inheritdoc/>
    internal override int LongestRun(int steps) => Math.Max(k, steps - k);

    /// <inheritdoc/>
    public override void Validate(int steps)
    {
        if (k < 1 || k > steps)
        {
            throw new SlttException(ErrorKind.Usage, $"SLTT-K's K is {k}, but must be from 1 to the {steps} time steps");
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<(StepKind Kind, int T)> Schedule(int steps, ulong seed, ulong iteration)
    {
        int[] chosen = Draw(steps, seed, iteration);
        return Enumerable.Range(0, steps).Select(t => (chosen.Contains(t) ? StepKind.ForwardBackward : StepKind.ForwardOnly, t));
    }

    /// <summary>K different steps: the first K of a Fisher–Yates shuffle whose numbers depend on seed and iteration alone.</summary>
    private int[] Draw(int steps, ulong seed, ulong iteration)
    {
        int[] order = [.. Enumerable.Range(0, steps)];
        for (int i = 0; i < k; i++)
        {
            int j = i + (int)(InitialValues.Unit(seed ^ 0x534C54544BUL, iteration, (ulong)i) * (steps - i));
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order[..k];
    }
}

/// <summary>Backpropagation through time: all steps forward, then all backward; e(t) = ∂L/∂v(t) is carried along.</summary>
public sealed class Bptt : Method
{
    /// <inheritdoc/>
    public override string Name => "BPTT";

    /// <inheritdoc/>
    public override bool ThroughTime => true;

    /// <inheritdoc/>
    public override IEnumerable<(StepKind Kind, int T)> Schedule(int steps, ulong seed, ulong iteration) =>
        Enumerable.Range(0, steps).Select(t => (StepKind.ForwardKeep, t))
            .Concat(Enumerable.Range(0, steps).Reverse().Select(t => (StepKind.Backward, t)));
}
