using SlttEngine.Graph;

namespace SlttEngine.Models;

/// <summary>What one layer of neurons, or one layer of weights in front of which no neuron fires, costs for one sample and step.</summary>
/// <param name="Name">PyTorch's name of the neurons, or of the layer of weights.</param>
/// <param name="Output">What it makes, spikes before any pool: H, W, C.</param>
/// <param name="Neurons">Its neurons; 0 for a layer of weights, whose input are real numbers.</param>
/// <param name="MultiplyAdds">Multiply-adds of all weights that its spikes meet (its own for a layer of weights) computed in full.</param>
/// <param name="FanOut">For each pixel (H·W) of <paramref name="Output"/>, how many weights one spike meets: synaptic operations; empty
/// for a layer of weights.</param>
public sealed record LayerCost(string Name, Edge Output, long Neurons, long MultiplyAdds, IReadOnlyList<long> FanOut);

/// <summary>What a network costs for one sample and step, by counting its connections.</summary>
/// <remarks>
/// A spike of channel c at pixel p costs as many synaptic operations (additions of a weight) as weights that it meets: for each
/// convolution that reads it, output channels × the kernel's taps that fall on an output (fewer than k² at a border or with a
/// stride); for a linear layer, its classes. A spike that is average-pooled costs what each average it goes into costs: the
/// division is part of the weights. What has no weights (pools, shortcuts without a convolution, batch norm, biases) counts as nothing.
/// Real numbers as input (an image, event counts, the pooled sum before a normaliser-free network's classifier) cost the full
/// multiply-adds: output pixels × output channels × k² × input channels.
/// </remarks>
public sealed class NetworkCost
{
    /// <summary>Counts a network.</summary>
    /// <param name="network">The network.</param>
    public NetworkCost(Network network)
    {
        Dictionary<Edge, long[]> fanOut = [];
        foreach (Layer layer in network.Layers.Reverse())
        {
            long[] further = FanOutOf(fanOut, layer.Output);
            foreach (Edge input in layer.Inputs)
            {
                long[] sum = FanOutOf(fanOut, input);
                long[] added = layer.FanOut(further);
                for (int i = 0; i < sum.Length; i++)
                {
                    sum[i] += added[i];
                }
            }
        }

        // Whose spikes a value is made of; null: real numbers.
        Dictionary<Edge, string?> firing = new() { [network.Input] = null };
        Dictionary<string, long> multiplyAdds = [];
        List<Layer> rows = [];
        foreach (Layer layer in network.Layers)
        {
            string? source = firing[layer.Inputs[0]];
            firing[layer.Output] = layer.Spikes is not null ? layer.Name : layer.PassesSpikes ? source : null;
            if (layer.Spikes is not null || (layer.MultiplyAdds > 0 && source is null))
            {
                rows.Add(layer);
            }

            string payer = source ?? layer.Name;
            multiplyAdds[payer] = multiplyAdds.GetValueOrDefault(payer) + layer.MultiplyAdds;
        }

        Layers = [.. rows.Select(l => new LayerCost(
            l.Name,
            l.Spikes ?? l.Output,
            l.Spikes?.Elements ?? 0,
            multiplyAdds.GetValueOrDefault(l.Name),
            l.Spikes is null ? [] : l.FanOutOfSpikes(fanOut[l.Output])))];
    }

    /// <summary>Layers of neurons, and layers of weights that read real numbers, in order of execution.</summary>
    public IReadOnlyList<LayerCost> Layers { get; }

    /// <summary>All neurons.</summary>
    public long Neurons => Layers.Sum(l => l.Neurons);

    /// <summary>Multiply-adds of all weights computed in full.</summary>
    public long MultiplyAdds => Layers.Sum(l => l.MultiplyAdds);

    private static long[] FanOutOf(Dictionary<Edge, long[]> all, Edge value)
    {
        if (!all.TryGetValue(value, out long[]? fanOut))
        {
            all.Add(value, fanOut = new long[value.Height * value.Width]);
        }

        return fanOut;
    }
}
