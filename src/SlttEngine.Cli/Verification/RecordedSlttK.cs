using SlttEngine.Training;

namespace SlttEngine.Cli.Verification;

/// <summary>SLTT-K with the steps that a recording chose.</summary>
internal sealed class RecordedSlttK : Method
{
    /// <summary>The steps with a backward pass in the next iteration.</summary>
    public IReadOnlyList<int> Chosen { get; set; } = [];

    /// <inheritdoc/>
    public override bool ThroughTime => false;

    /// <inheritdoc/>
    public override bool SameEveryIteration => false;

    /// <inheritdoc/>
    public override IEnumerable<(StepKind Kind, int T)> Schedule(int steps, ulong seed, ulong iteration) =>
        Enumerable.Range(0, steps).Select(t => (Chosen.Contains(t) ? StepKind.ForwardBackward : StepKind.ForwardOnly, t));
}
