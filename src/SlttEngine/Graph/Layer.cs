namespace SlttEngine.Graph;

/// <summary>A layer of a network: it knows its parameters and shapes, and emits its operations into programs.</summary>
/// <param name="name">PyTorch's name of the module.</param>
public abstract class Layer(string name)
{
    /// <summary>Creates a layer whose output is known already.</summary>
    /// <param name="name">PyTorch's name of the module.</param>
    /// <param name="output">What it makes.</param>
    protected Layer(string name, Edge output)
        : this(name) => Output = output;

    /// <summary>PyTorch's name of the module.</summary>
    public string Name { get; } = name;

    /// <summary>What it makes.</summary>
    public Edge Output { get; protected init; } = null!;

    /// <summary>What it reads.</summary>
    public abstract IReadOnlyList<Edge> Inputs { get; }

    /// <summary>
    /// Multiplications by a weight, each with its addition, for one sample and step computed in full; 0 for a layer without weights.
    /// </summary>
    public virtual long MultiplyAdds => 0;

    /// <summary>The spikes of its neurons, whose average it may hand on; null if it has no neurons.</summary>
    public virtual Edge? Spikes => null;

    /// <summary>True if it hands spikes on, averaged or thinned out.</summary>
    public virtual bool PassesSpikes => false;

    /// <summary>
    /// Additions of a weight that one spike causes, for each pixel (H·W) of the input; zero for a layer that neither has weights nor hands
    /// spikes on.
    /// </summary>
    /// <param name="further">The same for each pixel of the output: what spikes that are handed on cause behind it.</param>
    public virtual long[] FanOut(ReadOnlySpan<long> further) => new long[Inputs[0].Height * Inputs[0].Width];

    /// <summary>The same for each pixel of its spikes.</summary>
    /// <param name="further">What a spike (or an average of spikes) of the output causes, for each of its pixels.</param>
    public virtual long[] FanOutOfSpikes(ReadOnlySpan<long> further) => further.ToArray();

    /// <summary>False if its operations need the steps one by one.</summary>
    /// <param name="staticInput">True: one image for all steps.</param>
    internal virtual bool AllowsStepsSideBySide(bool staticInput) => true;

    /// <summary>Says what it computes in a step of an evaluation, in the terms of <see cref="InferenceNode"/>.</summary>
    /// <param name="graph">Receives it.</param>
    /// <exception cref="SlttException">It is of a kind that these terms do not have.</exception>
    internal virtual void Describe(InferenceGraph graph) => throw GraphError.Of(
        $"{Name}: a layer of the kind {GetType().Name} can't be exported: only this program knows what it computes",
        "convolutions, linear layers, batch norm, LIF neurons, dropout, sums and average pools can be");

    /// <summary>Emits the forward operations; returns what emits the backward ones (called in reverse order of layers).</summary>
    /// <typeparam name="T">Type of activations and working weights: float, Half or BFloat16.</typeparam>
    /// <param name="b">The program being built.</param>
    public abstract Action Emit<T>(ProgramBuilder<T> b)
        where T : unmanaged;
}
