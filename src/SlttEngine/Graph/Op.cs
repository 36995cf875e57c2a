namespace SlttEngine.Graph;

/// <summary>One launch (or a few) of a program, with the tensors it touches: what the planner orders memory by.</summary>
/// <param name="Name">Layer and operation.</param>
/// <param name="Reads">Tensors read.</param>
/// <param name="Writes">Tensors written; one that is updated is in both.</param>
/// <param name="Launch">Launches it for time step t on the device's stream.</param>
/// <param name="InPlace">A write and a read that may be the same memory, if nothing later reads the latter.</param>
public sealed record Op(string Name, DeviceBuffer[] Reads, DeviceBuffer[] Writes, Action<int> Launch, (DeviceBuffer Output, DeviceBuffer Input)? InPlace = null)
{
    private readonly long? bytes;

    /// <summary>The layer that emitted it; empty for what belongs to none.</summary>
    public string Layer { get; init; } = string.Empty;

    /// <summary>Multiplications (each with its addition) of a matrix product or convolution computed in full; 0 for what only moves memory.</summary>
    public long MultiplyAdds { get; init; }

    /// <summary>Bytes that must move: unless it says otherwise, all that it reads and writes, workspaces aside.</summary>
    public long Bytes
    {
        get => bytes ?? Reads.Concat(Writes).Where(t => t.Kind != BufferKind.Workspace).Sum(t => t.Bytes);
        init => bytes = value;
    }
}
