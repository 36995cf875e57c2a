using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>What a launch that ends with the gradient of batch norm's parameters writes (kernels/common/batch_norm_gradient.cuh).</summary>
internal sealed class GradientSums : IDisposable
{
    private readonly int parts;
    private readonly int channels;
    private readonly float[] before;
    private readonly DeviceArray<double> partials;
    private readonly DeviceArray<uint> arrived;
    private readonly Tensor weight;
    private readonly Tensor bias;
    private readonly Tensor coefficients;

    /// <summary>Poisoned memory for one step, and gradients to which the launch adds.</summary>
    public GradientSums(ComputeDevice device, LaunchShape shape, int channels)
    {
        (parts, this.channels) = (shape.Blocks, channels);
        before = [.. Enumerable.Range(0, 2 * channels).Select(i => (i % 7 * 0.25f) - 1)];
        partials = new(device, parts * 2 * channels);
        arrived = new(device, new uint[shape.Tiles]);
        weight = new(device, ComputeType.Float32, before[..channels]);
        bias = new(device, ComputeType.Float32, before[channels..]);
        coefficients = new(device, ComputeType.Float32, 2 * channels);
    }

    /// <summary>The launch's arguments from partials to coefficients.</summary>
    public object[] Arguments => [partials.Pointer, arrived.Pointer, weight.Pointer, bias.Pointer, coefficients.Pointer];

    /// <summary>The partial sums (parts, 2, channels).</summary>
    public double[] Partials => partials.Read();

    /// <summary>
    /// Fails unless the partial sums are the terms' sums, and the gradients and coefficients are made of them; counters are 0 again.
    /// </summary>
    /// <param name="assertWithin">The test's assertion.</param>
    /// <param name="size">Rows and channels that were summed.</param>
    /// <param name="terms">The 2 terms of element i in channel c.</param>
    public void Assert(
        Action<IReadOnlyList<float>, IReadOnlyList<Approx>, string> assertWithin, Matrix size, Func<int, int, Approx[]> terms)
    {
        double[] each = Partials;
        ColumnSums.AssertPartials(each, parts, size, terms);
        double Part(int part, int i) => each[(part * 2 * channels) + i];
        double[] sums = [.. Enumerable.Range(0, 2 * channels).Select(i => Enumerable.Range(0, parts).Sum(part => Part(part, i)))];
        Approx Near(int i) => new(sums[i], 1e-14 * parts * Enumerable.Range(0, parts).Sum(part => Math.Abs(Part(part, i))));
        assertWithin(bias.Read(), [.. sums[..channels].Select((_, c) => before[channels + c] + Near(c).Roundings(1))], "grad_bias");
        assertWithin(
            weight.Read(), [.. sums[..channels].Select((_, c) => before[c] + Near(channels + c).Roundings(1))], "grad_weight");
        assertWithin(
            coefficients.Read(), [.. sums.Select((_, i) => (Near(i) * (1 / (Approx)size.Rows)).Roundings(1))], "coefficients");
        NUnit.Framework.Assert.That(arrived.Read(), Is.All.Zero, "counters");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        partials.Dispose();
        arrived.Dispose();
        weight.Dispose();
        bias.Dispose();
        coefficients.Dispose();
    }
}
