using SlttEngine.Graph;
using SlttEngine.Layers;

namespace SlttEngine.Models;

/// <summary>Normaliser-free spiking ResNet for ImageNet, with scaled weight-standardised convolutions.</summary>
/// <remarks>
/// Block: out = 2.74 · LIF(x / β); identity = downsample(out) or x; conv, 2.74 · LIF, conv (…); out · skipinit_gain · α + identity.
/// α = 0.2; β = √(expected variance), which is 1 at first, grows by α² a block and is 1 + α² after a downsample.
/// </remarks>
public static class SpikingNfResNet
{
    private const float Alpha = 0.2f;
    private const float SpikeScale = 2.74f;

    /// <summary>Builds the network.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="blocks">Blocks in each of the four stages.</param>
    /// <param name="bottleneck">True: 1×1, 3×3, 1×1 blocks of fourfold output; false: 3×3, 3×3.</param>
    /// <param name="options">What it is built for.</param>
    public static Network Build(string name, int[] blocks, bool bottleneck, ModelOptions options)
    {
        Network network = new(name, options.InputChannels, options.Height, options.Width, options.Classes);
        int channels = options.Channels(64);
        int expansion = bottleneck ? 4 : 1;
        ScaledWsModule conv1 = ScaledWsModule.Declare(network, "conv1", options.InputChannels, channels, 7, 2, 3);
        Edge x = network.Add(new ScaledWsConvolution(conv1, network.Input));
        x = network.Add(new AvgPool("maxpool", x, 3, 2, 1));
        double variance = 1;
        for (int stage = 0; stage < 4; stage++)
        {
            int planes = options.Channels(64 << stage);
            int stride = stage == 0 ? 1 : 2;
            for (int block = 0; block < blocks[stage]; block++)
            {
                bool downsamples = block == 0 && (stride != 1 || channels != planes * expansion);
                float inverseBeta = (float)(1.0 / Math.Sqrt(variance));
                x = Block(network, $"layer{stage + 1}.{block}", x, planes, block == 0 ? stride : 1, downsamples, bottleneck, inverseBeta);
                channels = planes * expansion;
                variance = downsamples ? 1 + (0.2 * 0.2) : variance + (0.2 * 0.2);
            }
        }

        x = network.Add(new AdaptiveAvgPool("avgpool", x, 1));
        network.Add(new Linear(network, "fc", x, new Initializer.Constant(0)));
        return network;
    }

    private static Edge Block(
        Network network, string name, Edge x, int planes, int stride, bool downsamples, bool bottleneck, float inverseBeta)
    {
        Parameter skipGain = network.Declare(name + ".skipinit_gain", [], new Initializer.Constant(0));
        int output = bottleneck ? 4 * planes : planes;
        (int Input, int Output, int Kernel, int Stride)[] shapes = bottleneck
            ? [(x.Channels, planes, 1, 1), (planes, planes, 3, stride), (planes, output, 1, 1)]
            : [(x.Channels, planes, 3, stride), (planes, planes, 3, 1)];
        ScaledWsModule[] convolutions = [.. shapes.Select((s, i) => ScaledWsModule.Declare(
            network,
            $"{name}.conv{i + 1}",
            s.Input,
            s.Output,
            s.Kernel,
            s.Stride,
            s.Kernel / 2,
            i == shapes.Length - 1 ? skipGain : null,
            Alpha))];
        ScaledWsModule? downsample = downsamples
            ? ScaledWsModule.Declare(network, name + ".downsample", x.Channels, output, 1, stride, 0)
            : null;

        Edge spikes = network.Add(new Lif(name + ".sn1", x, inverseBeta, SpikeScale));
        Edge identity = downsample is null ? x : network.Add(new ScaledWsConvolution(downsample, spikes));
        Edge branch = network.Add(new ScaledWsConvolution(convolutions[0], spikes));
        for (int i = 1; i < convolutions.Length; i++)
        {
            Edge fired = network.Add(new Lif($"{name}.sn{i + 1}", branch, 1f, SpikeScale));
            branch = network.Add(new ScaledWsConvolution(convolutions[i], fired));
        }

        return network.Add(new ResidualAdd(name, branch, identity));
    }
}
