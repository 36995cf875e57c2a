using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>An optimiser: one launch over the contiguous parameters.</summary>
public abstract record Optimizer(double WeightDecay)
{
    /// <summary>PyTorch's names of the state that it keeps for each parameter.</summary>
    public abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>Launches the update on the device's stream; nothing changes if a gradient overflowed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="store">Parameters, gradients and state.</param>
    /// <param name="runState">Holds the learning rate and the loss scale.</param>
    public void Launch(ComputeDevice device, ParameterStore store, CUdeviceptr runState)
    {
        device.Launch("begin_update", LaunchShape.OneThread, runState, AdamW.Beta1, AdamW.Beta2);
        LaunchUpdate(device, store, runState);
        device.Launch(
            "end_update", LaunchShape.OneThread, runState, store.Type == ComputeType.Float16 ? 1 : 0, LossScale.Growth, LossScale.Backoff, LossScale.GrowthInterval);
    }

    /// <summary>Launches the update itself.</summary>
    /// <param name="device">The device.</param>
    /// <param name="store">Parameters, gradients and state.</param>
    /// <param name="runState">Holds the learning rate and the loss scale.</param>
    protected abstract void LaunchUpdate(ComputeDevice device, ParameterStore store, CUdeviceptr runState);
}

/// <summary>torch.optim.SGD: g + weight_decay · w; momentum; w −= lr · buf.</summary>
/// <param name="Momentum">Momentum.</param>
/// <param name="WeightDecay">Weight decay, added to the gradient.</param>
public sealed record Sgd(double Momentum, double WeightDecay) : Optimizer(WeightDecay)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> StateNames => ["momentum_buffer"];

    /// <inheritdoc/>
    protected override void LaunchUpdate(ComputeDevice device, ParameterStore store, CUdeviceptr runState) => device.Launch(
        "sgd",
        LaunchShape.Elements(device, store.Elements, 4),
        store.Weights,
        store.OptimizerState(0),
        store.Gradients,
        runState,
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

    /// <inheritdoc/>
    protected override void LaunchUpdate(ComputeDevice device, ParameterStore store, CUdeviceptr runState) => device.Launch(
        "adamw",
        LaunchShape.Elements(device, store.Elements, 4),
        store.Weights,
        store.OptimizerState(0),
        store.OptimizerState(1),
        store.Gradients,
        runState,
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
