using SlttEngine.Graph;
using SlttEngine.Layers;

namespace SlttEngine.Models;

/// <summary>Makes a network's layers of what a <see cref="NetworkBuilder"/> was asked for.</summary>
/// <remarks>
/// Batch norm and the neurons behind it become one layer, into which a sum in front, a dropout and a pool behind are folded where nobody
/// else reads what lies between. The fused layer writes over its input: so it may not have another reader.
/// </remarks>
internal sealed class NetworkLowering
{
    private readonly NodeGraph graph;
    private readonly LinearNode head;
    private readonly Network network;
    private readonly Dictionary<Node, Edge> edges = [];
    private readonly Dictionary<Node, ConvolutionModule> convolutions = [];
    private readonly Dictionary<BatchNormNode, BatchNormModule> norms = [];

    /// <summary>Starts the network.</summary>
    /// <param name="graph">What was asked for.</param>
    /// <param name="last">The layer that makes the logits.</param>
    /// <param name="model">The model's name.</param>
    /// <exception cref="SlttException">The last layer is not linear.</exception>
    internal NetworkLowering(NodeGraph graph, Node last, string model)
    {
        this.graph = graph;
        head = last as LinearNode ?? throw GraphError.Of(
            $"{model}: {last.Name} can't be the last layer", "end the network with .Linear(classes)");
        if (head.Readers.Count > 0)
        {
            throw GraphError.Of(
                $"{model}: {head.Readers[0].Name} reads the logits of {head.Name}", "call Build on the network's last layer");
        }

        network = new Network(model, graph.Input.Channels, graph.Input.Height, graph.Input.Width, head.Outputs);
        edges[graph.Input] = network.Input;
    }

    /// <summary>Makes the layers, in the order that they were asked for.</summary>
    /// <exception cref="SlttException">They do not fit together.</exception>
    internal Network Build()
    {
        foreach (Node node in graph.Nodes)
        {
            if (node.Readers.Count == 0 && node != head)
            {
                throw GraphError.Of($"{node.Name}: no layer reads it", "leave it out, or let a later layer read it");
            }

            if (node != head)
            {
                Lower(node);
            }
        }

        // The head comes last, wherever it was asked for.
        Edge features = edges[head.Inputs[0]];
        network.Add(new Linear(network, head.Name, features, new Initializer.Uniform(1 / Math.Sqrt(features.Elements))));
        network.Settings = graph.Nodes.Where(n => n.Settings.Length > 0).ToDictionary(n => n.Name, n => n.Settings);
        network.Validate();
        return network;
    }

    private void Lower(Node node)
    {
        switch (node)
        {
            case ConvNode conv:
                LowerConvolution(conv, conv.Bias ?? !IsNormalised(conv));
                break;
            case LinearNode linear:
                LowerHiddenLinear(linear);
                break;
            case BatchNormNode norm:
                LowerBatchNorm(norm);
                break;
            case LifNode lif:
                LowerNeurons(lif);
                break;
            case DropoutNode dropout when !edges.ContainsKey(dropout):
                edges[dropout] = dropout.Rate is >= 0 and < 1
                    ? network.Add(new FeatureDropout(dropout.Name, edges[dropout.Inputs[0]], dropout.Rate))
                    : throw RateRefused(dropout);
                break;
            case AvgPoolNode pool when !edges.ContainsKey(pool):
                edges[pool] = network.Add(
                    new AvgPool(pool.Name, edges[pool.Inputs[0]], pool.Window, pool.Stride, pool.Padding));
                break;
            case AdaptiveAvgPoolNode pool:
                edges[pool] = network.Add(new AdaptiveAvgPool(pool.Name, edges[pool.Inputs[0]], pool.Size));
                break;
            case AddNode add when !IsFolded(add):
                edges[add] = network.Add(new ResidualAdd(add.Name, edges[add.Inputs[0]], edges[add.Inputs[1]]));
                break;
            case LayerNode layer:
                edges[layer] = network.Add(layer.Create(network, [.. layer.Inputs.Select(i => edges[i])]));
                break;
        }
    }

    private void LowerConvolution(ConvNode node, bool hasBias)
    {
        Edge input = EdgeForBackward(node.Inputs[0]);
        ConvolutionModule module = ConvolutionModule.Declare(
            network, node.Name, input.Channels, node.Channels, node.Kernel, node.Stride, node.Padding,
            hasBias ? ConvolutionModule.DefaultBias(input.Channels, node.Kernel) : null);
        AddConvolution(node, module, input);
    }

    /// <summary>A linear layer inside the network: a 1×1 convolution over all numbers as channels.</summary>
    private void LowerHiddenLinear(LinearNode node)
    {
        Edge x = EdgeForBackward(node.Inputs[0]);
        Edge input = x is { Height: 1, Width: 1 } ? x : network.Add(new Flatten(node.Name + " input", x));
        Initializer first = new Initializer.Uniform(1 / Math.Sqrt(x.Elements));
        Parameter weight = network.Declare(
            node.Name + ".weight", [node.Outputs, input.Channels], first, [node.Outputs, x.Channels, x.Height, x.Width]);
        Parameter bias = network.Declare(node.Name + ".bias", [node.Outputs], first);
        AddConvolution(node, new ConvolutionModule(node.Name, input.Channels, node.Outputs, 1, 1, 0, weight, bias), input);
    }

