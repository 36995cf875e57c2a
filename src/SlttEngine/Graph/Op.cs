namespace SlttEngine.Graph;

/// <summary>
/// A launch of a program (or several that belong together), with the buffers it touches: what the planner orders memory by.
/// </summary>
/// <param name="Name">Layer and operation.</param>
/// <param name="Reads">Buffers read.</param>
/// <param name="Writes">Buffers written; one that is updated is in both.</param>
/// <param name="Launch">Launches it for time step t on the device's stream. It asks for addresses only here, as a plan has none.</param>
/// <param name="InPlace">A write and a read that may be the same memory, if nothing later reads the latter.</param>
public sealed record Op(
    string Name, DeviceBuffer[] Reads, DeviceBuffer[] Writes, Action<int> Launch, (DeviceBuffer Output, DeviceBuffer Input)? InPlace = null)
{
    private readonly long? bytes;

    /// <summary>The layer that emitted it; empty for what belongs to none.</summary>
    public string Layer { get; init; } = string.Empty;

    /// <summary>
    /// Multiplications (each with its addition) of a matrix product or convolution computed in full; 0 for what only moves memory.
    /// </summary>
    public long MultiplyAdds { get; init; }

    /// <summary>Bytes of parameters, gradients and optimiser state that it reads and writes.</summary>
    public long ParameterBytes { get; init; }

    /// <summary>
    /// Bytes that must move: parameters, and unless it says otherwise all of the buffers that it reads and writes, workspaces aside.
    /// </summary>
    public long Bytes
    {
        get => ParameterBytes + (bytes ?? Reads.Concat(Writes).Where(b => b.Kind != BufferKind.Workspace).Sum(b => b.Bytes));
        init => bytes = value;
    }
}
