using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>adaptive_avg_pool_forward and adaptive_avg_pool_backward against windows written out.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class AdaptiveAvgPoolTests(DeviceKind kind) : KernelTest(kind)
{
    /// <summary>(h, w, out_h, out_w): divisible, overlapping, larger than the input, one.</summary>
    private static readonly (int, int, int, int)[] Sizes = [
        (4, 4, 1, 1), (8, 8, 4, 4), (4, 4, 7, 7), (1, 1, 7, 7), (5, 7, 3, 2), (3, 10, 7, 4), (2, 2, 2, 2), (13, 3, 7, 7)];

    [Test]
    public void Forward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int, int, int) size) =>
        ForEach([1, 8, 19], channels => Forward(type, size, channels));

    private void Forward(ComputeType type, (int, int, int, int) size, int channels)
    {
        const int N = 2;
        (int h, int w, int outH, int outW) = size;
        float[] x = Uniform(N * h * w * channels, type, -1, 1, 1);
        Tensor y = Poisoned(type, N * outH * outW * channels);
        Launch(
            "adaptive_avg_pool_forward_" + type.Suffix(), Cases.Launch(h + channels), y.Pointer, Upload(type, x).Pointer, N, h, w, channels,
            outH, outW);
        Approx[] want = new Approx[N * outH * outW * channels];
        for (int i = 0; i < want.Length; i++)
        {
            (int n, int o, int p, int c) = (i / channels / outW / outH, i / channels / outW % outH, i / channels % outW, i % channels);
            int[] rows = Window(o, h, outH), columns = Window(p, w, outW);
            want[i] = (Approx.Sum(
                from r in rows
                from s in columns
                select (Approx)x[(((((n * h) + r) * w) + s) * channels)
                    + c]) / (rows.Length * columns.Length)).As(type);
        }

        AssertWithin(y.Read(), want, "y");
    }

    [Test]
    public void Backward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int, int, int) size) =>
        ForEach([1, 8, 19], channels => Backward(type, size, channels));

    private void Backward(ComputeType type, (int, int, int, int) size, int channels)
    {
        const int N = 2;
        (int h, int w, int outH, int outW) = size;
        float[] dy = Uniform(N * outH * outW * channels, type, -1, 1, 1);
        List<Approx>[] terms = [.. Enumerable.Range(0, N * h * w * channels).Select(_ => new List<Approx>())];
        for (int i = 0; i < dy.Length; i++)
        {
            (int n, int o, int p, int c) = (i / channels / outW / outH, i / channels / outW % outH, i / channels % outW, i % channels);
            int[] rows = Window(o, h, outH), columns = Window(p, w, outW);
            foreach (int r in rows)
            {
                foreach (int s in columns)
                {
                    terms[(((((n * h) + r) * w) + s) * channels) + c].Add(dy[i] / (Approx)(rows.Length * columns.Length));
                }
            }
        }

        Tensor dx = Poisoned(type, terms.Length);
        Launch(
            "adaptive_avg_pool_backward_" + type.Suffix(), Cases.Launch(h + channels), dx.Pointer, Upload(type, dy).Pointer, N, h, w,
            channels, outH, outW);
        AssertWithin(dx.Read(), [.. terms.Select(t => Approx.Sum(t).As(type))], "grad_x");
    }

    /// <summary>The inputs of output o, as torch.nn.AdaptiveAvgPool2d has them.</summary>
    private static int[] Window(int o, int size, int outSize)
    {
        int begin = (int)Math.Floor((double)o * size / outSize), end = (int)Math.Ceiling((double)(o + 1) * size / outSize);
        return [.. Enumerable.Range(begin, end - begin)];
    }
}
