using System.Globalization;
using SlttEngine.Graph;

namespace SlttEngine.Models;

/// <summary>The layers of a network that is being put together, as they were asked for.</summary>
internal sealed class NodeGraph
{
    private readonly List<Node> nodes = [];
    private readonly Dictionary<string, int> numbers = [];

    /// <summary>A graph that is its input alone.</summary>
    /// <param name="channels">Channels.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    internal NodeGraph(int channels, int height, int width) => Input = new InputNode(channels, height, width);

    /// <summary>The input.</summary>
    internal InputNode Input { get; }

    /// <summary>All but the input, in the order that they were asked for.</summary>
    internal IReadOnlyList<Node> Nodes => nodes;

    /// <summary>The next name of a kind: conv1, conv2 …</summary>
    /// <param name="kind">The kind.</param>
    internal string NewName(string kind)
    {
        int number = numbers[kind] = numbers.GetValueOrDefault(kind) + 1;
        return kind + number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Appends a layer and makes it known to what it reads.</summary>
    /// <param name="node">The layer.</param>
    internal Node Append(Node node)
    {
        nodes.Add(node);
        foreach (Node input in node.Inputs)
        {
            input.Readers.Add(node);
        }

        return node;
    }
}

/// <summary>A layer as it was asked for.</summary>
/// <param name="name">Its name.</param>
/// <param name="inputs">What it reads.</param>
internal abstract class Node(string name, params Node[] inputs)
{
    /// <summary>Its name.</summary>
    internal string Name => name;

    /// <summary>What it reads.</summary>
    internal IReadOnlyList<Node> Inputs => inputs;

    /// <summary>What reads it; a layer that reads it twice is there twice.</summary>
    internal List<Node> Readers { get; } = [];

    /// <summary>Its constants, for a checkpoint to keep; empty for a layer whose parameters' shapes say all.</summary>
    internal virtual string Settings => string.Empty;
}

internal sealed class InputNode(int channels, int height, int width) : Node("input")
{
    internal int Channels => channels;

    internal int Height => height;

    internal int Width => width;
}

internal sealed class ConvNode(string name, Node input, int channels, int kernel, int stride, int padding, bool? bias) : Node(name, input)
{
    internal int Channels => channels;

    internal int Kernel => kernel;

    internal int Stride => stride;

    internal int Padding => padding;

    internal bool? Bias => bias;

    internal override string Settings => $"stride {stride}, padding {padding}";
}

internal sealed class BatchNormNode(string name, Node input) : Node(name, input);

internal sealed class LifNode(string name, Node input, NeuronOverrides constants) : Node(name, input)
{
    internal NeuronOverrides Constants => constants;

    internal override string Settings => constants.ToString();
}

internal sealed class DropoutNode(string name, Node input, float rate) : Node(name, input)
{
    internal float Rate => rate;

    internal override string Settings => FormattableString.Invariant($"rate {rate:R}");
}

internal sealed class AvgPoolNode(string name, Node input, int window, int stride, int padding) : Node(name, input)
{
    internal int Window => window;

    internal int Stride => stride;

    internal int Padding => padding;

    internal override string Settings => $"window {window}, stride {stride}, padding {padding}";
}

internal sealed class AdaptiveAvgPoolNode(string name, Node input, int size) : Node(name, input)
{
    internal int Size => size;

    internal override string Settings => $"size {size}";
}

internal sealed class LinearNode(string name, Node input, int outputs) : Node(name, input)
{
    internal int Outputs => outputs;
}

internal sealed class AddNode(string name, Node first, Node second) : Node(name, first, second);

internal sealed class LayerNode(Node[] inputs, Func<Network, IReadOnlyList<Edge>, Layer> create) : Node("layer", inputs)
{
    internal Func<Network, IReadOnlyList<Edge>, Layer> Create => create;
}
