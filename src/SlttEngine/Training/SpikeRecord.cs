using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>Spikes and membrane potentials of a layer of neurons, over the time steps of one sample.</summary>
public sealed class SpikeRecord
{
    private readonly float[] potentials; // (steps, channels, height, width)

    /// <summary>Makes room for the steps.</summary>
    /// <param name="layer">The layer's name.</param>
    /// <param name="steps">T.</param>
    /// <param name="spikes">Its spikes.</param>
    /// <param name="threshold">v_th.</param>
    internal SpikeRecord(string layer, int steps, Edge spikes, float threshold)
    {
        (Layer, Steps, Threshold) = (layer, steps, threshold);
        (Channels, Height, Width) = (spikes.Channels, spikes.Height, spikes.Width);
        potentials = new float[steps * spikes.Elements];
    }

    /// <summary>The layer's name.</summary>
    public string Layer { get; }

    /// <summary>Time steps T.</summary>
    public int Steps { get; }

    /// <summary>Channels of the layer.</summary>
    public int Channels { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>v_th: a neuron fires in a step where its potential is at least this.</summary>
    public float Threshold { get; }

    /// <summary>Neurons of the layer.</summary>
    public int Neurons => Channels * Height * Width;

    /// <summary>Spikes over neurons and steps, 0 to 1.</summary>
    public double FiringRate => potentials.Count(u => u >= Threshold) / (double)potentials.Length;

    /// <summary>Membrane potentials u(t) before firing, (channels, height, width).</summary>
    /// <param name="t">The step, from 0.</param>
    public ReadOnlySpan<float> Potentials(int t)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(t);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(t, Steps);
        return potentials.AsSpan(t * Neurons, Neurons);
    }

    /// <summary>Spikes of a step, (channels, height, width).</summary>
    /// <param name="t">The step, from 0.</param>
    public bool[] Spikes(int t) => [.. Potentials(t).ToArray().Select(u => u >= Threshold)];

    /// <summary>Keeps a step's potentials.</summary>
    /// <param name="t">The step.</param>
    /// <param name="u">Potentials (N, height, width, channels) as the device has them; the first sample counts.</param>
    internal void Set(int t, ReadOnlySpan<float> u)
    {
        int pixels = Height * Width;
        Span<float> target = potentials.AsSpan(t * Neurons, Neurons);
        for (int p = 0; p < pixels; p++)
        {
            for (int c = 0; c < Channels; c++)
            {
                target[(c * pixels) + p] = u[(p * Channels) + c];
            }
        }
    }
}
