using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Which batch norm.</summary>
public enum BatchNormKind
{
    /// <summary>The engine's, fused with the neurons.</summary>
    Sltt,

    /// <summary>cuDNN's, the neurons behind it: the reference.</summary>
    Cudnn,
}

/// <summary>What a batch norm reads: main + residual, with the biases of the convolutions that made them.</summary>
/// <param name="Main">A convolution's output.</param>
/// <param name="MainBias">That convolution's bias, or null.</param>
/// <param name="Residual">Added to it, or null.</param>
/// <param name="ResidualBias">Bias of the convolution that made the residual, or null.</param>
public sealed record ConvolutionSum(Edge Main, Parameter? MainBias = null, Edge? Residual = null, Parameter? ResidualBias = null)
{
    /// <summary>Main and, if there is one, the residual.</summary>
    internal IReadOnlyList<Edge> Edges => Residual is null ? [Main] : [Main, Residual];

    /// <summary>Appends the sum and the batch norm that reads it to a graph of what evaluations compute.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="norm">The batch norm.</param>
    internal InferenceNode.BatchNorm Describe(InferenceGraph graph, BatchNormModule norm)
    {
        InferenceNode sum = graph.WithBias(Main, MainBias);
        if (Residual is not null)
        {
            sum = graph.Add(new InferenceNode.Sum(norm.Name + ".sum", sum, graph.WithBias(Residual, ResidualBias)));
        }

        return new InferenceNode.BatchNorm(norm.Name, sum)
        {
            Weight = graph.Weight(norm.Weight),
            Bias = graph.Weight(norm.Bias),
            Mean = graph.Statistic(norm.RunningMean),
            Variance = graph.Statistic(norm.RunningVar),
            Epsilon = BatchNormModule.Epsilon,
        };
    }

    /// <summary>Checks that a batch norm can read it.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="norm">The batch norm.</param>
    /// <exception cref="SlttException">Shapes or channels do not fit.</exception>
    internal void Check(string layer, BatchNormModule norm)
    {
        GraphError.CheckChannels(layer, Main, norm.Channels);
        if (Residual is not null)
        {
            GraphError.CheckSameShape(layer, Main, Residual);
        }
    }
}

/// <summary>Batch norm, LIF neurons, dropout and average pool, in as few layers as the kind of batch norm and the sizes allow.</summary>
public static class NormalisedNeurons
{
    /// <summary>Appends them to a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="kind">Which batch norm.</param>
    /// <param name="name">PyTorch's name of the neurons.</param>
    /// <param name="norm">Batch norm's parameters.</param>
    /// <param name="x">What it reads.</param>
    /// <param name="dropRate">Part of the spikes dropped, with one mask for all steps.</param>
    /// <param name="pool">Windows of pool × pool pixels are averaged; 1: none.</param>
    /// <param name="poolName">PyTorch's name of the pool.</param>
    public static Edge Add(
        Network network,
        BatchNormKind kind,
        string name,
        BatchNormModule norm,
        ConvolutionSum x,
        float dropRate = 0,
        int pool = 1,
        string poolName = "pool")
    {
        bool folds = kind == BatchNormKind.Sltt && BatchNormLif.CanPool(x.Main, pool);
        Edge spikes = kind == BatchNormKind.Sltt
            ? network.Add(new BatchNormLif(name, norm, x, dropRate, folds ? pool : 1))
            : network.Add(new Lif(name, network.Add(new CudnnBatchNorm(norm, x)), 1f, 1f, dropRate));
        return folds || pool == 1 ? spikes : network.Add(new AvgPool(poolName, spikes, pool, pool));
    }
}
