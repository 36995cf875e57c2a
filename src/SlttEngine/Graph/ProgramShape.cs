using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>When an operation runs.</summary>
public enum Section
{
    /// <summary>Before the steps, one time an iteration: the stem of a static input, standardised weights.</summary>
    Begin,

    /// <summary>Each time step, forward.</summary>
    Forward,

    /// <summary>Each time step that has a backward pass, after its forward.</summary>
    Backward,

    /// <summary>After the steps, one time an iteration: the stem's backward, the gradients' last operations.</summary>
    End,
}

/// <summary>Sizes and kinds that a program is built for; fixed once a run starts.</summary>
/// <param name="Batch">Samples N.</param>
/// <param name="Steps">Time steps T.</param>
/// <param name="Type">Number type of activations and working weights.</param>
/// <param name="Training">False: evaluation, running statistics, no backward.</param>
/// <param name="ThroughTime">True: backward goes through time (BPTT), so every step's values are kept.</param>
/// <param name="StaticInput">True: one image for all steps; false: a frame a step.</param>
/// <param name="FastMath">float32 convolutions may round more than a sum of products does.</param>
/// <param name="BatchStatistics">True: an evaluation whose batch norms take their batch's statistics and leave the running ones as they
/// are.</param>
/// <param name="StepsAtOnce">C: as many steps go through the network side by side, layer by layer; 1: one.</param>
/// <param name="Recompute">True: backward makes what batch norms read recomputed, where it can, and forward does not keep it.</param>
/// <param name="SplitTf32">True: float32 convolutions of spikes split the other factor into two TF32 parts, for tensor cores.</param>
public sealed record ProgramShape(
    int Batch,
    int Steps,
    ComputeType Type,
    bool Training,
    bool ThroughTime,
    bool StaticInput,
    bool FastMath = false,
    bool BatchStatistics = false,
    int StepsAtOnce = 1,
    bool Recompute = false,
    bool SplitTf32 = false)
{
    /// <summary>Images that go through the network at once.</summary>
    internal long Images => (long)Batch * StepsAtOnce;
}
