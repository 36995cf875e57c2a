namespace SlttEngine.Graph;

/// <summary>Channels, height and width of a value, for one sample.</summary>
/// <param name="Channels">Channels C.</param>
/// <param name="Height">Height H.</param>
/// <param name="Width">Width W.</param>
internal readonly record struct MapShape(int Channels, int Height, int Width)
{
    /// <summary>C · H · W.</summary>
    internal int Elements => checked(Channels * Height * Width);
}

/// <summary>One of the few kinds of operation that evaluations are made of. All arrays are in PyTorch's order.</summary>
/// <param name="name">PyTorch's name of the module that it is; else a name of its own.</param>
/// <param name="shape">What it makes.</param>
/// <param name="inputs">What it reads.</param>
internal abstract class InferenceNode(string name, MapShape shape, params InferenceNode[] inputs)
{
    /// <summary>Its name, unique in the graph.</summary>
    internal string Name => name;

    /// <summary>What it makes.</summary>
    internal MapShape Shape => shape;

    /// <summary>What it reads.</summary>
    internal IReadOnlyList<InferenceNode> Inputs => inputs;

    /// <summary>True if no neuron lies between the input and it: with a static input it is the same at every step.</summary>
    internal virtual bool DependsOnInputOnly => inputs.All(i => i.DependsOnInputOnly);

    /// <summary>The normalised frame.</summary>
    internal sealed class Input(MapShape shape) : InferenceNode("input", shape);

    /// <summary>A convolution, with the weights that it computes with.</summary>
    internal sealed class Convolution(string name, MapShape shape, InferenceNode input, (int Kernel, int Stride, int Padding) window)
        : InferenceNode(name, shape, input)
    {
        internal (int Kernel, int Stride, int Padding) Window => window;

        /// <summary>(O, I, k, k); of a standardised one after standardisation, gains applied.</summary>
        internal required float[] Weight { get; init; }

        /// <summary>(O), or null; of a standardised one with the block's gain applied.</summary>
        internal float[]? Bias { get; set; }

        /// <summary>How the module makes these weights of its parameters; null: they are its parameters.</summary>
        internal WeightStandardisation? Standardisation { get; init; }
    }

    /// <summary>A linear layer over all of a sample's numbers in the order C, H, W.</summary>
    internal sealed class Linear(string name, int outputs, InferenceNode input)
        : InferenceNode(name, new MapShape(outputs, 1, 1), input)
    {
        /// <summary>(outputs, C · H · W).</summary>
        internal required float[] Weight { get; init; }

        /// <summary>(outputs), or null.</summary>
        internal float[]? Bias { get; set; }
    }

    /// <summary>Batch norm by running statistics: y = (x − mean) · weight / √(var + ε) + bias.</summary>
    internal sealed class BatchNorm(string name, InferenceNode input) : InferenceNode(name, input.Shape, input)
    {
        internal required float[] Weight { get; init; }

        internal required float[] Bias { get; init; }

        internal required float[] Mean { get; init; }

        internal required float[] Variance { get; init; }

        internal required float Epsilon { get; init; }

        /// <summary>The factor of a channel: weight / √(var + ε).</summary>
        internal double Scale(int channel) => Weight[channel] / Math.Sqrt((double)Variance[channel] + Epsilon);
    }

    /// <summary>LIF neurons with soft reset: spikeScale · [u ≥ v_th], u(t) = λ v(t−1) + inputScale · x(t).</summary>
    internal sealed class Neurons(string name, InferenceNode input, NeuronOptions constants) : InferenceNode(name, input.Shape, input)
    {
        internal NeuronOptions Constants => constants;

        internal float InputScale { get; init; } = 1;

        internal float SpikeScale { get; init; } = 1;

        /// <inheritdoc/>
        internal override bool DependsOnInputOnly => false;
    }

    /// <summary>The sum of two values.</summary>
    internal sealed class Sum(string name, InferenceNode first, InferenceNode second) : InferenceNode(name, first.Shape, first, second);

    /// <summary>Average pool; padding counts as zeros.</summary>
    internal sealed class AvgPool(string name, MapShape shape, InferenceNode input, (int Window, int Stride, int Padding) windows)
        : InferenceNode(name, shape, input)
    {
        internal (int Window, int Stride, int Padding) Windows => windows;
    }

    /// <summary>Average pool to a given size: output o covers ⌊o · in / out⌋ up to ⌈(o + 1) · in / out⌉.</summary>
    internal sealed class AdaptiveAvgPool(string name, int size, InferenceNode input)
        : InferenceNode(name, new MapShape(input.Shape.Channels, size, size), input)
    {
        internal int Size => size;
    }
}

/// <summary>Scaled weight standardisation: w = f · gain · (w − mean) / √(var · fan_in + ε), bias f · bias, f = skip gain · α.</summary>
/// <param name="SkipGain">PyTorch's name of the block's gain; null: f = 1.</param>
/// <param name="Alpha">α.</param>
/// <param name="Epsilon">ε.</param>
internal sealed record WeightStandardisation(string? SkipGain, float Alpha, float Epsilon);
