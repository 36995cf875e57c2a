namespace SlttEngine.Reports;

/// <summary>
/// What is seen of a network after an epoch, on a few test samples, and on the whole test set for <see cref="Confusion"/>.
/// </summary>
internal sealed record RunInspection
{
    /// <summary>The epoch, from 0.</summary>
    public required int Epoch { get; init; }

    /// <summary>Test samples that the layers were looked at with.</summary>
    public required int Samples { get; init; }

    /// <summary>Layers of neurons, and of weights that read real numbers, in order of execution.</summary>
    public required IReadOnlyList<LayerInspection> Layers { get; init; }

    /// <summary>Test samples by (class, answer), row by row: classes × classes numbers. Empty for more than 2,000
    /// classes.</summary>
    public required IReadOnlyList<int> Confusion { get; init; }

    /// <summary>The wrong answers that the network was surest of, the worst first.</summary>
    public required IReadOnlyList<Mistake> Mistakes { get; init; }

    /// <summary>One test sample through the network; null without pictures.</summary>
    public SampleSpikes? Sample { get; init; }
}

/// <summary>A layer on the samples looked at.</summary>
/// <param name="Name">PyTorch's name.</param>
/// <param name="Neurons">Its neurons; 0 for a layer of weights, which has no potentials.</param>
/// <param name="Threshold">v_th.</param>
/// <param name="From">Lower end of the histogram's first bin: a membrane potential u before firing.</param>
/// <param name="To">Upper end of its last bin.</param>
/// <param name="Counts">Neurons · steps · samples in each bin of equal width; the first and the last also hold what lies beyond.</param>
/// <param name="SpikesPerImage">Spikes of an image, all steps.</param>
/// <param name="SynapticOperations">Weights that these spikes meet, added up, an image.</param>
/// <param name="MultiplyAdds">Multiply-adds of the same weights for an image, computed in full, all steps.</param>
internal sealed record LayerInspection(
    string Name,
    long Neurons,
    float Threshold,
    double From,
    double To,
    IReadOnlyList<long> Counts,
    double SpikesPerImage,
    double SynapticOperations,
    double MultiplyAdds);

/// <summary>A wrong answer.</summary>
/// <param name="Sample">The sample's place in the test set, from 0.</param>
/// <param name="Label">Its class.</param>
/// <param name="Answer">The network's.</param>
/// <param name="Probability">Softmax of the answer's mean logit.</param>
/// <param name="Picture">The sample; null without pictures.</param>
internal sealed record Mistake(int Sample, int Label, int Answer, double Probability, Picture? Picture);

/// <summary>One test sample through the network.</summary>
/// <param name="Sample">Its place in the test set, from 0.</param>
/// <param name="Label">Its class.</param>
/// <param name="Answer">The network's.</param>
/// <param name="Frames">What the network sees: one picture for a static image, else one a step.</param>
/// <param name="Layers">Spikes of some layers.</param>
internal sealed record SampleSpikes(
    int Sample, int Label, int Answer, IReadOnlyList<Picture> Frames, IReadOnlyList<LayerSpikes> Layers);

/// <summary>
/// Spikes of a layer, or of its first channels; of a layer of more than 64 rows or columns, of every k-th row and column.
/// </summary>
/// <param name="Name">The layer.</param>
/// <param name="Channels">Channels in <paramref name="Steps"/>.</param>
/// <param name="Height">Rows in it.</param>
/// <param name="Width">Columns in it.</param>
/// <param name="Steps">For each step (channels, height, width).</param>
internal sealed record LayerSpikes(string Name, int Channels, int Height, int Width, IReadOnlyList<bool[]> Steps);

/// <summary>A picture.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Rgb">Height × width × 3 bytes.</param>
internal sealed record Picture(int Width, int Height, byte[] Rgb);
