namespace SlttEngine.Graph;

/// <summary>An activation in the network's graph, for one sample: its name, shape (H, W, C), and what backward needs of it.</summary>
public sealed class Edge
{
    /// <summary>Creates the output of a layer.</summary>
    /// <param name="name">The layer.</param>
    /// <param name="height">Height H.</param>
    /// <param name="width">Width W.</param>
    /// <param name="channels">Channels C.</param>
    /// <param name="dependsOnInputOnly">True if no neuron lies between the input and it.</param>
    /// <exception cref="SlttException">A size is not at least 1.</exception>
    public Edge(string name, int height, int width, int channels, bool dependsOnInputOnly)
    {
        (Name, Height, Width, Channels, DependsOnInputOnly) = (name, height, width, channels, dependsOnInputOnly);
        if (height < 1 || width < 1 || channels < 1)
        {
            throw GraphError.Of($"{name}: its output would have {Shape}", "each size must be at least 1");
        }
    }

    /// <summary>The layer that makes it.</summary>
    public string Name { get; }

    /// <summary>Height H.</summary>
    public int Height { get; }

    /// <summary>Width W.</summary>
    public int Width { get; }

    /// <summary>Channels C.</summary>
    public int Channels { get; }

    /// <summary>Elements a sample.</summary>
    public long Elements => (long)Height * Width * Channels;

    /// <summary>True if no neuron lies between the input and it: with a static input it is the same at every step.</summary>
    public bool DependsOnInputOnly { get; }

    /// <summary>True if a layer's backward reads it as forward left it.</summary>
    public bool SavedForBackward { get; internal set; }

    /// <summary>What backward can make again of what it reads or keeps anyway.</summary>
    internal Origin Origin { get; init; }

    /// <summary>True if TF32 holds each of its numbers exactly: spikes, and their averages over 2, 4 or 8 pixels in a line.</summary>
    internal bool IsExactInTf32 { get; init; }

    /// <summary>True for a convolution's output that the engine's batch norm reads: backward may make it again instead of keeping
    /// it.</summary>
    internal bool CanBeRecomputed { get; set; }

    /// <summary>The residual that a batch norm adds to it, where backward must recompute that too; null: none.</summary>
    internal Edge? RecomputedResidual { get; set; }

    /// <summary>The output of a layer that changes neither height, width nor channels, and has no neurons.</summary>
    /// <param name="name">The layer.</param>
    public Edge Like(string name) => new(name, Height, Width, Channels, DependsOnInputOnly);

    /// <summary>
    /// Says that a layer's backward reads it: forward then keeps it (<see cref="ProgramBuilder{T}.ActivationForBackward"/>). Layers call it
    /// in their constructors. Spikes and their averages need it not: backward recomputes them.
    /// </summary>
    /// <returns>The edge itself.</returns>
    public Edge SaveForBackward()
    {
        SavedForBackward = true;
        return this;
    }

    /// <summary>The shape for messages: height×width×channels.</summary>
    internal string Shape => $"{Height}×{Width}×{Channels}";

    /// <summary>True if height, width and channels are equal.</summary>
    internal bool HasShapeOf(Edge other) => (Height, Width, Channels) == (other.Height, other.Width, other.Channels);
}

/// <summary>Where an edge comes from, as far as it says how backward gets it.</summary>
internal enum Origin
{
    /// <summary>Some layer.</summary>
    Other,

    /// <summary>A convolution, whose input backward has.</summary>
    Convolution,

    /// <summary>Neurons, whose potential is kept.</summary>
    Neurons,
}
