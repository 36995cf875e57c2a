using Google.Protobuf;
using Onnx;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Export;

/// <summary>Writes a network as ONNX: one time step with every potential as input and output, or T steps in one graph.</summary>
/// <remarks>
/// Operators of opset 13 alone (Conv, AveragePool, Gemm, GreaterOrEqual …), which every runtime of the last years has. A neuron is its
/// formula: u = λ · (u_prev − v_th · [u_prev ≥ v_th]) + x, in this order, so that float32 rounds as the engine's kernels do.
/// </remarks>
internal sealed class OnnxWriter
{
    private const int Opset = 13;
    private const int IrVersion = 7;

    private readonly ExportSubject subject;
    private readonly BatchNormFolding folding;
    private readonly OnnxGraph onnx;
    private readonly int steps;

    // Names of values, of this step and of what is the same at every step; spikes of the step before, as 0 and 1, and their potentials.
    private readonly Dictionary<InferenceNode, string> values = [];
    private readonly Dictionary<InferenceNode, (string U, string Fired)> before = [];

    private OnnxWriter(ExportSubject subject, ExportOptions options)
    {
        (this.subject, steps) = (subject, options.Unrolled ?? 0);
        folding = new BatchNormFolding(subject.Graph);
        onnx = new OnnxGraph(subject.Model);
        if (steps == 0)
        {
            WriteStep();
        }
        else
        {
            WriteUnrolled(options.FramePerStep);
        }
    }

    /// <summary>Writes the file.</summary>
    /// <param name="subject">What to write.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">One step, or how many.</param>
    internal static ExportSummary Write(ExportSubject subject, string path, ExportOptions options)
    {
        OnnxWriter writer = new(subject, options);
        Dictionary<string, string> metadata = new(subject.Metadata) { ["steps_in_graph"] = ExportSubject.Text(Math.Max(1, writer.steps)) };
        ModelProto model = new()
        {
            IrVersion = IrVersion,
            ProducerName = "SlttEngine",
            ProducerVersion = subject.Version,
            DocString = writer.Description,
            Graph = writer.onnx.Proto,
            OpsetImport = { new OperatorSetIdProto { Version = Opset } },
            MetadataProps = { metadata.Select(m => new StringStringEntryProto { Key = m.Key, Value = m.Value }) },
        };
        if (model.CalculateSize() < 0 || writer.onnx.Parameters * 4 > int.MaxValue - (1 << 24))
        {
            throw new SlttException(
                ErrorKind.Usage, $"{path}: the network has {writer.onnx.Parameters} numbers, more than an ONNX file's 2 GB hold",
                "export it to torch");
        }

        AtomicFile.Write(path, stream =>
        {
            model.WriteTo(stream);
            stream.Position = 0;
            if (!ModelProto.Parser.ParseFrom(stream).Equals(model))
            {
                throw FileErrors.Bad(path, "does not read back as it was written", "export again; report it if it happens again");
            }
        });
        string what = writer.steps == 0 ? "one time step" : $"{writer.steps} time steps";
        return new ExportSummary(
            [path],
            $"ONNX opset {Opset}, {what}: {writer.onnx.Proto.Node.Count} nodes, {writer.onnx.Parameters} numbers",
            [.. ExportSubject.Present(writer.folding.Summary), writer.Description]);
    }

