using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>loss and metrics.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class LossTests(DeviceKind kind) : KernelTest(kind)
{
    /// <summary>Of exp, of the sum, and of its inverse, beyond what the reference's own steps account for; see common/pack.cuh.</summary>
    private const double ExpRoundings = 4;

    private const float LossScale = 1024, Scale = 0.25f;

    /// <summary>(samples, classes).</summary>
    private static readonly (int, int)[] Sizes = [(1, 1), (1, 10), (7, 10), (33, 11), (5, 101), (3, 1000), (2, 33)];

    /// <summary>(loss_lambda, mse_n_reg, loss_means).</summary>
    private static readonly (float, int, float)[] Losses = [(0f, 0, 1f), (0.05f, 0, 1f), (0.05f, 1, 0f), (1f, 0, 0.5f)];

    [Test]
    public void Loss([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int) size) =>
        ForEach(Losses, loss => Loss(type, size, loss));

    private void Loss(ComputeType type, (int, int) size, (float, int, float) kind)
    {
        (int n, int classes) = size;
        (float lambda, int oneHot, float means) = kind;
        float[] logits = Uniform(n * classes, ComputeType.Float32, -5, 5, classes),
            total = Uniform(n * classes, ComputeType.Float32, -1, 1, 2), before = Uniform(n, ComputeType.Float32, 0, 1, 3);
        logits[^1] = 60; // no overflow
        int[] labels = [.. Enumerable.Range(0, n).Select(i => (i * 7) % classes)];
        Approx[] wantLoss = new Approx[n], wantGradient = new Approx[n * classes];
        for (int i = 0; i < n; i++)
        {
            double[] z = [.. logits[(i * classes)..((i + 1) * classes)].Select(v => (double)v)];
            double Target(int c) => oneHot == 1 ? (c == labels[i] ? 1 : 0) : means;
            double largest = z.Max(), sum = z.Sum(v => Math.Exp(v - largest));
            double crossEntropy = Math.Log(sum) + largest - z[labels[i]],
                squares = z.Select((v, c) => Math.Pow(v - Target(c), 2)).Average();
            double loss = lambda == 0 ? crossEntropy : ((1 - (double)lambda) * crossEntropy) + (lambda * squares);
            Approx own = new Approx(
                Scale * loss, Scale * Approx.SumRoundings * Dnn.Numbers.FloatRounding * (1 + (lambda * squares))).Roundings(1);
            wantLoss[i] = before[i] + own;
            for (int c = 0; c < classes; c++)
            {
                double away = z[c] - largest;
                Approx probability = new Approx(Math.Exp(away) / sum, 1e-37).Roundings(ExpRoundings + Math.Abs(away) + Approx.SumRoundings);
                Approx d = (1 - (Approx)lambda) * (probability - (c == labels[i] ? 1 : 0));
                d = lambda == 0 ? d : d + (2 * (Approx)lambda / classes * (z[c] - (Approx)Target(c)));
                wantGradient[(i * classes) + c] = ((LossScale * (Scale / (Approx)n)) * d).Roundings(2).As(type);
            }
        }

        Tensor gradient = Poisoned(type, n * classes), sampleLoss = Floats(before), sums = Floats(total), z2 = Floats(logits);
        DeviceArray<int> y = Upload(labels);
        DeviceArray<RunState> state = State(Cases.State with { LossScale = LossScale });
        LaunchShape shape = classes == 33 ? Cases.Largest : Cases.Launch(n + classes);
        Launch(
            "loss_" + type.Suffix(), shape, gradient.Pointer, sampleLoss.Pointer, sums.Pointer, z2.Pointer, y.Pointer, lambda, oneHot,
            means, Scale, state.Pointer, 1, n, classes);
        AssertWithin(sampleLoss.Read(), wantLoss, "sample_loss");
        AssertWithin(gradient.Read(), wantGradient, "grad_logits");
        float[] added = [.. total.Zip(logits, (a, b) => a + b)];
        AssertSame(sums.Read(), added, "total_logits");

        // Each output can be left out without touching the others.
        Tensor again = Poisoned(type, n * classes);
        Launch(
            "loss_" + type.Suffix(), shape, again.Pointer, Null, Null, z2.Pointer, y.Pointer, lambda, oneHot, means, Scale, state.Pointer,
            1, n, classes);
        Assert.That(again.ReadBytes(), Is.EqualTo(gradient.ReadBytes()));
        Launch(
            "loss_" + type.Suffix(), shape, Null, Null, sums.Pointer, z2.Pointer, y.Pointer, lambda, oneHot, means, Scale, Null, 1, n,
            classes);
        AssertSame(sums.Read(), [.. added.Zip(logits, (a, b) => a + b)], "total_logits alone");
        Tensor alone = Floats(before);
        Launch(
            "loss_" + type.Suffix(), shape, Null, alone.Pointer, Null, z2.Pointer, y.Pointer, lambda, oneHot, means, Scale, Null, 1, n,
            classes);
        AssertSame(alone.Read(), sampleLoss.Read(), "sample_loss alone");
    }

    [Test]
    public void NotANumberStaysOne()
    {
        Tensor gradient = PoisonedFloats(3), sampleLoss = Floats([0f]);
        Launch(
            "loss_f32", LaunchShape.Single, gradient.Pointer, sampleLoss.Pointer, Null, Floats([1f, float.NaN, 2f]).Pointer,
            Upload([0]).Pointer, 0f, 0, 1f, 1f, State(Cases.State).Pointer, 1, 1, 3);
        Assert.That(sampleLoss.Read(), Is.All.NaN);
        Assert.That(gradient.Read(), Is.All.NaN);
    }

    [Test]
    public void Metrics([ValueSource(nameof(Sizes))] (int, int) size, [Values(32, 96, 256)] int threads)
    {
        (int n, int classes) = size;
        float[] sampleLoss = Uniform(n, ComputeType.Float32, 0, 3, 1);
        float[] logits = [.. Uniform(n * classes, ComputeType.Float32, 0, 12, 2).Select(MathF.Floor)]; // ties in plenty
        int[] labels = [.. Enumerable.Range(0, n).Select(i => (i * 5) % classes)];
        double[] want = [100, 7, 8, 9];
        int[] wantRanks = new int[n];
        for (int i = 0; i < n; i++)
        {
            // Descending; the lower index first among equals.
            int[] order = [.. Enumerable.Range(0, classes).OrderByDescending(c => logits[(i * classes) + c]).ThenBy(c => c)];
            wantRanks[i] = Array.IndexOf(order, labels[i]);
            want[0] += sampleLoss[i];
            want[1] += wantRanks[i] < 1 ? 1 : 0;
            want[2] += wantRanks[i] < 5 ? 1 : 0;
            want[3] += 1;
        }

        DeviceArray<int> ranks = Upload([.. Enumerable.Repeat(-1, n)]);
        Launch("label_ranks", new LaunchShape(3, threads), ranks.Pointer, Floats(logits).Pointer, Upload(labels).Pointer, n, classes);
        Assert.That(ranks.Read(), Is.EqualTo(wantRanks));
        DeviceArray<double> metrics = Upload([100.0, 7, 8, 9]);
        Launch("metrics", new LaunchShape(1, threads), metrics.Pointer, ranks.Pointer, Floats(sampleLoss).Pointer, n);
        double[] actual = metrics.Read();
        Assert.That(actual[0], Is.EqualTo(want[0]).Within(Approx.SumRoundings * Dnn.Numbers.FloatRounding * want[0]));
        Assert.That(actual[1..], Is.EqualTo(want[1..]));
    }

    [Test]
    public void ALabelWhoseLogitIsNaNIsNoHit()
    {
        DeviceArray<int> ranks = Upload([-1, -1, -1]);
        DeviceArray<double> metrics = Upload(new double[4]);
        Launch(
            "label_ranks", new LaunchShape(2, 32), ranks.Pointer, Floats([float.NaN, 1, 1, float.NaN, float.NaN, 2]).Pointer,
            Upload([0, 0, 1]).Pointer, 3, 2);
        Launch("metrics", LaunchShape.Single, metrics.Pointer, ranks.Pointer, Floats([1f, 1f, 1f]).Pointer, 3);
        Assert.That(metrics.Read(), Is.EqualTo(new double[] { 3, 0, 2, 3 }), "a NaN beside the label comes before it");
    }
}
