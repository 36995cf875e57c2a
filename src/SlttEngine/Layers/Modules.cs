using SlttEngine.Graph;

namespace SlttEngine.Layers;

/// <summary>Parameters of a convolution.</summary>
/// <param name="Name">PyTorch's module name.</param>
/// <param name="In">Input channels.</param>
/// <param name="Out">Output channels.</param>
/// <param name="Kernel">Kernel size (square).</param>
/// <param name="Stride">Stride.</param>
/// <param name="Padding">Zero padding on each side.</param>
/// <param name="Weight">Filter (O, I, k, k), stored (O, k, k, I).</param>
/// <param name="Bias">Bias (O), or null.</param>
public sealed record ConvolutionModule(string Name, int In, int Out, int Kernel, int Stride, int Padding, Parameter Weight, Parameter? Bias)
{
    /// <summary>Declares a convolution with kaiming_normal_(fan_out) weights.</summary>
    /// <param name="network">The network.</param>
    /// <param name="name">PyTorch's module name.</param>
    /// <param name="input">Input channels.</param>
    /// <param name="output">Output channels.</param>
    /// <param name="kernel">Kernel size.</param>
    /// <param name="stride">Stride.</param>
    /// <param name="padding">Padding.</param>
    /// <param name="bias">How the bias starts; null: no bias.</param>
    public static ConvolutionModule Declare(
        Network network, string name, int input, int output, int kernel, int stride, int padding, Initializer? bias)
    {
        Parameter weight = network.Declare(
            name + ".weight", [output, input, kernel, kernel], Initializer.KaimingFanOut(output, kernel), [output, input, kernel, kernel]);
        return new(
            name, input, output, kernel, stride, padding, weight, bias is null ? null : network.Declare(name + ".bias", [output], bias));
    }

    /// <summary>PyTorch's default for a bias: uniform within 1/√fan_in.</summary>
    /// <param name="input">Input channels.</param>
    /// <param name="kernel">Kernel size.</param>
    public static Initializer DefaultBias(int input, int kernel) =>
        new Initializer.Uniform(1.0 / Math.Sqrt((double)input * kernel * kernel));

    /// <summary>Multiply-adds for one sample computed in full, those with the padding's zeros among them.</summary>
    /// <param name="height">Input height.</param>
    /// <param name="width">Input width.</param>
    public long MultiplyAdds(int height, int width) => (long)OutputSize(height) * OutputSize(width) * Out * Kernel * Kernel * In;

    /// <summary>
    /// Weights that an element at each input pixel (H·W) meets: output channels times the kernel's taps that fall on an output.
    /// </summary>
    /// <param name="height">Input height.</param>
    /// <param name="width">Input width.</param>
    public long[] FanOut(int height, int width)
    {
        long[] rows = Taps(height);
        long[] columns = Taps(width);
        return [.. rows.SelectMany(row => columns.Select(column => Out * row * column))];
    }

    /// <summary>For each position along an axis, how many outputs its taps reach.</summary>
    private long[] Taps(int size)
    {
        long[] taps = new long[size];
        for (int output = 0; output < OutputSize(size); output++)
        {
            int first = (output * Stride) - Padding;
            for (int i = Math.Max(first, 0); i < Math.Min(first + Kernel, size); i++)
            {
                taps[i]++;
            }
        }

        return taps;
    }

    /// <summary>Checks that it can read an activation.</summary>
    /// <param name="input">The activation.</param>
    /// <exception cref="SlttException">It has other channels, or is smaller than the kernel.</exception>
    internal void CheckInput(Edge input)
    {
        GraphError.CheckChannels(Name, input, In);
        GraphError.CheckWindow(Name, input, Kernel, Stride, Padding);
    }

    /// <summary>Output size for an input size.</summary>
    /// <param name="size">Height or width.</param>
    public int OutputSize(int size) => ((size + (2 * Padding) - Kernel) / Stride) + 1;
}

/// <summary>Parameters and statistics of a batch norm.</summary>
/// <param name="Name">PyTorch's module name.</param>
/// <param name="Channels">Channels.</param>
/// <param name="Weight">Scale γ (C).</param>
/// <param name="Bias">Shift β (C).</param>
/// <param name="RunningMean">Running mean (C).</param>
/// <param name="RunningVar">Running variance (C), unbiased.</param>
/// <param name="NumBatchesTracked">Counts forward passes in training.</param>
public sealed record BatchNormModule(
    string Name,
    int Channels,
    Parameter Weight,
    Parameter Bias,
    StatisticsBuffer RunningMean,
    StatisticsBuffer RunningVar,
    StatisticsBuffer NumBatchesTracked)
{
    /// <summary>Added to the variance.</summary>
    public const float Epsilon = 1e-5f;

    /// <summary>Weight of a new batch in the running statistics.</summary>
    public const float Momentum = 0.1f;

    /// <summary>Declares a batch norm: γ = 1, β = 0.</summary>
    /// <param name="network">The network.</param>
    /// <param name="name">PyTorch's module name.</param>
    /// <param name="channels">Channels.</param>
    public static BatchNormModule Declare(Network network, string name, int channels) => new(
        name,
        channels,
        network.Declare(name + ".weight", [channels], new Initializer.Constant(1)),
        network.Declare(name + ".bias", [channels], new Initializer.Constant(0)),
        network.DeclareStatistic(name + ".running_mean", channels, 0),
        network.DeclareStatistic(name + ".running_var", channels, 1),
        network.DeclareStatistic(name + ".num_batches_tracked", 0, 0));
}
