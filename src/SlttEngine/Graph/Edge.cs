namespace SlttEngine.Graph;

/// <summary>An activation in the network's graph, for one sample: its name, shape (H, W, C), and what backward needs of it.</summary>
public sealed class Edge
{
    internal Edge(string name, int height, int width, int channels, bool dependsOnInputOnly)
    {
        Name = name;
        Height = height;
        Width = width;
        Channels = channels;
        DependsOnInputOnly = dependsOnInputOnly;
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
}