    /// <summary>Appends a convolution; its bias is left to the batch norm behind it, or added by a layer of its own.</summary>
    private void AddConvolution(Node node, ConvolutionModule module, Edge input)
    {
        convolutions[node] = module;
        Edge output = network.Add(new Convolution(module, input));
        edges[node] = module.Bias is null || IsNormalised(node)
            ? output
            : network.Add(new BiasAdd(node.Name + " bias", output, module.Bias));
    }

    private void LowerBatchNorm(BatchNormNode node)
    {
        Node input = node.Inputs[0];
        int channels = input is AddNode add && IsFolded(add) ? edges[Main(add)!].Channels : edges[input].Channels;
        norms[node] = BatchNormModule.Declare(network, node.Name, channels);
        if (!IsFused(node))
        {
            edges[node] = network.Add(new CudnnBatchNorm(norms[node], Sum(node)));
        }
    }

    private void LowerNeurons(LifNode node)
    {
        DropoutNode? dropout = node.Readers is [DropoutNode reader] ? reader : null;
        float rate = dropout?.Rate ?? 0;
        if (rate is not (>= 0 and < 1))
        {
            throw RateRefused(dropout!);
        }

        Edge output;
        if (node.Inputs[0] is BatchNormNode norm && IsFused(norm))
        {
            ConvolutionSum sum = Sum(norm);
            AvgPoolNode? pool = ((Node?)dropout ?? node).Readers is [AvgPoolNode { Padding: 0 } p] && p.Stride == p.Window
                && BatchNormLif.CanPool(sum.Main, p.Window) ? p : null;
            output = network.Add(new BatchNormLif(node.Name, norms[norm], sum, rate, pool?.Window ?? 1, node.Constants));
            if (pool is not null)
            {
                edges[pool] = output;
            }
        }
        else
        {
            output = network.Add(new Lif(node.Name, edges[node.Inputs[0]], 1, 1, rate, node.Constants));
        }

        edges[node] = output;
        if (dropout is not null)
        {
            edges[dropout] = output;
        }
    }

    /// <summary>What a batch norm reads: a value, or a sum that is made while it is read, with the biases of the convolutions.</summary>
    private ConvolutionSum Sum(BatchNormNode norm)
    {
        if (norm.Inputs[0] is not AddNode add || !IsFolded(add))
        {
            return new ConvolutionSum(edges[norm.Inputs[0]], Bias(norm.Inputs[0]));
        }

        Node main = Main(add)!;
        Node other = main == add.Inputs[0] ? add.Inputs[1] : add.Inputs[0];
        return new ConvolutionSum(edges[main], Bias(main), edges[other], Bias(other));
    }

    /// <summary>The bias that a batch norm has to account for; null: none, or it is added already.</summary>
    private Parameter? Bias(Node node) => IsNormalised(node) && convolutions.TryGetValue(node, out ConvolutionModule? m) ? m.Bias : null;

    /// <summary>True if a batch norm, or a sum that is folded into one, is all that reads it.</summary>
    private static bool IsNormalised(Node node) => node.Readers is [BatchNormNode] || (node.Readers is [AddNode add] && IsFolded(add));

    /// <summary>True if the neurons behind a batch norm do its work.</summary>
    private static bool IsFused(BatchNormNode norm) =>
        norm.Readers is [LifNode] && (norm.Inputs[0] is AddNode add && IsFolded(add) || IsExclusive(norm.Inputs[0]));

    /// <summary>True if a batch norm makes the sum while it reads it.</summary>
    /// <remarks>Not if one summand is the same at every step and the other is not: the sum is written over one of them.</remarks>
    private static bool IsFolded(AddNode add) => add.Readers is [BatchNormNode] && Main(add) is not null
        && DependsOnInputOnly(add.Inputs[0]) is { } first && DependsOnInputOnly(add.Inputs[1]) == first;

    /// <summary>The summand that the sum may be written over; null: neither.</summary>
    private static Node? Main(AddNode add) => add.Inputs.FirstOrDefault(IsExclusive);

    /// <summary>True if it has one reader, which may write over it.</summary>
    private static bool IsExclusive(Node node) => node.Readers.Count == 1 && node is not InputNode;

    /// <summary>True if no neuron lies between the input and it; null: nobody knows what a user's layer makes of it.</summary>
    private static bool? DependsOnInputOnly(Node node) => node switch
    {
        InputNode => true,
        LifNode or DropoutNode => false,
        LayerNode => null,
        _ => node.Inputs.Select(DependsOnInputOnly).Aggregate((a, b) => a is null || b is null ? null : a.Value && b.Value),
    };

    /// <summary>A value whose reader needs it in backward: it is kept, unless it can be made again from what is kept anyway.</summary>
    private Edge EdgeForBackward(Node node)
    {
        Edge edge = edges[node];
        if (!IsRecomputable(node))
        {
            edge.SavedForBackward = true;
        }

        return edge;
    }

    private bool IsRecomputable(Node node) => node switch
    {
        InputNode or LifNode => true,
        DropoutNode => node.Inputs[0] is LifNode && edges[node] == edges[node.Inputs[0]],
        AvgPoolNode or AdaptiveAvgPoolNode => IsRecomputable(node.Inputs[0]),
        _ => false,
    };

    private static SlttException RateRefused(DropoutNode node) => GraphError.Of(
        FormattableString.Invariant($"{node.Name}: a dropout rate of {node.Rate:R}"), "take at least 0 and less than 1");
}
