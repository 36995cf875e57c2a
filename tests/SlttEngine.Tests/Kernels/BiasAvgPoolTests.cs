using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>bias_avg_pool and avg_pool_backward against windows written out, and count_batches.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class BiasAvgPoolTests(DeviceKind kind) : KernelTest(kind)
{
    private const int N = 2;

    /// <summary>
    /// (h, w, window, stride, padding): the stem's, one pixel, side by side, a window that is all padding but for a corner,
    /// overlapping ones that leave rows and columns out, pixels in no window.
    /// </summary>
    private static readonly (int, int, int, int, int)[] Sizes = [
        (8, 7, 3, 2, 1), (5, 4, 1, 1, 0), (6, 4, 2, 2, 0), (3, 3, 3, 1, 2), (1, 1, 3, 2, 1), (9, 8, 4, 3, 0), (7, 8, 2, 3, 0)];

    [Test]
    public void Forward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int, int, int, int) size) =>
        ForEach([1, 8, 19], channels => Forward(type, size, channels));

    private void Forward(ComputeType type, (int, int, int, int, int) size, int channels)
    {
        (int h, int w, int window, int stride, int padding) = size;
        (int outH, int outW) = Output(size);
        float[] x = Uniform(N * h * w * channels, type, -1, 1, 1), bias = Uniform(channels, ComputeType.Float32, -1, 1, 2);
        Tensor y = Poisoned(type, N * outH * outW * channels);
        Launch(
            "bias_avg_pool_" + type.Suffix(), Cases.Launch(h + channels), y.Pointer, Upload(type, x).Pointer, Floats(bias).Pointer,
            N, h, w, channels, outH, outW, window, stride, padding);
        Approx[] want = new Approx[N * outH * outW * channels];
        for (int i = 0; i < want.Length; i++)
        {
            (int n, int o, int p, int c) = (i / channels / outW / outH, i / channels / outW % outH, i / channels % outW, i % channels);
            IEnumerable<Approx> terms = from r in Enumerable.Range((o * stride) - padding, window)
                                        from s in Enumerable.Range((p * stride) - padding, window)
                                        where r >= 0 && r < h && s >= 0 && s < w
                                        select x[(((((n * h) + r) * w) + s) * channels) + c] + (Approx)bias[c];
            want[i] = (Approx.Sum(terms) / (window * window)).As(type);
        }

        AssertWithin(y.Read(), want, "y");

        // No bias is a bias of zeros.
        Tensor without = Poisoned(type, want.Length), withZeros = Poisoned(type, want.Length);
        foreach ((Tensor to, object none) in new[] { (without, Null), (withZeros, Floats(new float[channels]).Pointer) })
        {
            Launch(
                "bias_avg_pool_" + type.Suffix(), Cases.Launch(h + channels), to.Pointer, Upload(type, x).Pointer, none, N, h, w, channels,
                outH, outW, window, stride, padding);
        }

        Assert.That(without.ReadBytes(), Is.EqualTo(withZeros.ReadBytes()));
    }

    [Test]
    public void Backward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int, int, int, int) size) =>
        ForEach([1, 8, 19], channels => Backward(type, size, channels));

    private void Backward(ComputeType type, (int, int, int, int, int) size, int channels)
    {
        (int h, int w, int window, int stride, int padding) = size;
        (int outH, int outW) = Output(size);
        float[] dy = Uniform(N * outH * outW * channels, type, -1, 1, 1);
        List<Approx>[] terms = [.. Enumerable.Range(0, N * h * w * channels).Select(_ => new List<Approx>())];
        for (int i = 0; i < dy.Length; i++)
        {
            (int n, int o, int p, int c) = (i / channels / outW / outH, i / channels / outW % outH, i / channels % outW, i % channels);
            for (int r = Math.Max(0, (o * stride) - padding); r < Math.Min(h, (o * stride) - padding + window); r++)
            {
                for (int s = Math.Max(0, (p * stride) - padding); s < Math.Min(w, (p * stride) - padding + window); s++)
                {
                    terms[(((((n * h) + r) * w) + s) * channels) + c].Add(dy[i]);
                }
            }
        }

        Tensor dx = Poisoned(type, terms.Length);
        Launch(
            "avg_pool_backward_" + type.Suffix(), Cases.Launch(h + channels), dx.Pointer, Upload(type, dy).Pointer, N, h, w, channels,
            outH, outW, window, stride, padding);
        AssertWithin(dx.Read(), [.. terms.Select(t => (Approx.Sum(t) / (window * window)).As(type))], "grad_x");
    }

    private static (int H, int W) Output((int, int, int, int, int) size)
    {
        (int h, int w, int window, int stride, int padding) = size;
        return (((h + (2 * padding) - window) / stride) + 1, ((w + (2 * padding) - window) / stride) + 1);
    }

    [Test]
    public void Batches_are_counted_once_whatever_the_launch([Values(0, 1, 3)] int launch)
    {
        DeviceArray<long> counter = Upload([5L]);
        Launch("count_batches", Cases.Launch(launch), counter.Pointer, 3);
        Assert.That(counter.Read(), Is.EqualTo(new[] { 8L }));
    }
}
