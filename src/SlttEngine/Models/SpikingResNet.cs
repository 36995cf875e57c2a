using SlttEngine.Graph;
using SlttEngine.Layers;

namespace SlttEngine.Models;

/// <summary>Pre-activation spiking ResNet for CIFAR.</summary>
/// <remarks>
/// Block: x ← LIF(BN(x)); out = conv3×3(x); out = conv3×3(dropout(LIF(BN(out)))); out + shortcut(x), where the shortcut is a
/// 1×1 convolution if the shape changes, else x itself.
/// </remarks>
public static class SpikingResNet
{
    /// <summary>Three strides of 2 leave the 4×4 that the average pool takes: 25 → 13 → 7 → 4.</summary>
    private const int Smallest = 25;

    private const int PoolSize = 4;

    /// <summary>Builds the network.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="blocks">Blocks in each of the four stages.</param>
    /// <param name="options">What it is built for.</param>
    public static Network Build(string name, int[] blocks, ModelOptions options)
    {
        if (options.Height < Smallest || options.Width < Smallest)
        {
            throw new SlttException(
                ErrorKind.Usage, $"{name} takes images from {Smallest}×{Smallest} on, not {options.Height}×{options.Width}");
        }

        Network network = new(name, options.InputChannels, options.Height, options.Width, options.Classes);
        int channels = options.Channels(64);
        ConvolutionModule conv1 = ConvolutionModule.Declare(network, "conv1", options.InputChannels, channels, 3, 1, 1, bias: null);

        // x + residual is what the next batch norm reads; the sum itself is never stored on its own.
        ConvolutionSum x = new(network.Add(new Convolution(conv1, network.Input)));
        for (int stage = 0; stage < 4; stage++)
        {
            int stageChannels = options.Channels(64 << stage);
            for (int block = 0; block < blocks[stage]; block++)
            {
                int stride = stage > 0 && block == 0 ? 2 : 1;
                x = Block(network, $"layer{stage + 1}.{block}", x, channels, stageChannels, stride, options);
                channels = stageChannels;
            }
        }

        BatchNormModule bn1 = BatchNormModule.Declare(network, "bn1", channels);
        Edge features = NormalisedNeurons.Add(network, options.BatchNorm, "relu1", bn1, x, pool: PoolSize);
        if (options.DropRate > 0)
        {
            features = network.Add(new FeatureDropout("drop", features, options.DropRate));
        }

        network.Add(new Linear(network, "linear", features, new Initializer.Uniform(1.0 / Math.Sqrt(features.Elements))));
        return network;
    }

    private static ConvolutionSum Block(
        Network network, string name, ConvolutionSum x, int input, int output, int stride, ModelOptions options)
    {
        BatchNormModule bn1 = BatchNormModule.Declare(network, name + ".bn1", input);
        ConvolutionModule conv1 = ConvolutionModule.Declare(
            network, name + ".conv1", input, output, 3, stride, 1, ConvolutionModule.DefaultBias(input, 3));
        BatchNormModule bn2 = BatchNormModule.Declare(network, name + ".bn2", output);
        ConvolutionModule conv2 = ConvolutionModule.Declare(
            network, name + ".conv2", output, output, 3, 1, 1, ConvolutionModule.DefaultBias(output, 3));
        ConvolutionModule? shortcut = stride != 1 || input != output
            ? ConvolutionModule.Declare(network, name + ".shortcut", input, output, 1, stride, 0, ConvolutionModule.DefaultBias(input, 1))
            : null;

        Edge spikes = NormalisedNeurons.Add(network, options.BatchNorm, name + ".relu1", bn1, x);
        Edge hidden = network.Add(new Convolution(conv1, spikes));

        // Beside conv1, so that backward makes their common input again only once.
        Edge residual = shortcut is null ? spikes : network.Add(new Convolution(shortcut, spikes));
        Edge fired = NormalisedNeurons.Add(network, options.BatchNorm, name + ".relu2", bn2, new(hidden, conv1.Bias), options.DropRate);
        return new ConvolutionSum(network.Add(new Convolution(conv2, fired)), conv2.Bias, residual, shortcut?.Bias);
    }
}
