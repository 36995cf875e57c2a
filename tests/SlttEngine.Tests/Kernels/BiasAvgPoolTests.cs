using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>bias_avg_pool against windows written out, and count_batches.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class BiasAvgPoolTests(DeviceKind kind) : KernelTest(kind)
{
    /// <summary>
    /// (h, w, window, stride, padding): the stem's, one pixel, side by side, a window that is all padding but for a corner.
    /// </summary>
    private static readonly (int, int, int, int, int)[] Sizes = [
        (8, 7, 3, 2, 1), (5, 4, 1, 1, 0), (6, 4, 2, 2, 0), (3, 3, 3, 1, 2), (1, 1, 3, 2, 1)];

    [Test]
    public void Forward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int, int, int, int) size) =>
        ForEach([1, 8, 19], channels => Forward(type, size, channels));

    private void Forward(ComputeType type, (int, int, int, int, int) size, int channels)
    {
        const int N = 2;
        (int h, int w, int window, int stride, int padding) = size;
        (int outH, int outW) = (((h + (2 * padding) - window) / stride) + 1, ((w + (2 * padding) - window) / stride) + 1);
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
    }

    [Test]
    public void Batches_are_counted_once_whatever_the_launch([Values(0, 1, 3)] int launch)
    {
        DeviceArray<long> counter = Upload([5L]);
        Launch("count_batches", Cases.Launch(launch), counter.Pointer, 3);
        Assert.That(counter.Read(), Is.EqualTo(new[] { 8L }));
    }
}
