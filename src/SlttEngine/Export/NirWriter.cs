using System.Globalization;
using SlttEngine.Graph;

namespace SlttEngine.Export;

/// <summary>Writes a network as NIR.</summary>
/// <remarks>
/// NIR's neurons are differential equations. A step of ours is the forward Euler step of τ dv/dt = (v_leak − v) + r · I with
/// <see cref="Dt"/>, τ · dt for its τ, v_leak = 0 and r = τ: v + (r · I − v) / τ = (1 − 1/τ) v + I.
/// <para>
/// NIR's LIF puts v to v_reset at a spike. Our reset subtracts v_th, which no v_reset does. So a layer of neurons is four nodes whose text
/// in the specification leaves no choice: LI is u; Threshold makes the spikes; Delay hands them on a step later; Scale takes λ · v_th
/// off for each of them: u(t) = λ u(t−1) + x(t) − λ v_th s(t−1).
/// </para>
/// </remarks>
internal sealed class NirWriter
{
    /// <summary>Seconds of a time step: what snnTorch and SpikingJelly take for it.</summary>
    private const double Dt = 1e-4;

    private const string ExactReset =
        "soft: Threshold, Delay (one step) and Scale take (1 - 1/tau) v_th off LI's potential for each spike of the step before";

    private const string LifReset =
        "meant is the soft one, v - v_th at a spike; LIF's text says v_reset: snnTorch, SpikingJelly and Norse set v to 0, sinabs "
        + "subtracts v_th but leaks by exp(-dt/tau); so spikes differ from those of the training";

    private readonly ExportSubject subject;
    private readonly InferenceGraph graph;
    private readonly BatchNormFolding folding;
    private readonly bool singleNode;
    private readonly NirFile file = new();
    private readonly HashSet<InferenceNode> scaled = [];

    private NirWriter(ExportSubject subject, bool singleNode)
    {
        (this.subject, graph, this.singleNode) = (subject, subject.Graph, singleNode);
        folding = new BatchNormFolding(graph);
        MapShape input = graph.Input.Shape;
        file.Add(graph.Input.Name, "Input").Integers("shape", input.Channels, input.Height, input.Width);
        foreach (InferenceNode node in graph.Nodes.Skip(1))
        {
            Write(node);
        }

        file.Add("output", "Output").Integers("shape", graph.Logits.Shape.Channels);
        file.Connect(graph.Logits.Name, "output");
    }

    /// <summary>Writes the file.</summary>
    /// <param name="subject">What to write.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">How neurons are written.</param>
    /// <exception cref="SlttException">NIR has no node for a layer, which the message names.</exception>
    internal static ExportSummary Write(ExportSubject subject, string path, ExportOptions options)
    {
        NirWriter writer = new(subject, options.SingleNodeNeurons);
        string reset = options.SingleNodeNeurons ? LifReset : ExactReset;
        writer.file.Write(path, new Dictionary<string, string>(subject.Metadata)
        {
            ["dt"] = Dt.ToString("R", CultureInfo.InvariantCulture),
            ["integration"] = "forward Euler, one step a frame, v = 0 at first",
            ["reset"] = reset,
            ["threshold"] = "NIR fires above it: it is the float32 number below v_th, so that u = v_th fires",
        });
        return new ExportSummary(
            [path],
            $"NIR {NirFile.Version}: {writer.file.Nodes} nodes, {writer.file.Edges} edges, {writer.file.Parameters} numbers",
            [
                .. ExportSubject.Present(writer.folding.Summary),
                $"time: dt = {Dt.ToString("R", CultureInfo.InvariantCulture)} s, forward Euler; the answer is the mean of the output over "
                    + $"{subject.Steps} steps",
                "reset: " + reset,
            ]);
    }

    /// <summary>True for a value without height and width: behind a linear layer.</summary>
    private static bool IsVector(InferenceNode node) => node is InferenceNode.Linear
        || (node is InferenceNode.Neurons or InferenceNode.BatchNorm or InferenceNode.Sum && IsVector(node.Inputs[0]));

    private static int[] Dimensions(InferenceNode node) =>
        IsVector(node) ? [node.Shape.Channels] : [node.Shape.Channels, node.Shape.Height, node.Shape.Width];

    private static SlttException Refused(InferenceNode node, string why, string hint) =>
        new(ErrorKind.Usage, $"{node.Name}: NIR can't express it: {why}", hint);

