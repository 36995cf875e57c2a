using System.Runtime.InteropServices;

namespace SlttEngine.Device;

/// <summary>Mirror of the kernels' RunState (kernels/common/sltt.cuh): what differs between steps and iterations.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RunState
{
    /// <summary>Bytes that the host writes before each iteration: the fields up to <see cref="Iteration"/>.</summary>
    public const int HostBytes = 24;

    /// <summary>Learning rate of the update that ends the iteration.</summary>
    public float LearningRate;

    /// <summary>Time step.</summary>
    public int T;

    /// <summary>Seed of the run.</summary>
    public ulong Seed;

    /// <summary>Training iterations before this one; with seed and layer it names a dropout mask.</summary>
    public ulong Iteration;

    /// <summary>The loss is multiplied by it before backward.</summary>
    public float LossScale;

    /// <summary>1 / <see cref="LossScale"/>.</summary>
    public float GradScale;

    /// <summary>AdamW: 1 − β₁^steps.</summary>
    public float BiasCorrection1;

    /// <summary>AdamW: 1 − β₂^steps.</summary>
    public float BiasCorrection2;

    /// <summary>Not 0: a gradient of the iteration is inf or nan.</summary>
    public int Overflow;

    /// <summary>Updates since the loss scale last changed.</summary>
    public int GoodSteps;

    /// <summary>Updates made.</summary>
    public long OptimizerSteps;

    /// <summary>Updates skipped for an overflow.</summary>
    public long SkippedSteps;
}