    private string Description => steps == 0
        ? $"inputs: input (N, C, H, W) and a potential u.NAME for each layer of neurons, all 0 at the first step; outputs: logits of the "
            + $"step, and u.NAME.next to feed back. The answer is the mean of the logits over {subject.Steps} steps"
        : $"input: {(onnx.Proto.Input[0].Type.TensorType.Shape.Dim.Count == 5 ? "a frame a step (T, N, C, H, W)" : "one frame for all "
            + "steps (N, C, H, W)")}; output: the mean of the logits over the {steps} steps";

    private static object[] Dimensions(MapShape shape) => ["N", shape.Channels, shape.Height, shape.Width];

    private void WriteStep()
    {
        InferenceGraph graph = subject.Graph;
        values[graph.Input] = onnx.Input("input", "the normalised frame", Dimensions(graph.Input.Shape));
        foreach (InferenceNode.Neurons neurons in graph.Neurons)
        {
            string u = onnx.Input("u." + neurons.Name, "membrane potential of the step before; 0 at first", Dimensions(neurons.Shape));
            before[neurons] = (u, Fired(neurons, u, u + ".fired"));
        }

        foreach (InferenceNode node in graph.Nodes.Skip(1))
        {
            values[node] = Write(node, string.Empty);
        }

        onnx.Node("Identity", "logits", [values[graph.Logits]]);
        onnx.Output("logits", "the step's logits", "N", graph.Logits.Shape.Channels);
        foreach (InferenceNode.Neurons neurons in graph.Neurons)
        {
            string next = onnx.Node("Identity", $"u.{neurons.Name}.next", [before[neurons].U]);
            onnx.Output(next, "membrane potential of this step, before the reset", Dimensions(neurons.Shape));
        }
    }

    private void WriteUnrolled(bool framePerStep)
    {
        InferenceGraph graph = subject.Graph;
        object[] frame = Dimensions(graph.Input.Shape);
        string input = framePerStep
            ? onnx.Input("input", "the normalised frames", [steps, .. frame]) : onnx.Input("input", "the normalised frame", frame);
        string? sum = null;
        for (int t = 0; t < steps; t++)
        {
            string suffix = $"@{t}";
            values[graph.Input] = framePerStep
                ? onnx.Node(
                    "Gather", "input" + suffix, [input, onnx.Integers("step" + suffix, isScalar: true, t)], OnnxGraph.Attribute("axis", 0L))
                : input;
            foreach (InferenceNode node in graph.Nodes.Skip(1))
            {
                bool isSame = !framePerStep && node.DependsOnInputOnly;
                values[node] = isSame && t > 0 ? values[node] : Write(node, isSame ? string.Empty : suffix);
            }

            sum = sum is null ? values[graph.Logits] : onnx.Node("Add", "sum" + suffix, [sum, values[graph.Logits]]);
        }

        onnx.Node("Div", "logits", [sum!, onnx.Scalar("steps", steps)]);
        onnx.Output("logits", "mean of the logits over the steps", "N", graph.Logits.Shape.Channels);
    }

    /// <summary>Appends a node's operations and returns the name of what it makes.</summary>
    private string Write(InferenceNode node, string suffix)
    {
        // Inputs and outputs of the graph have these names.
        bool isTaken = node.Name is "logits" || node.Name.StartsWith("u.", StringComparison.Ordinal);
        string name = node.Name + (isTaken ? "_" : string.Empty) + suffix;
        string[] inputs = [.. node.Inputs.Select(i => values[i])];
        switch (node)
        {
            case InferenceNode.Convolution convolution:
                return Convolve(convolution, name, inputs[0]);
            case InferenceNode.Linear linear:
                return Multiply(linear, name, inputs[0]);
            case InferenceNode.BatchNorm norm when folding.IsFolded(norm):
                return inputs[0];
            case InferenceNode.BatchNorm norm:
                return Normalise(norm, name, inputs[0]);
            case InferenceNode.Neurons neurons:
                return Fire(neurons, name, inputs[0]);
            case InferenceNode.Sum:
                return onnx.Node("Add", name, inputs);
            case InferenceNode.AvgPool { Windows: (int window, int stride, int padding) }:
                return Pool(name, inputs[0], (window, window), (stride, stride), padding);
            case InferenceNode.AdaptiveAvgPool pool:
                return Pool(pool, name, inputs[0]);
            default:
                throw new InvalidOperationException($"{node.Name}: {node.GetType().Name}");
        }
    }

    private string Convolve(InferenceNode.Convolution c, string name, string input)
    {
        (float[] weight, float[]? bias) = folding.Weights(c);
        (int k, int stride, int padding) = c.Window;
        long[] filters = [c.Shape.Channels, c.Inputs[0].Shape.Channels, k, k];
        List<string> inputs = [input, onnx.Constant(c.Name + ".weight", filters, () => weight)];
        if (bias is not null)
        {
            inputs.Add(onnx.Constant(c.Name + ".bias", [bias.Length], () => bias));
        }

        return onnx.Node(
            "Conv",
            name,
            [.. inputs],
            OnnxGraph.Attribute("kernel_shape", k, k),
            OnnxGraph.Attribute("strides", stride, stride),
            OnnxGraph.Attribute("pads", padding, padding, padding, padding));
    }

    private string Multiply(InferenceNode.Linear linear, string name, string input)
    {
        (float[] weight, float[]? bias) = folding.Weights(linear);
        string flat = onnx.Node("Flatten", name + ".flat", [input], OnnxGraph.Attribute("axis", 1L));
        List<string> inputs =
            [flat, onnx.Constant(linear.Name + ".weight", [linear.Shape.Channels, linear.Inputs[0].Shape.Elements], () => weight)];
        if (bias is not null)
        {
            inputs.Add(onnx.Constant(linear.Name + ".bias", [bias.Length], () => bias));
        }

        bool isLast = linear == subject.Graph.Logits;
        string output = onnx.Node("Gemm", isLast ? name : name + ".row", [.. inputs], OnnxGraph.Attribute("transB", 1L));
        return isLast ? output : onnx.Node("Unsqueeze", name, [output, onnx.Integers("last axes", isScalar: false, 2, 3)]);
    }

    private string Normalise(InferenceNode.BatchNorm norm, string name, string input)
    {
        long[] shape = [1, norm.Shape.Channels, 1, 1];
        string PerChannel(string what, Func<float[]> values) => onnx.Constant($"{norm.Name}.{what}", shape, values);
        string centred = onnx.Node("Sub", name + ".centred", [input, PerChannel("running_mean", () => norm.Mean)]);
        string scaled = onnx.Node("Mul", name + ".scaled", [centred, PerChannel("scale", () => BatchNormFolding.Affine(norm).Scale)]);
        return onnx.Node("Add", name, [scaled, PerChannel("bias", () => norm.Bias)]);
    }

    private string Fire(InferenceNode.Neurons neurons, string name, string input)
    {
        string x = neurons.InputScale == 1 ? input
            : onnx.Node("Mul", name + ".x", [input, onnx.Scalar(neurons.Name + ".input_scale", neurons.InputScale)]);
        string u = x;
        if (before.TryGetValue(neurons, out (string U, string Fired) last))
        {
            string reset = onnx.Node(
                "Mul", name + ".reset", [last.Fired, onnx.Scalar(neurons.Name + ".v_th", neurons.Constants.Threshold)]);
            string v = onnx.Node("Sub", name + ".v", [last.U, reset]);
            string kept = onnx.Node("Mul", name + ".kept", [v, onnx.Scalar(neurons.Name + ".lambda", neurons.Constants.Lambda)]);
            u = onnx.Node("Add", name + ".u", [kept, x]);
        }

        string fired = Fired(neurons, u, name + ".spikes");
        before[neurons] = (u, fired);
        return neurons.SpikeScale == 1 ? fired
            : onnx.Node("Mul", name, [fired, onnx.Scalar(neurons.Name + ".spike_scale", neurons.SpikeScale)]);
    }

    private string Fired(InferenceNode.Neurons neurons, string u, string name)
    {
        string threshold = onnx.Scalar(neurons.Name + ".v_th", neurons.Constants.Threshold);
        string reached = onnx.Node("GreaterOrEqual", name + ".reached", [u, threshold]);
        return onnx.Node("Cast", name, [reached], OnnxGraph.Attribute("to", (long)TensorProto.Types.DataType.Float));
    }

    private string Pool(InferenceNode.AdaptiveAvgPool pool, string name, string input)
    {
        MapShape from = pool.Inputs[0].Shape;
        if (pool.Size == 1)
        {
            return onnx.Node("GlobalAveragePool", name, [input]);
        }

        if (PoolWindows.Regular(from, pool.Size) is { } windows)
        {
            return Pool(name, input, windows, windows, 0);
        }

        // Windows of several sizes: a product with what each output takes of each row, and with what it takes of each column.
        string rows = onnx.Constant(
            pool.Name + ".rows", [pool.Size, from.Height], () => PoolWindows.Shares(from.Height, pool.Size, transposed: false));
        string columns = onnx.Constant(
            pool.Name + ".columns", [from.Width, pool.Size], () => PoolWindows.Shares(from.Width, pool.Size, transposed: true));
        return onnx.Node("MatMul", name, [onnx.Node("MatMul", name + ".by_rows", [rows, input]), columns]);
    }

    private string Pool(string name, string input, (int H, int W) window, (int H, int W) stride, int padding) => onnx.Node(
        "AveragePool",
        name,
        [input],
        OnnxGraph.Attribute("kernel_shape", window.H, window.W),
        OnnxGraph.Attribute("strides", stride.H, stride.W),
        OnnxGraph.Attribute("pads", padding, padding, padding, padding),
        OnnxGraph.Attribute("count_include_pad", 1L));
}
