using SlttEngine.Graph;
using SlttEngine.Layers;

namespace SlttEngine.Models;

/// <summary>Spiking VGG-11 with batch norm, for event cameras.</summary>
/// <remarks>
/// Stages [64 M] [128 M] [256 256 M] [512 512 M] [512 512 M], each conv3×3, BN, LIF, dropout; M = average pool 2×2; adaptive
/// average pool to 7×7; linear.
/// </remarks>
public static class SpikingVgg
{
    private const int PoolSize = 2;

    private static readonly int[][] Stages = [[64], [128], [256, 256], [512, 512], [512, 512]];

    /// <summary>Builds the network.</summary>
    /// <param name="options">What it is built for.</param>
    public static Network Build(ModelOptions options)
    {
        if (options.Height < 32 || options.Width < 32)
        {
            throw new SlttException(
                ErrorKind.Usage,
                $"spiking_vgg11_bn halves its input five times: it takes frames from 32×32 on, not {options.Height}×{options.Width}");
        }

        Network network = new("spiking_vgg11_bn", options.InputChannels, options.Height, options.Width, options.Classes);
        Edge x = network.Input;
        for (int stage = 0; stage < Stages.Length; stage++)
        {
            // Positions in PyTorch's Sequential: conv, bn, neuron, dropout, and so on; the pool comes last.
            int position = 0;
            int last = 4 * Stages[stage].Length;
            foreach (int official in Stages[stage])
            {
                int channels = options.Channels(official);
                string prefix = $"layer{stage + 1}.";
                ConvolutionModule conv = ConvolutionModule.Declare(
                    network, prefix + position, x.Channels, channels, 3, 1, 1, new Initializer.Constant(0));
                BatchNormModule norm = BatchNormModule.Declare(network, prefix + (position + 1), channels);
                ConvolutionSum y = new(network.Add(new Convolution(conv, x)), conv.Bias);
                string neurons = prefix + (position + 2);
                position += 4;
                x = NormalisedNeurons.Add(
                    network, options.BatchNorm, neurons, norm, y, options.DropRate, position == last ? PoolSize : 1, prefix + last);
            }
        }

        x = network.Add(new AdaptiveAvgPool("avgpool", x, 7));
        network.Add(new Linear(network, "classifier.1", x, new Initializer.Normal(0.01)));
        return network;
    }
}
