using SlttEngine.Graph;

namespace SlttEngine.Models;

/// <summary>
/// A value in a network that is being put together: the input, or what a layer makes of other values. Each method appends a layer and
/// returns its output. A value may be read by any number of layers: that is how a network branches.
/// </summary>
/// <remarks>
/// <code>
/// Network net = new NetworkBuilder(channels: 2, height: 34, width: 34)
///     .Conv(32, 3).BatchNorm().Lif().AvgPool(2)
///     .Residual(x => x.Conv(32, 3).BatchNorm()).Lif()
///     .GlobalAvgPool().Linear(10).Build("small");
/// </code>
/// Layers are named by kind and number (conv1, bn1, lif1 …) unless they get a name; parameters have PyTorch's names (conv1.weight).
/// <see cref="Build"/> fuses what belongs together: batch norm, neurons, dropout and pool run as one kernel where the sizes allow.
/// </remarks>
public sealed class NetworkBuilder
{
    private readonly NodeGraph graph;
    private readonly Node node;

    /// <summary>Starts a network with its input: one frame.</summary>
    /// <param name="channels">Channels.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    public NetworkBuilder(int channels, int height, int width)
    {
        graph = new NodeGraph(channels, height, width);
        node = graph.Input;
    }

    private NetworkBuilder(NodeGraph graph, Node node) => (this.graph, this.node) = (graph, node);

    /// <summary>2-d convolution with a square kernel; weights start as kaiming_normal_(fan_out).</summary>
    /// <param name="channels">Output channels.</param>
    /// <param name="kernel">Kernel size.</param>
    /// <param name="stride">Stride.</param>
    /// <param name="padding">Zeros on each side; null: half the kernel, so that an odd kernel with stride 1 keeps the size.</param>
    /// <param name="bias">Whether it has a bias; null: unless a batch norm follows, which would take it away again.</param>
    /// <param name="name">Name; null: conv1, conv2 …</param>
    public NetworkBuilder Conv(int channels, int kernel, int stride = 1, int? padding = null, bool? bias = null, string? name = null) =>
        Append("conv", name, n => new ConvNode(n, node, channels, kernel, stride, padding ?? kernel / 2, bias));

    /// <summary>Batch norm by channel, with running statistics for evaluation.</summary>
    /// <param name="name">Name; null: bn1, bn2 …</param>
    public NetworkBuilder BatchNorm(string? name = null) => Append("bn", name, n => new BatchNormNode(n, node));

    /// <summary>LIF neurons with soft reset: u(t) = (1 − 1/τ) v(t−1) + x(t), a spike where u ≥ v_th.</summary>
    /// <param name="tau">τ in steps, above 1; null: the run's (<see cref="NeuronOptions"/>).</param>
    /// <param name="threshold">v_th; null: the run's.</param>
    /// <param name="surrogate">The spike's surrogate derivative; null: the run's.</param>
    /// <param name="name">Name; null: lif1, lif2 …</param>
    public NetworkBuilder Lif(double? tau = null, float? threshold = null, Surrogate? surrogate = null, string? name = null) =>
        Append("lif", name, n => new LifNode(n, node, new NeuronOverrides(tau, threshold, surrogate)));

    /// <summary>Dropout with one mask for all time steps.</summary>
    /// <param name="rate">Part that is dropped in training, from 0 up to but not 1.</param>
    /// <param name="name">Name; null: dropout1, dropout2 …</param>
    public NetworkBuilder Dropout(float rate, string? name = null) => Append("dropout", name, n => new DropoutNode(n, node, rate));

    /// <summary>Average pool.</summary>
    /// <param name="window">Height and width of a window.</param>
    /// <param name="stride">Stride; null: the window.</param>
    /// <param name="padding">Zeros on each side, at most half a window; they count in the average.</param>
    /// <param name="name">Name; null: pool1, pool2 …</param>
    public NetworkBuilder AvgPool(int window, int? stride = null, int padding = 0, string? name = null) =>
        Append("pool", name, n => new AvgPoolNode(n, node, window, stride ?? window, padding));