    private void Write(InferenceNode node)
    {
        switch (node)
        {
            case InferenceNode.Convolution convolution:
                WriteConvolution(convolution);
                break;
            case InferenceNode.Linear linear:
                WriteLinear(linear);
                break;
            case InferenceNode.BatchNorm norm when !folding.IsFolded(norm):
                WriteAffine(norm);
                break;
            case InferenceNode.Neurons neurons when singleNode:
                WriteLif(neurons);
                break;
            case InferenceNode.Neurons neurons:
                WriteNeurons(neurons);
                break;
            case InferenceNode.AvgPool { Windows: (int window, int stride, int padding) } pool:
                RequireMap(pool);
                WritePool(pool, (window, window), (stride, stride), padding);
                break;
            case InferenceNode.AdaptiveAvgPool pool when !IsFolded(pool):
                RequireMap(pool);
                (int Height, int Width) windows = PoolWindows.Regular(pool.Inputs[0].Shape, pool.Size) ?? throw Refused(
                    pool, "its windows differ in size", "put a linear layer behind it, whose weights can take it in");
                WritePool(pool, windows, windows, 0);
                break;
            case InferenceNode.Sum sum when !IsExpanded(sum):
                WriteSum(sum);
                break;
        }
    }

    private void WriteConvolution(InferenceNode.Convolution c)
    {
        RequireMap(c);
        (float[] weight, float[]? bias) = folding.Weights(c);
        (int k, int stride, int padding) = c.Window;
        WriteConvolution(c, Scaled(weight, c.Inputs[0]), bias ?? new float[c.Shape.Channels], (k, stride, padding));
        Connect(c.Inputs[0], c.Name, takesRaw: true);
    }

    private void WriteConvolution(InferenceNode c, float[] weight, float[] bias, (int Kernel, int Stride, int Padding) window)
    {
        MapShape input = c.Inputs[0].Shape;
        (int k, int stride, int padding) = window;
        file.Add(c.Name, "Conv2d")
            .Integers("input_shape", input.Height, input.Width)
            .Weights("weight", weight, c.Shape.Channels, input.Channels, k, k)
            .Integers("stride", stride, stride)
            .Integers("padding", padding, padding)
            .Integers("dilation", 1, 1)
            .Integer("groups", 1)
            .Weights("bias", bias, bias.Length);
    }

    private void WriteLinear(InferenceNode.Linear linear)
    {
        (float[] weight, float[]? bias) = folding.Weights(linear);
        InferenceNode input = linear.Inputs[0];
        if (input is InferenceNode.AdaptiveAvgPool pool && IsFolded(pool))
        {
            input = pool.Inputs[0];
            weight = PoolWindows.Behind(weight, input.Shape, pool.Size);
        }

        string target = linear.Name;
        if (!IsVector(input))
        {
            target = linear.Name + ".flatten";
            file.Add(target, "Flatten").Integers("input_type", Dimensions(input)).Integer("start_dim", 0).Integer("end_dim", -1);
            file.Connect(target, linear.Name);
        }

        file.Add(linear.Name, "Affine")
            .Weights("weight", Scaled(weight, input), linear.Shape.Channels, input.Shape.Elements)
            .Weights("bias", bias ?? new float[linear.Shape.Channels], linear.Shape.Channels);
        Connect(input, target, takesRaw: true);
    }

    /// <summary>
    /// An affine map of each channel. NIR's Affine is a matrix over a vector, so over a map it is a 1×1 convolution with a diagonal matrix.
    /// </summary>
    private void WriteAffine(InferenceNode.BatchNorm norm)
    {
        (float[] scale, float[] shift) = BatchNormFolding.Affine(norm);
        float[] diagonal = new float[scale.Length * scale.Length];
        for (int c = 0; c < scale.Length; c++)
        {
            diagonal[(c * scale.Length) + c] = scale[c];
        }

        if (IsVector(norm))
        {
            file.Add(norm.Name, "Affine").Weights("weight", diagonal, scale.Length, scale.Length).Weights("bias", shift, shift.Length);
        }
        else
        {
            WriteConvolution(norm, diagonal, shift, (1, 1, 0));
        }

        Connect(norm.Inputs[0], norm.Name);
    }

    private void WriteNeurons(InferenceNode.Neurons neurons)
    {
        int[] size = Dimensions(neurons);
        NeuronOptions n = neurons.Constants;
        (string membrane, string delay, string reset) = (neurons.Name + ".membrane", neurons.Name + ".delay", neurons.Name + ".reset");
        file.Add(membrane, "LI").Filled("tau", n.Tau * Dt, size).Filled("r", n.Tau * neurons.InputScale, size).Filled("v_leak", 0, size);
        file.Add(neurons.Name, "Threshold").Filled("threshold", MathF.BitDecrement(n.Threshold), size);
        file.Add(delay, "Delay").Filled("delay", Dt, size);
        file.Add(reset, "Scale").Filled("scale", -(1 - (1 / n.Tau)) * n.Threshold / neurons.InputScale, size);
        Connect(neurons.Inputs[0], membrane);
        file.Connect(membrane, neurons.Name);
        file.Connect(neurons.Name, delay);
        file.Connect(delay, reset);
        file.Connect(reset, membrane);
    }

