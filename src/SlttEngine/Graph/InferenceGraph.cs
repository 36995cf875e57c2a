namespace SlttEngine.Graph;

/// <summary>What a network computes in a step of an evaluation, for programs that are not ours: dropout is gone, biases are added where
/// they belong, fused layers are taken apart.</summary>
internal sealed class InferenceGraph
{
    private readonly ParameterStore store;
    private readonly Dictionary<Edge, InferenceNode> values = [];
    private readonly List<InferenceNode> nodes = [];

    private InferenceGraph(ParameterStore store, NeuronOptions neuron)
    {
        (this.store, Neuron) = (store, neuron);
        Edge input = store.Network.Input;
        Set(input, new InferenceNode.Input(ShapeOf(input)));
    }

    /// <summary>In order of execution; the first is the input, the last makes the logits.</summary>
    internal IReadOnlyList<InferenceNode> Nodes => nodes;

    /// <summary>The input.</summary>
    internal InferenceNode Input => nodes[0];

    /// <summary>The logits.</summary>
    internal InferenceNode Logits => nodes[^1];

    /// <summary>The layers of neurons.</summary>
    internal IEnumerable<InferenceNode.Neurons> Neurons => nodes.OfType<InferenceNode.Neurons>();

    /// <summary>The run's neuron, for the layers that describe themselves.</summary>
    internal NeuronOptions Neuron { get; }

    /// <summary>Asks each layer what it computes.</summary>
    /// <param name="store">The network with its parameters.</param>
    /// <param name="neuron">The run's neuron.</param>
    /// <exception cref="SlttException">A layer is of a kind that other programs have not.</exception>
    internal static InferenceGraph Of(ParameterStore store, NeuronOptions neuron)
    {
        InferenceGraph graph = new(store, neuron);
        foreach (Layer layer in store.Network.Layers)
        {
            layer.Describe(graph);
        }

        HashSet<string> names = [];
        return graph.nodes.Find(n => !names.Add(n.Name)) is { } twice
            ? throw GraphError.Of($"{twice.Name}: two parts of the network have this name", "give each layer a name of its own")
            : graph;
    }

    /// <summary>Who reads a node; a node that reads it twice is there twice.</summary>
    /// <param name="node">The node.</param>
    internal IEnumerable<InferenceNode> Readers(InferenceNode node) => nodes.SelectMany(n => n.Inputs.Where(i => i == node).Select(_ => n));

    /// <summary>What makes an edge.</summary>
    /// <param name="edge">The edge.</param>
    internal InferenceNode Value(Edge edge) => values[edge];

    /// <summary>What makes an edge, with the bias that its layer leaves to its reader.</summary>
    /// <param name="edge">A convolution's output.</param>
    /// <param name="bias">The bias; null: none.</param>
    /// <exception cref="SlttException">Another layer reads it too, without the bias.</exception>
    internal InferenceNode WithBias(Edge edge, Parameter? bias)
    {
        InferenceNode value = Value(edge);
        if (bias is null)
        {
            return value;
        }

        bool isOnly = store.Network.Readers(edge).Count() == 1;
        switch (value)
        {
            case InferenceNode.Convolution { Bias: null } convolution when isOnly:
                convolution.Bias = Weight(bias);
                break;
            case InferenceNode.Linear { Bias: null } linear when isOnly:
                linear.Bias = Weight(bias);
                break;
            default:
                throw GraphError.Of(
                    $"{edge.Name}: one of its readers adds {bias.Name} and another does not: that can't be exported",
                    "put a BiasAdd behind the convolution, which all of them read");
        }

        return value;
    }

    /// <summary>Appends a node that makes an edge.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="node">The node.</param>
    internal void Set(Edge edge, InferenceNode node)
    {
        nodes.Add(node);
        values[edge] = node;
    }

    /// <summary>Appends a node that makes no edge: a layer's inner part.</summary>
    /// <typeparam name="T">Its kind.</typeparam>
    /// <param name="node">The node.</param>
    internal T Add<T>(T node)
        where T : InferenceNode
    {
        nodes.Add(node);
        return node;
    }

    /// <summary>Says that an edge is what another one is: a layer that does nothing in evaluation.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="value">What makes it.</param>
    internal void Alias(Edge edge, InferenceNode value) => values[edge] = value;

    /// <summary>A parameter's values in PyTorch's order.</summary>
    /// <param name="parameter">The parameter.</param>
    internal float[] Weight(Parameter parameter) => store.GetWeight(parameter);

    /// <summary>A buffer's values.</summary>
    /// <param name="buffer">The buffer.</param>
    internal float[] Statistic(StatisticsBuffer buffer) => store.GetStatistic(buffer);

    /// <summary>The layers that read an edge.</summary>
    /// <param name="edge">The edge.</param>
    internal IEnumerable<Layer> ReadersOf(Edge edge) => store.Network.Layers.Where(l => l.Inputs.Contains(edge));

    /// <summary>An edge's shape.</summary>
    /// <param name="edge">The edge.</param>
    internal static MapShape ShapeOf(Edge edge) => new(edge.Channels, edge.Height, edge.Width);
}
