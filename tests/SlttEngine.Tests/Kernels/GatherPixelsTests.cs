using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>gather_pixels and scatter_pixels: every bit arrives, and nothing else is written.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class GatherPixelsTests(DeviceKind kind) : KernelTest(kind)
{
    private const int N = 2;

    /// <summary>(h, w, stride): divisible, one line over, one pixel, a stride beyond the map.</summary>
    private static readonly (int, int, int)[] Sizes = [(8, 6, 2), (7, 5, 2), (5, 7, 3), (4, 3, 1), (1, 1, 2), (2, 3, 4)];

    [Test]
    public void There_and_back(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int, int) size) =>
        ForEach([1, 8, 19], channels => ThereAndBack(type, size, channels));

    private void ThereAndBack(ComputeType type, (int, int, int) size, int channels)
    {
        (int h, int w, int stride) = size;
        (int outH, int outW) = (((h - 1) / stride) + 1, ((w - 1) / stride) + 1);
        float[] x = Uniform(N * h * w * channels, type, -1, 1, 1), back = new float[x.Length];
        float[] compact = new float[N * outH * outW * channels];
        for (int i = 0; i < compact.Length; i++)
        {
            (int n, int o, int p, int c) = (i / channels / outW / outH, i / channels / outW % outH, i / channels % outW, i % channels);
            int from = (((((n * h) + (o * stride)) * w) + (p * stride)) * channels) + c;
            (compact[i], back[from]) = (x[from], x[from]);
        }

        Tensor y = Poisoned(type, compact.Length), gradient = Poisoned(type, x.Length);
        Launch(
            "gather_pixels_" + type.Suffix(), Cases.Launch(h + channels), y.Pointer, Upload(type, x).Pointer, N, h, w, channels, outH, outW,
            stride);
        AssertSame(y.Read(), compact, "y");
        Launch(
            "scatter_pixels_" + type.Suffix(), Cases.Launch(w + channels), gradient.Pointer, y.Pointer, N, h, w, channels, outH, outW,
            stride);
        AssertSame(gradient.Read(), back, "x");
    }
}
