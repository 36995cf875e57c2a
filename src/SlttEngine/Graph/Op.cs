namespace SlttEngine.Graph;

/// <summary>
/// A launch of a program (or several that belong together), with the buffers it touches: what the planner orders memory by.
/// </summary>
/// <param name="Name">Layer and operation.</param>
/// <param name="Reads">Buffers read.</param>
/// <param name="Writes">Buffers written; one that is updated is in both.</param>
/// <param name="Launch">Launches it for time step t on the device's stream. It asks for addresses only here, as a plan has none. Steps
/// that go through the network side by side are launched one after the other, unless <see cref="LaunchSteps"/> does them in one.</param>
/// <param name="InPlace">A write and a read that may be the same memory, if nothing later reads the latter.</param>
public sealed record Op(
    string Name, DeviceBuffer[] Reads, DeviceBuffer[] Writes, Action<int> Launch, (DeviceBuffer Output, DeviceBuffer Input)? InPlace = null)
{
    private readonly long? bytes;

    /// <summary>Launches it for several steps side by side; null: each step is launched by itself.</summary>
    public Action<StepRange>? LaunchSteps { get; init; }

    /// <summary>The layer that emitted it; empty for what belongs to none.</summary>
    public string Layer { get; init; } = string.Empty;

    /// <summary>
    /// Multiplications (each with its addition) of a matrix product or convolution computed in full; 0 for what only moves memory.
    /// </summary>
    public long MultiplyAdds { get; init; }

    /// <summary>Bytes of parameters, gradients and optimiser state that it reads and writes.</summary>
    public long ParameterBytes { get; init; }

    /// <summary>Of the bytes besides those of parameters, the ones that move once in a launch for several steps: what a step leaves to the
    /// next in registers.</summary>
    public long CarriedBytes { get; init; }

    /// <summary>
    /// Bytes that must move: parameters, and unless it says otherwise all of the buffers that it reads and writes, workspaces aside.
    /// </summary>
    public long Bytes
    {
        get => ParameterBytes + (bytes ?? Reads.Concat(Writes).Where(b => b.Kind != BufferKind.Workspace).Sum(b => b.Bytes));
        init => bytes = value;
    }

    /// <summary>An operation that does steps side by side in one launch.</summary>
    /// <param name="name">Layer and operation.</param>
    /// <param name="reads">Buffers read.</param>
    /// <param name="writes">Buffers written; one that is updated is in both.</param>
    /// <param name="launch">Launches it for a range of steps.</param>
    /// <param name="inPlace">A write and a read that may be the same memory, if nothing later reads the latter.</param>
    public static Op ForSteps(
        string name,
        DeviceBuffer[] reads,
        DeviceBuffer[] writes,
        Action<StepRange> launch,
        (DeviceBuffer Output, DeviceBuffer Input)? inPlace = null) =>
        new(name, reads, writes, t => launch(StepRange.One(t)), inPlace) { LaunchSteps = launch };

    /// <summary>Bytes that must move for several steps side by side.</summary>
    /// <param name="steps">How many.</param>
    public long BytesFor(int steps) => LaunchSteps is null
        ? steps * Bytes
        : (steps * (Bytes - ParameterBytes - CarriedBytes)) + ParameterBytes + CarriedBytes;

    /// <summary>Launches it for steps side by side.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="backwards">True: where each step is launched by itself, the last one first, as backward through time goes.</param>
    internal void Run(StepRange steps, bool backwards)
    {
        if (LaunchSteps is not null)
        {
            LaunchSteps(steps);
            return;
        }

        for (int i = 0; i < steps.Count; i++)
        {
            Launch(backwards ? steps.First + steps.Count - 1 - i : steps.First + i);
        }
    }
}
