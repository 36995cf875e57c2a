using SlttEngine.Planning;

namespace SlttEngine.Layers;

/// <summary>A layer of a network: it knows its parameters and shapes, and emits its operations into programs.</summary>
/// <param name="name">PyTorch's name of the module.</param>
public abstract class Layer(string name)
{
    /// <summary>PyTorch's name of the module.</summary>
    public string Name { get; } = name;

    /// <summary>What it makes.</summary>
    public Value Output { get; protected init; } = null!;

    /// <summary>Emits the forward operations; returns what emits the backward ones (called in reverse order of layers).</summary>
    /// <param name="b">The program being built.</param>
    public abstract Action Emit(ProgramBuilder b);
}