    private void WriteLif(InferenceNode.Neurons neurons)
    {
        int[] size = Dimensions(neurons);
        NeuronOptions n = neurons.Constants;
        file.Add(neurons.Name, "LIF")
            .Filled("tau", n.Tau * Dt, size)
            .Filled("r", n.Tau * neurons.InputScale, size)
            .Filled("v_leak", 0, size)
            .Filled("v_threshold", MathF.BitDecrement(n.Threshold), size)
            .Filled("v_reset", 0, size);
        Connect(neurons.Inputs[0], neurons.Name);
    }

    private void WritePool(InferenceNode pool, (int H, int W) window, (int H, int W) stride, int padding)
    {
        file.Add(pool.Name, "AvgPool2d")
            .Integers("kernel_size", window.H, window.W)
            .Integers("stride", stride.H, stride.W)
            .Integers("padding", padding, padding);
        Connect(pool.Inputs[0], pool.Name);
    }

    /// <summary>A place where a sum comes together that several nodes read.</summary>
    private void WriteSum(InferenceNode.Sum sum)
    {
        bool isDouble = sum.Inputs[0] == sum.Inputs[1];
        file.Add(sum.Name, "Scale").Filled("scale", isDouble ? 2 : 1, Dimensions(sum));
        Connect(sum.Inputs[0], sum.Name);
        if (!isDouble)
        {
            Connect(sum.Inputs[1], sum.Name);
        }
    }

    /// <summary>Connects what makes a value with a node. Edges into one node add up, which is how a sum is written.</summary>
    /// <param name="value">The value.</param>
    /// <param name="target">The node that reads it.</param>
    /// <param name="takesRaw">True: the reader's weights have what a spike counts for in them.</param>
    private void Connect(InferenceNode value, string target, bool takesRaw = false)
    {
        switch (value)
        {
            case InferenceNode.BatchNorm norm when folding.IsFolded(norm):
                Connect(norm.Inputs[0], target);
                break;
            case InferenceNode.Sum sum when IsExpanded(sum):
                Connect(sum.Inputs[0], target);
                Connect(sum.Inputs[1], target);
                break;
            case InferenceNode.Neurons { SpikeScale: not 1 } neurons when !takesRaw:
                string scale = neurons.Name + ".scale";
                if (scaled.Add(neurons))
                {
                    file.Add(scale, "Scale").Filled("scale", neurons.SpikeScale, Dimensions(neurons));
                    file.Connect(neurons.Name, scale);
                }

                file.Connect(scale, target);
                break;
            default:
                file.Connect(value.Name, target);
                break;
        }
    }

    /// <summary>Weights that read spikes of neurons: a spike counts for more than 1 in them.</summary>
    private static float[] Scaled(float[] weight, InferenceNode input) => input is InferenceNode.Neurons { SpikeScale: not 1 } neurons
        ? [.. weight.Select(w => (float)((double)w * neurons.SpikeScale))] : weight;

    /// <summary>True if a sum needs no node: one node reads it, and what it adds up are two values.</summary>
    private bool IsExpanded(InferenceNode.Sum sum) => graph.Readers(sum).Count() == 1
        && Summands(sum) is { } all && all.Distinct().Count() == all.Count;

    private List<InferenceNode> Summands(InferenceNode node) => node is InferenceNode.Sum sum && graph.Readers(sum).Count() == 1
        ? [.. Summands(sum.Inputs[0]), .. Summands(sum.Inputs[1])] : [node];

    /// <summary>True if the linear layer behind the pool takes it into its weights.</summary>
    private bool IsFolded(InferenceNode.AdaptiveAvgPool pool) => PoolWindows.Regular(pool.Inputs[0].Shape, pool.Size) is null
        && graph.Readers(pool).ToArray() is [InferenceNode.Linear] && !IsVector(pool.Inputs[0]);

    private static void RequireMap(InferenceNode node)
    {
        if (IsVector(node.Inputs[0]))
        {
            throw Refused(node, "it reads the vector that a linear layer makes as a map", "leave it out, or put it in front of the layer");
        }
    }
}
