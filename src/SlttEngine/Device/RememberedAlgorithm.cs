namespace SlttEngine.Device;

/// <summary>An algorithm that was found the fastest for one call.</summary>
/// <param name="Algorithm">The library's number of it.</param>
/// <param name="Math">The library's number of the math that it was measured in.</param>
/// <param name="Milliseconds">What it took when it was measured.</param>
public sealed record RememberedAlgorithm(int Algorithm, int Math, double Milliseconds)
{
    /// <summary>Where they are remembered: algorithms.json.</summary>
    /// <param name="device">Device and library version that they are for.</param>
    /// <param name="folder">Where the file is; null: the user's.</param>
    public static MeasuredChoices<RememberedAlgorithm> Open(string device, string? folder = null) => new("algorithms.json", device, folder);
}
