using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>An optimiser: one launch over the contiguous parameters.</summary>
/// <param name="WeightDecay">Weight decay.</param>
public abstract record Optimizer(double WeightDecay)
{
    /// <summary>PyTorch's names of the state that it keeps for each parameter.</summary>
    public abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>The operations of an update; nothing changes if a gradient overflowed.</summary>
    /// <param name="store">Parameters, gradients and state; its run state holds the learning rate and the loss scale.</param>
    public IEnumerable<Op> Ops(ParameterStore store) =>
    [
        new("begin update", [], [], _ => store.Device.Kernels.BeginUpdate(LaunchShape.OneThread, store.RunState, AdamW.Beta1, AdamW.Beta2)),
        new("update", [], [], _ => LaunchUpdate(store, LaunchShape.Elements(store.Device, store.Elements, 4)))
        {
            // Reads weights, gradients and states; writes weights and states.
            ParameterBytes = (12 + (8 * StateNames.Count)) * store.Elements,
        },
        new("end update", [], [], _ => store.Device.Kernels.EndUpdate(
            LaunchShape.OneThread,
            store.RunState,
            store.Type == ComputeType.Float16 ? 1 : 0,
            LossScale.Growth,
            LossScale.Backoff,
            LossScale.GrowthInterval)),
    ];

    /// <summary>Launches the update itself.</summary>
    /// <param name="store">Parameters, gradients and state.</param>
    /// <param name="shape">Launch shape.</param>
    protected abstract void LaunchUpdate(ParameterStore store, LaunchShape shape);
}

/// <summary>torch.optim.SGD: g + weight_decay · w; momentum; w −= lr · buf.</summary>
/// <param name="Momentum">Momentum.</param>
/// <param name="WeightDecay">Weight decay, added to the gradient.</param>
public sealed record Sgd(double Momentum, double WeightDecay) : Optimizer(WeightDecay)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> StateNames => ["momentum_buffer"];

    /// <summary>Its name and constants, for messages.</summary>
    public override string ToString() => FormattableString.Invariant($"SGD with momentum {Momentum:R}, weight decay {WeightDecay:R}");

    /// <inheritdoc/>
    protected override void LaunchUpdate(ParameterStore store, LaunchShape shape) => store.Device.Kernels.Sgd(
        shape,
        store.Weights,
        store.OptimizerState(0),
        store.Gradients,
        store.RunState,
        (float)Momentum,
        (float)WeightDecay,
        store.Elements);
}

/// <summary>torch.optim.AdamW: decoupled weight decay; β 0.9 and 0.999, ε 1e-8.</summary>
/// <param name="WeightDecay">Weight decay.</param>
public sealed record AdamW(double WeightDecay) : Optimizer(WeightDecay)
{
    /// <summary>β₁.</summary>
    public const float Beta1 = 0.9f;

    /// <summary>β₂.</summary>
    public const float Beta2 = 0.999f;

    private const float Epsilon = 1e-8f;

    /// <inheritdoc/>
    public override IReadOnlyList<string> StateNames => ["exp_avg", "exp_avg_sq"];

    /// <summary>Its name and constants, for messages.</summary>
    public override string ToString() => FormattableString.Invariant($"AdamW with weight decay {WeightDecay:R}");

    /// <inheritdoc/>
    protected override void LaunchUpdate(ParameterStore store, LaunchShape shape) => store.Device.Kernels.Adamw(
        shape,
        store.Weights,
        store.OptimizerState(0),
        store.OptimizerState(1),
        store.Gradients,
        store.RunState,
        Beta1,
        Beta2,
        Epsilon,
        (float)WeightDecay,
        store.Elements);
}

/// <summary>torch.cuda.amp.GradScaler's rule for float16.</summary>
public static class LossScale
{
    /// <summary>Scale at the start.</summary>
    public const float Initial = 65536f;

    /// <summary>Factor after <see cref="GrowthInterval"/> good updates.</summary>
    public const float Growth = 2f;

    /// <summary>Factor after an overflow; the update is skipped.</summary>
    public const float Backoff = 0.5f;

    /// <summary>Good updates until the scale grows.</summary>
    public const int GrowthInterval = 2000;
}
