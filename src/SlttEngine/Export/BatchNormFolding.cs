using SlttEngine.Graph;

namespace SlttEngine.Export;

/// <summary>
/// Batch norms that become part of the weights in front of them: those that read a convolution or a linear layer which nothing else reads.
/// </summary>
/// <remarks>Elsewhere, as behind the sum of a pre-activation block, a batch norm stays an affine map of each channel.</remarks>
internal sealed class BatchNormFolding
{
    private readonly Dictionary<InferenceNode, InferenceNode.BatchNorm> norms = [];

    /// <summary>Finds them.</summary>
    /// <param name="graph">The graph.</param>
    internal BatchNormFolding(InferenceGraph graph)
    {
        foreach (InferenceNode.BatchNorm norm in graph.Nodes.OfType<InferenceNode.BatchNorm>())
        {
            InferenceNode source = norm.Inputs[0];
            if (source is InferenceNode.Convolution or InferenceNode.Linear && graph.Readers(source).Count() == 1)
            {
                norms[source] = norm;
            }
            else
            {
                Others.Add(norm);
            }
        }
    }

    /// <summary>Batch norms that are folded.</summary>
    internal IReadOnlyCollection<InferenceNode.BatchNorm> Folded => norms.Values;

    /// <summary>Batch norms that are not.</summary>
    internal List<InferenceNode.BatchNorm> Others { get; } = [];

    /// <summary>One line about it for the user; null if there is no batch norm.</summary>
    internal string? Summary => norms.Count + Others.Count == 0 ? null
        : $"batch norm: {norms.Count} folded into the weights in front, {Others.Count} as an affine map of each channel";

    /// <summary>True if the weights in front have it in them.</summary>
    /// <param name="norm">The batch norm.</param>
    internal bool IsFolded(InferenceNode.BatchNorm norm) => norms.ContainsKey(norm.Inputs[0]) && !Others.Contains(norm);

    /// <summary>The weights to write: w · scale of each output channel.</summary>
    /// <param name="convolution">Whose.</param>
    internal (float[] Weight, float[]? Bias) Weights(InferenceNode.Convolution convolution) =>
        Fold(convolution, convolution.Weight, convolution.Bias);

    /// <summary>The same of a linear layer.</summary>
    /// <param name="linear">Whose.</param>
    internal (float[] Weight, float[]? Bias) Weights(InferenceNode.Linear linear) => Fold(linear, linear.Weight, linear.Bias);

    /// <summary>Scale and shift of each channel: y = scale · x + shift.</summary>
    /// <param name="norm">The batch norm.</param>
    internal static (float[] Scale, float[] Shift) Affine(InferenceNode.BatchNorm norm)
    {
        int channels = norm.Weight.Length;
        double[] scale = [.. Enumerable.Range(0, channels).Select(norm.Scale)];
        return (
            [.. scale.Select(s => (float)s)],
            [.. Enumerable.Range(0, channels).Select(c => (float)(norm.Bias[c] - (norm.Mean[c] * scale[c])))]);
    }

    private (float[] Weight, float[]? Bias) Fold(InferenceNode source, float[] weight, float[]? bias)
    {
        if (!norms.TryGetValue(source, out InferenceNode.BatchNorm? norm))
        {
            return (weight, bias);
        }

        int outputs = norm.Weight.Length, perOutput = weight.Length / outputs;
        float[] folded = new float[weight.Length], shift = new float[outputs];
        for (int o = 0; o < outputs; o++)
        {
            double scale = norm.Scale(o);
            shift[o] = (float)((((bias?[o] ?? 0.0) - norm.Mean[o]) * scale) + norm.Bias[o]);
            for (int i = o * perOutput; i < (o + 1) * perOutput; i++)
            {
                folded[i] = (float)(weight[i] * scale);
            }
        }

        return (folded, shift);
    }
}
