using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>weight_standardize, weight_standardize_backward (against finite differences) and sum_to_scalar.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class WeightStandardizeTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Alpha = 0.2f, Epsilon = 1e-4f;

    /// <summary>Sums are in double or over few floats; what remains is a handful of roundings of numbers of order one.</summary>
    private const double Tolerance = 4e-6;

    /// <summary>(out_channels, fan_in).</summary>
    private static readonly (int, int)[] Sizes = [(1, 2), (3, 9), (5, 27), (2, 147), (4, 288), (1, 1153), (3, 1300)];

    [Test]
    public void Forward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] (int, int) size,
        [Values] bool skip)
    {
        (int o, int fanIn) = size;
        float[] w = Uniform(o * fanIn, ComputeType.Float32, -0.2f, 0.6f, 1), gain = Uniform(o, ComputeType.Float32, -2, 2, 2),
            bias = Uniform(o, ComputeType.Float32, -1, 1, 3), skipGain = [0.7f];
        Tensor effective = Poisoned(type, o * fanIn), rstd = PoisonedFloats(o), biasEff = PoisonedFloats(o);
        Launch(
            "weight_standardize_" + type.Suffix(), Cases.Launch(o + fanIn), effective.Pointer, rstd.Pointer, biasEff.Pointer,
            Floats(w).Pointer, Floats(gain).Pointer,
            Floats(bias).Pointer, skip ? Floats(skipGain).Pointer : Null, Alpha, Epsilon, o, fanIn);

        double f = skip ? Alpha * (double)skipGain[0] : 1;
        (double[] wantHat, double[] wantRstd) = Standardised([.. w.Select(v => (double)v)], [.. gain.Select(v => (double)v)], o, fanIn);
        AssertWithin(rstd.Read(), [.. wantRstd.Select(r => new Approx(r, Tolerance * r))], "rstd");
        AssertWithin(effective.Read(), [.. wantHat.Select(h => new Approx(f * h, Tolerance * (1 + Math.Abs(h))).As(type))], "weight_eff");
        AssertWithin(biasEff.Read(), [.. bias.Select(b => new Approx(f * b, 0).Roundings(3))], "bias_eff");
    }

    /// <summary>L = sum of G weight_eff + sum of Gb bias_eff.</summary>
    [Test]
    public void Backward([ValueSource(nameof(Sizes))] (int, int) size, [Values] bool skip, [Values] bool inPlace)
    {
        const double Shift = 1e-5;
        (int o, int fanIn) = size;
        double[] w = Doubles(o * fanIn, -0.2f, 0.6f, 1), gain = Doubles(o, -2, 2, 2), bias = Doubles(o, -1, 1, 3), skipGain = [0.7f],
            g = Doubles(o * fanIn, -1, 1, 4), gb = Doubles(o, -1, 1, 5);
        double Loss()
        {
            double f = skip ? Alpha * skipGain[0] : 1;
            return f * (Standardised(w, gain, o, fanIn).Hat.Zip(g, (a, b) => a * b).Sum() + bias.Zip(gb, (a, b) => a * b).Sum());
        }

        double Difference(double[] at, int i)
        {
            double value = at[i];
            at[i] = value + Shift;
            double above = Loss();
            at[i] = value - Shift;
            double below = Loss();
            at[i] = value;
            return (above - below) / (2 * Shift);
        }

        Tensor gradEff = Floats(Single(g)), gradBiasEff = Floats(Single(gb));
        Tensor gradWeight = inPlace ? gradEff : PoisonedFloats(o * fanIn), gradBias = inPlace ? gradBiasEff : PoisonedFloats(o),
            gradGain = PoisonedFloats(o), partial = PoisonedFloats(o), gradSkip = PoisonedFloats(1);
        Launch(
            "weight_standardize_backward", Cases.Launch(o + fanIn), gradWeight.Pointer, gradGain.Pointer, gradBias.Pointer,
            skip ? partial.Pointer : Null, gradEff.Pointer, gradBiasEff.Pointer,
            Floats(Single(w)).Pointer, Floats(Single(gain)).Pointer, Floats(Single(bias)).Pointer,
            skip ? Floats(Single(skipGain)).Pointer : Null, Alpha, Epsilon, o, fanIn);
        if (skip)
        {
            Launch("sum_to_scalar", LaunchShape.Single, gradSkip.Pointer, partial.Pointer, o);
            double want = Difference(skipGain, 0);
            AssertWithin(gradSkip.Read(), [new Approx(want, 1e-5 * (1 + Math.Abs(want)))], "grad_skipinit_gain");
        }

        AssertWithin(gradGain.Read(), Wanted(gain), "grad_gain");
        AssertWithin(gradBias.Read(), Wanted(bias), "grad_bias");
        float[] actual = gradWeight.Read();
        for (int i = 0; i < o * fanIn; i += Math.Max(1, o * fanIn / 40))
        {
            double want = Difference(w, i);
            if (!new Approx(want, 2e-5 * (1 + Math.Abs(want))).Admits(actual[i]))
            {
                Assert.Fail($"grad_weight[{i}] is {actual[i]:R}, should be {want:R}");
            }
        }

        Approx[] Wanted(double[] at) => [
            .. Enumerable.Range(0, o).Select(i => Difference(at, i)).Select(d => new Approx(d, 1e-5 * (1 + Math.Abs(d))))];
    }

    /// <summary>The mean is a thousand times the spread: squares of the weights themselves would lose it in float.</summary>
    [Test]
    public void Weights_with_little_spread_keep_it()
    {
        const int FanIn = 300;
        float[] w = Uniform(FanIn, ComputeType.Float32, 1f, 1.004f, 1);
        Tensor effective = PoisonedFloats(FanIn), rstd = PoisonedFloats(1), biasEff = PoisonedFloats(1);
        Launch(
            "weight_standardize_f32", Cases.Launch(1), effective.Pointer, rstd.Pointer, biasEff.Pointer, Floats(w).Pointer,
            Floats([1f]).Pointer, Floats([0f]).Pointer, Null, Alpha, Epsilon, 1, FanIn);
        (_, double[] want) = Standardised([.. w.Select(v => (double)v)], [1], 1, FanIn);
        AssertWithin(rstd.Read(), [new Approx(want[0], Tolerance * want[0])], "rstd");
    }

    [Test]
    public void SumToScalar([Values(1, 7, 31, 257, 2048)] int count)
    {
        float[] x = Uniform(count, ComputeType.Float32, -1, 1, count);
        foreach (LaunchShape shape in new LaunchShape[] { new(1, 1), new(1, 256), new(2, 64) })
        {
            Tensor sum = PoisonedFloats(1);
            Launch("sum_to_scalar", shape, sum.Pointer, Floats(x).Pointer, count);
            AssertWithin(sum.Read(), [Approx.Sum(x.Select(v => (Approx)v)).Roundings(1)], "sum");
        }
    }

    /// <summary>gain (w - mean) / sqrt(var fan_in + eps), and 1 / that root.</summary>
    private static (double[] Hat, double[] Rstd) Standardised(double[] w, double[] gain, int o, int fanIn)
    {
        double[] hat = new double[w.Length], rstd = new double[o];
        for (int i = 0; i < o; i++)
        {
            double[] row = w[(i * fanIn)..((i + 1) * fanIn)];
            double mean = row.Average(), variance = row.Sum(v => (v - mean) * (v - mean)) / (fanIn - 1);
            rstd[i] = 1 / Math.Sqrt((variance * fanIn) + Epsilon);
            for (int j = 0; j < fanIn; j++)
            {
                hat[(i * fanIn) + j] = gain[i] * (row[j] - mean) * rstd[i];
            }
        }

        return (hat, rstd);
    }

    private static double[] Doubles(int count, float low, float high, int seed) =>
        [.. Uniform(count, ComputeType.Float32, low, high, seed).Select(v => (double)v)];

    private static float[] Single(double[] values) => [.. values.Select(v => (float)v)];
}
