namespace SlttEngine.Graph;

/// <summary>A network: its layers in order of execution, its parameters and statistics in PyTorch's order.</summary>
public sealed class Network
{
    private readonly List<Layer> layers = [];
    private readonly List<Parameter> parameters = [];
    private readonly List<StatisticsBuffer> statistics = [];
    private readonly List<string> stateNames = [];

    /// <summary>Starts a network without layers.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="channels">Input channels.</param>
    /// <param name="height">Input height.</param>
    /// <param name="width">Input width.</param>
    /// <param name="classes">Classes: the number of logits.</param>
    public Network(string model, int channels, int height, int width, int classes)
    {
        Model = model;
        Classes = classes;
        Input = new Edge("input", height, width, channels, dependsOnInputOnly: true) { SavedForBackward = true };
    }

    /// <summary>The model's name.</summary>
    public string Model { get; }

    /// <summary>Number of logits.</summary>
    public int Classes { get; }

    /// <summary>What else it was built with, such as its width: names and values that a checkpoint keeps to describe it.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; set; } = new Dictionary<string, string>();

    /// <summary>The input frame.</summary>
    public Edge Input { get; }

    /// <summary>The logits, in float: the last layer's output.</summary>
    public Edge Logits => layers[^1].Output;

    /// <summary>Layers in order of execution.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    /// <summary>Parameters in PyTorch's order.</summary>
    public IReadOnlyList<Parameter> Parameters => parameters;

    /// <summary>Statistics buffers in PyTorch's order.</summary>
    public IReadOnlyList<StatisticsBuffer> Statistics => statistics;

    /// <summary>Names of the state dict in PyTorch's order: parameters and buffers of each module together.</summary>
    public IReadOnlyList<string> StateNames => stateNames;

    /// <summary>Number of trained values.</summary>
    public long ParameterCount => parameters.Sum(p => (long)p.Count);

    /// <summary>Appends a layer; it runs after those before it.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="layer">The layer.</param>
    public Edge Add<T>(T layer)
        where T : Layer
    {
        layers.Add(layer);
        return layer.Output;
    }

    /// <summary>Declares a parameter; the order of declaration is PyTorch's.</summary>
    /// <param name="name">PyTorch's name.</param>
    /// <param name="shape">PyTorch's shape.</param>
    /// <param name="initializer">How it starts.</param>
    /// <param name="layout">(O, I, H, W) if it is stored channels-last on the device.</param>
    /// <exception cref="SlttException">The name is in use.</exception>
    public Parameter Declare(string name, int[] shape, Initializer initializer, int[]? layout = null)
    {
        CheckNew(name);
        Parameter parameter = new(name, shape, initializer, layout);
        parameters.Add(parameter);
        stateNames.Add(name);
        return parameter;
    }

    /// <summary>Declares a statistics buffer.</summary>
    /// <param name="name">PyTorch's name.</param>
    /// <param name="count">Elements; 0: a counter.</param>
    /// <param name="initial">Value at the start.</param>
    public StatisticsBuffer DeclareStatistic(string name, int count, float initial)
    {
        CheckNew(name);
        StatisticsBuffer buffer = new(name, count, initial);
        statistics.Add(buffer);
        stateNames.Add(name);
        return buffer;
    }

    /// <summary>The names of the layers that read an edge, in order of execution.</summary>
    /// <param name="edge">The edge.</param>
    internal IEnumerable<string> Readers(Edge edge) => layers.Where(l => l.Inputs.Contains(edge)).Select(l => l.Name);

    /// <summary>Checks that the layers make one graph from the input to the logits.</summary>
    /// <exception cref="SlttException">They do not.</exception>
    internal void Validate()
    {
        if (layers.Count == 0)
        {
            throw GraphError.Of($"{Model}: the network has no layers", "add layers, the last of them a Linear");
        }

        HashSet<Edge> made = [Input];
        HashSet<string> names = [];
        foreach (Layer layer in layers)
        {
            if (layer.Inputs.FirstOrDefault(i => !made.Contains(i)) is { } foreign)
            {
                throw GraphError.Of(
                    $"{layer.Name}: reads {foreign.Name}, which no layer in front of it in this network makes",
                    "add layers in order of execution, each to the network that its inputs belong to");
            }

            if (!names.Add(layer.Name))
            {
                throw GraphError.Of($"{layer.Name}: two layers have this name", "give each layer a name of its own");
            }

            made.Add(layer.Output);
        }

        if (made.FirstOrDefault(e => e != Logits && !Readers(e).Any()) is { } unread)
        {
            throw GraphError.Of($"{unread.Name}: no layer reads it", "leave it out, or let a later layer read it");
        }

        if (Logits.Elements != Classes || Logits.Channels != Classes)
        {
            throw GraphError.Of(
                $"{layers[^1].Name}: the last layer makes {Logits.Shape} numbers a sample, not one for each of the {Classes} classes",
                "end the network with a Linear layer");
        }
    }

    private void CheckNew(string name)
    {
        if (stateNames.Contains(name))
        {
            throw GraphError.Of($"{name}: two parameters have this name", "give each module a name of its own");
        }
    }
}
