using PureHDF;
using PureHDF.VOL.Native;

namespace SlttEngine.Tests.Export;

/// <summary>
/// Reads a NIR file and simulates it by the text of NIR's primitives alone, in double precision: forward Euler with a given dt, what edges
/// bring to a node added up, Threshold above its threshold, LIF reset to v_reset. Metadata is not looked at.
/// </summary>
internal sealed class NirSimulator
{
    private readonly double dt;
    private readonly Dictionary<string, NirNode> nodes = [];
    private readonly List<(string From, string To)> edges = [];
    private readonly List<string> order = [];
    private readonly Dictionary<string, double[]> state = [];

    internal NirSimulator(string path, double dt)
    {
        this.dt = dt;
        using NativeFile file = H5File.OpenRead(path);
        IH5Group graph = file.Group("node");
        if (graph.Dataset("type").Read<string>() != "NIRGraph")
        {
            throw new InvalidDataException("no NIRGraph");
        }

        foreach (IH5Group group in graph.Group("nodes").Children().OfType<IH5Group>())
        {
            nodes[group.Name] = new NirNode(group);
        }

        string[,] pairs = graph.Dataset("edges").Read<string[,]>();
        for (int i = 0; i < pairs.GetLength(0); i++)
        {
            edges.Add((pairs[i, 0], pairs[i, 1]));
        }

        Sort();
    }

    /// <summary>Sees each layer's outputs as they are computed, with the potential that decided them, and may replace them.</summary>
    internal Func<string, double[], double[], double[]> Fired { get; init; } = (_, spikes, _) => spikes;

    internal IReadOnlyDictionary<string, NirNode> Nodes => nodes;

    /// <summary>A step; returns what reaches the output.</summary>
    internal double[] Step(float[] input)
    {
        Dictionary<string, double[]> values = [];
        foreach (string name in order)
        {
            NirNode node = nodes[name];
            double[] x = node.Type switch
            {
                "Input" => [.. input.Select(v => (double)v)],
                "Delay" => [], // what it brings is a step old
                _ => Incoming(name, values),
            };
            values[name] = Compute(name, node, x);
        }

        foreach ((string name, NirNode node) in nodes.Where(n => n.Value.Type == "Delay"))
        {
            Assert.That(node["delay"], Is.All.EqualTo((float)dt), name);
            state[name] = Incoming(name, values);
        }

        return values[nodes.Single(n => n.Value.Type == "Output").Key];
    }

    private double[] Incoming(string name, Dictionary<string, double[]> values)
    {
        double[]? sum = null;
        foreach ((string from, string to) in edges)
        {
            if (to == name)
            {
                double[] value = values[from];
                sum ??= new double[value.Length];
                for (int i = 0; i < value.Length; i++)
                {
                    sum[i] += value[i];
                }
            }
        }

        return sum ?? throw new InvalidDataException($"nothing reaches {name}");
    }

    private double[] Compute(string name, NirNode node, double[] x)
    {
        switch (node.Type)
        {
            case "Input" or "Output" or "Flatten":
                return x;
            case "Delay":
                return state.GetValueOrDefault(name) ?? new double[node["delay"].Length];
            case "Scale":
                return [.. x.Select((v, i) => v * node["scale"][i])];
            case "Affine":
                return node.Multiply(x);
            case "Conv2d":
                return node.Convolve(x);
            case "AvgPool2d":
                return node.Pool(x, Shape(name));
            case "LI":
                return Integrate(name, node, x);
            case "Threshold":
                return Fired(name, [.. x.Select((v, i) => v > node["threshold"][i] ? 1.0 : 0.0)], x);
            case "LIF":
                double[] v = Integrate(name, node, x);
                double[] spikes = Fired(name, [.. v.Select((u, i) => u > node["v_threshold"][i] ? 1.0 : 0.0)], v);
                state[name] = [.. v.Select((u, i) => spikes[i] > 0 ? node["v_reset"][i] : u)];
                return spikes;
            default:
                throw new InvalidDataException($"{name}: {node.Type}");
        }
    }

    private double[] Integrate(string name, NirNode node, double[] x)
    {
        double[] v = state.GetValueOrDefault(name) ?? new double[x.Length];
        return state[name] = [.. v.Select((u, i) => u + (dt / node["tau"][i] * (node["v_leak"][i] - u + (node["r"][i] * x[i]))))];
    }

    /// <summary>Channels, height and width of what reaches a pool.</summary>
    private int[] Shape(string name)
    {
        string from = edges.First(e => e.To == name).From;
        NirNode node = nodes[from];
        switch (node.Type)
        {
            case "Conv2d":
                return node.OutputShape();
            case "AvgPool2d":
                int[] shape = Shape(from);
                return [shape[0], node.Pooled(shape[1], 0), node.Pooled(shape[2], 1)];
            case "Threshold":
                return node.Dimensions("threshold");
            case "LIF":
                return node.Dimensions("tau");
            default:
                return node.Dimensions("scale");
        }
    }

    private void Sort()
    {
        HashSet<string> done = [];
        while (order.Count < nodes.Count)
        {
            string[] ready =
            [
                .. nodes.Keys.Where(n => !done.Contains(n) && (nodes[n].Type == "Delay"
                    || edges.Where(e => e.To == n).All(e => done.Contains(e.From)))),
            ];
            if (ready.Length == 0)
            {
                throw new InvalidDataException("a circle without a delay");
            }

            order.AddRange(ready);
            done.UnionWith(ready);
        }
    }
}