    /// <summary>Average pool to a given size.</summary>
    /// <param name="size">Output height and width.</param>
    /// <param name="name">Name; null: pool1, pool2 …</param>
    public NetworkBuilder AdaptiveAvgPool(int size, string? name = null) =>
        Append("pool", name, n => new AdaptiveAvgPoolNode(n, node, size));

    /// <summary>The average of each channel.</summary>
    /// <param name="name">Name; null: pool1, pool2 …</param>
    public NetworkBuilder GlobalAvgPool(string? name = null) => AdaptiveAvgPool(1, name);

    /// <summary>A linear layer over all of a sample's numbers, in PyTorch's order (C, H, W). The network's last layer is one.</summary>
    /// <param name="outputs">Outputs: of the last layer the classes.</param>
    /// <param name="name">Name; null: linear1, linear2 …</param>
    public NetworkBuilder Linear(int outputs, string? name = null) => Append("linear", name, n => new LinearNode(n, node, outputs));

    /// <summary>The sum of this value and another of the same shape.</summary>
    /// <param name="other">The other, of the same network.</param>
    /// <param name="name">Name; null: add1, add2 …</param>
    /// <exception cref="SlttException">The other belongs to another network.</exception>
    public NetworkBuilder Add(NetworkBuilder other, string? name = null)
    {
        RequireSameNetwork(other);
        return Append("add", name, n => new AddNode(n, node, other.node));
    }

    /// <summary>x + body(x), or shortcut(x) + body(x).</summary>
    /// <param name="body">Appends the block's layers to its argument.</param>
    /// <param name="shortcut">Appends what changes the shape, such as a 1×1 convolution; null: x itself.</param>
    /// <param name="name">Name of the sum; null: add1, add2 …</param>
    /// <exception cref="SlttException">One of both returned a value of another network.</exception>
    public NetworkBuilder Residual(
        Func<NetworkBuilder, NetworkBuilder> body, Func<NetworkBuilder, NetworkBuilder>? shortcut = null, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        NetworkBuilder main = body(this);
        RequireSameNetwork(main);
        return main.Add(shortcut is null ? this : shortcut(this), name);
    }

    /// <summary>A layer of another kind: one that is built in and has no method here, or the user's own.</summary>
    /// <param name="create">Makes the layer, for a network and the value that it reads. It declares its parameters there.</param>
    public NetworkBuilder Apply(Func<Network, Edge, Layer> create) => Apply((network, inputs) => create(network, inputs[0]));

    /// <summary>A layer that reads several values.</summary>
    /// <param name="create">Makes the layer, for a network and the values that it reads: this one, then the others.</param>
    /// <param name="others">The other values, of the same network.</param>
    /// <exception cref="SlttException">One of the others belongs to another network.</exception>
    public NetworkBuilder Apply(Func<Network, IReadOnlyList<Edge>, Layer> create, params NetworkBuilder[] others)
    {
        Array.ForEach(others, RequireSameNetwork);
        return new NetworkBuilder(graph, graph.Append(new LayerNode([node, .. others.Select(o => o.node)], create)));
    }

    /// <summary>Makes the network, which ends here: this value is the logits.</summary>
    /// <param name="model">The model's name, which checkpoints keep.</param>
    /// <exception cref="SlttException">The layers do not fit together; the message names the layer.</exception>
    public Network Build(string model = "network") => new NetworkLowering(graph, node, model).Build();

    private NetworkBuilder Append(string kind, string? name, Func<string, Node> create) =>
        new(graph, graph.Append(create(name ?? graph.NewName(kind))));

    private void RequireSameNetwork(NetworkBuilder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.graph != graph)
        {
            throw GraphError.Of(
                $"{other.node.Name}: a value of another network",
                "begin both with the same NetworkBuilder, and branch by reading it twice");
        }
    }
}
