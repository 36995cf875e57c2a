using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>expand_frames and augment_cifar: a network's input from small integers.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class InputTests(DeviceKind kind) : KernelTest(kind)
{
    private const int Side = 32, Pixels = Side * Side;
    private static readonly float[] Mean = [0.4914f, 0.4822f, 0.4465f], Std = [0.2023f, 0.1994f, 0.2010f];

    [Test]
    public void ExpandFrames(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [Values("u8", "u16", "f32")] string element,
        [Values(1, 2, 3)] int c) =>
        ForEach([0, 2, 3, 9], t => ExpandFrames(type, element, c, t));

    private void ExpandFrames(ComputeType type, string element, int c, int t)
    {
        const int Steps = 4, N = 3, H = 5, W = 17;
        Random random = new(c);
        int[] frames = [.. Enumerable.Range(0, Steps * N * c * H * W).Select(_ => random.Next(element == "u16" ? 65536 : 256))];
        float[] scale = Uniform(c, ComputeType.Float32, 0.1f, 0.5f, 1), shift = Uniform(c, ComputeType.Float32, -1, 1, 2);
        Tensor x = Poisoned(type, N * H * W * c);
        Launch(
            $"expand_frames_{element}_{type.Suffix()}", Cases.Launch(c + t), x.Pointer,
            element switch
            {
                "u8" => Upload((byte[])[.. frames.Select(f => (byte)f)]).Pointer,
                "u16" => Upload((ushort[])[.. frames.Select(f => (ushort)f)]).Pointer,
                _ => Floats([.. frames.Select(f => (float)f)]).Pointer,
            },
            State(Cases.State with { T = t }).Pointer, Floats(scale).Pointer, Floats(shift).Pointer, 1, Steps, N, c, H, W);
        Approx[] want = new Approx[N * H * W * c];
        for (int i = 0; i < want.Length; i++)
        {
            (int n, int y, int j, int k) = (i / c / W / H, i / c / W % H, i / c % W, i % c);
            want[i] = ((frames[(((((((Math.Min(t, Steps - 1) * N) + n) * c) + k) * H) + y) * W) + j] * (Approx)scale[k]) + shift[k])
                .As(type);
        }

        AssertWithin(x.Read(), want, "x");
    }

    /// <summary>Outputs that the CPU device writes past its cache, rows at multiples of a vector register and not.</summary>
    [Test]
    public void ExpandLargeFrames([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [Values(128, 131)] int width)
    {
        const int H = 128;
        int n = IsSlow ? 1 : (17 << 20) / type.Size() / (2 * H * width);
        byte[] frames = new byte[n * 2 * H * width];
        new Random(width).NextBytes(frames);
        Tensor x = Poisoned(type, frames.Length);
        Launch(
            $"expand_frames_u8_{type.Suffix()}", Cases.Launch(n), x.Pointer, Upload(frames).Pointer, State(Cases.State).Pointer,
            Floats([1, 1]).Pointer, Floats([0, 0]).Pointer,
            1, 1, n, 2, H, width);
        int plane = H * width;
        AssertSame(
            x.Read(),
            [.. Enumerable.Range(0, frames.Length).Select(i => (float)frames[(((i / 2 / plane * 2) + (i % 2)) * plane) + (i / 2 % plane)])],
            "x");
    }

    [Test]
    public void WithoutAugmentation([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [Values(3, 4, 8)] int channels)
    {
        byte[] images = Images(5);
        int[] indices = [4, 0, 2];
        float[] x = Augment(type, images, indices, channels, train: false, Cases.State);
        Approx[] want = new Approx[x.Length];
        for (int i = 0; i < want.Length; i++)
        {
            (int n, int pixel, int k) = (i / channels / Pixels, i / channels % Pixels, i % channels);
            want[i] = k < 3 ? Normalised(images[(((indices[n] * 3) + k) * Pixels) + pixel], k).As(type) : 0;
        }

        AssertWithin(x, want, "x");
    }

    /// <summary>Crop, cutout, flip as the random numbers of (sample, iteration) have them, one pixel at a time.</summary>
    [Test]
    public void Augmented([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type)
    {
        byte[] images = Images(3);
        int[] indices = [.. Enumerable.Range(0, IsSlow ? 6 : 24).Select(i => i % 3)];
        float[] x = Augment(type, images, indices, 3, train: true, Cases.State);
        int cuts = 0, flips = 0;
        for (int n = 0; n < indices.Length; n++)
        {
            uint[][] words = [
                .. Enumerable.Range(0, 3).Select(
                    which => Philox.Draw(
                        (uint)n, 0xC1FA000u + (uint)which, (uint)Cases.State.Iteration, (uint)(Cases.State.Iteration >> 32),
                        Cases.State.Seed))];
            int cropX = Integer(words[0][0], 9), cropY = Integer(words[0][1], 9);
            bool flip = Real(words[0][2]) < 0.5, cut = Real(words[0][3]) < 0.5;
            double area = (0.02 + (0.38 * Real(words[1][0]))) * Pixels, aspect = 0.4 + (2.1 * Real(words[1][1]));
            int width = Math.Min((int)Math.Sqrt(area / aspect), Side), height = Math.Min((int)Math.Sqrt(area * aspect), Side);
            int left = Integer(words[1][2], Side - width + 1), top = Integer(words[1][3], Side - height + 1),
                grey = Integer(words[2][0], 256);
            cuts += cut ? 1 : 0;
            flips += flip ? 1 : 0;
            for (int i = 0; i < 3 * Pixels; i++)
            {
                (int y, int column, int k) = (i / 3 / Side, i / 3 % Side, i % 3);
                int j = flip ? Side - 1 - column : column, fromX = j + cropX - 4, fromY = y + cropY - 4;
                int value = cut && j >= left && j < left + width && y >= top && y < top + height ? grey
                    : fromX is >= 0 and < Side
                        && fromY is >= 0 and < Side ? images[(((indices[n] * 3) + k) * Pixels) + (fromY * Side) + fromX] : 0;
                if (!Normalised(value, k).As(type).Admits(x[(n * 3 * Pixels) + i]))
                {
                    Assert.Fail(
                        $"sample {n}, row {y}, column {column}, channel {k}: {x[(n * 3 * Pixels) + i]:R}, should be "
                            + $"{Normalised(value, k).Value:R}");
                }
            }
        }

        Assert.That(cuts, Is.GreaterThan(0).And.LessThan(indices.Length));
        Assert.That(flips, Is.GreaterThan(0).And.LessThan(indices.Length));
    }

    /// <summary>The same at every time step of an iteration, different in the next.</summary>
    [Test]
    public void AugmentationDependsOnTheIteration()
    {
        byte[] images = Images(1);
        int[] indices = [0, 0, 0, 0];
        float[] first = Augment(ComputeType.Float32, images, indices, 3, true, Cases.State),
            later = Augment(ComputeType.Float32, images, indices, 3, true, Cases.State with { T = 3 });
        float[] next = Augment(ComputeType.Float32, images, indices, 3, true, Cases.State with { Iteration = Cases.State.Iteration + 1 });
        AssertSame(later, first, "x");
        Assert.That(next, Is.Not.EqualTo(first));
    }

    private static byte[] Images(int count)
    {
        byte[] images = new byte[count * 3 * Pixels];
        new Random(3).NextBytes(images);
        return images;
    }

    private static Approx Normalised(int value, int channel) => ((value / (Approx)255) - Mean[channel]) / Std[channel];

    private static int Integer(uint bits, int count) => (int)(bits * (double)count / 4294967296.0);

    private static double Real(uint bits) => (bits >> 8) / 16777216.0;

    private float[] Augment(ComputeType type, byte[] images, int[] indices, int channels, bool train, RunState state)
    {
        Tensor x = Poisoned(type, indices.Length * Pixels * channels);
        Launch(
            "augment_cifar_" + type.Suffix(), new LaunchShape(3, 128), x.Pointer, Upload(images).Pointer, Upload(indices).Pointer,
            State(state).Pointer,
            Mean[0], Mean[1], Mean[2], Std[0], Std[1], Std[2], train ? 1 : 0, indices.Length, channels);
        return x.Read();
    }
}
