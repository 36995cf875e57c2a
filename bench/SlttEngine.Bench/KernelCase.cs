using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>One kernel to time, on one number type and one size.</summary>
/// <param name="Name">The kernel's symbol, and the variant if it has several.</param>
/// <param name="Kernel">The kernel's symbol.</param>
/// <param name="Bytes">Bytes that a launch must move between memory and chip; 0 where that is next to nothing.</param>
/// <param name="Shape">Blocks and threads: the engine's.</param>
/// <param name="Arguments">Makes the arguments, in the exact types of the kernel's signature.</param>
public sealed record KernelCase(string Name, string Kernel, long Bytes, LaunchShape Shape, Func<KernelBuffers, object[]> Arguments)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}
