namespace SlttEngine.Device;

/// <summary>A piece of work that a GPU did, as CUPTI records it.</summary>
/// <param name="Name">The kernel's symbol; <see cref="Clear"/> or <see cref="Copy"/> for what is no kernel.</param>
/// <param name="Stream">CUPTI's number of the stream.</param>
/// <param name="Start">When it began, in ns on CUPTI's clock.</param>
/// <param name="End">When it ended.</param>
/// <param name="Bytes">Bytes cleared or copied; 0 for a kernel.</param>
internal readonly record struct DeviceActivity(string Name, uint Stream, ulong Start, ulong End, long Bytes)
{
    /// <summary>Name of a clear of memory.</summary>
    public const string Clear = "memset";

    /// <summary>Name of a copy.</summary>
    public const string Copy = "memcpy";

    /// <summary>Seconds that it took.</summary>
    public double Seconds => (End - Start) * 1e-9;
}
