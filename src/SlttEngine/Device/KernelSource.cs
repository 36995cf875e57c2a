namespace SlttEngine.Device;

/// <summary>
/// A user's own kernels as CUDA C++ source text. They are compiled where they are first asked for: by NVRTC for a GPU, by g++ for the CPU
/// device (docs/guide/own-layer.md).
/// </summary>
/// <remarks>
/// Kernels are declared by <c>SLTT_KERNEL</c> or <c>SLTT_TYPED_KERNEL</c>, as those of the engine are. The engine's kernel headers are
/// included in front of the text, and their namespace <c>sltt</c> is in use; the text includes nothing.
/// </remarks>
/// <param name="Name">The name that the compiler's messages and the cache's files have, such as <c>gain.cu</c>.</param>
/// <param name="Text">The source text. Line 1 of the compiler's messages is its first line.</param>
public sealed record KernelSource(string Name, string Text)
{
    /// <summary>The name without characters that a file's name, or a line of C++, could not have.</summary>
    internal string SafeName => string.Concat(Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '_'));
}
