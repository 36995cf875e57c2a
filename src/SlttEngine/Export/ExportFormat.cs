namespace SlttEngine.Export;

/// <summary>What a trained network can be written as, for programs that are not ours.</summary>
public enum ExportFormat
{
    /// <summary>NIR, the neuromorphic intermediate representation: an HDF5 file of neurons and connections.</summary>
    Nir,

    /// <summary>ONNX: one time step with its state as input and output, or several steps in one graph.</summary>
    Onnx,

    /// <summary>PyTorch: a state dict, and a Python file with the model that needs torch alone.</summary>
    Torch,
}

/// <summary>What an export may be told.</summary>
public sealed record ExportOptions
{
    /// <summary>ONNX: this many time steps in one graph, which answers with the mean of their logits; null: one step.</summary>
    public int? Unrolled { get; init; }

    /// <summary>With <see cref="Unrolled"/>: the input has a frame for each step, as recordings of events have; else one for all.</summary>
    public bool FramePerStep { get; init; }

    /// <summary>
    /// NIR: one LIF node for each layer of neurons, which every reader knows and whose reset each reads otherwise than we mean it; else
    /// nodes that are the soft reset exactly.
    /// </summary>
    public bool SingleNodeNeurons { get; init; }
}

/// <summary>What an export wrote.</summary>
/// <param name="Files">The files.</param>
/// <param name="Content">What is in them, in one line.</param>
/// <param name="Notes">What a user of the files should know, a line each.</param>
public sealed record ExportSummary(IReadOnlyList<string> Files, string Content, IReadOnlyList<string> Notes);
