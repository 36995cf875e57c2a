using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>
/// Backward against finite differences. A hard spike has none, so the forward is made smooth, in double: the spike becomes the
/// function whose derivative is the surrogate. What the kernels compute from its potentials must be its gradient.
/// </summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class SmoothGradientTests(DeviceKind kind) : KernelTest(kind)
{
    private const int Steps = 4, Rows = 6, Channels = 5, Count = Rows * Channels;
    private const double Lambda = 0.4, Epsilon = 1e-5, Shift = 1e-5;

    /// <summary>Central differences of this step are exact to 1e-9 or so; the kernels' float roundings to a few 1e-6.</summary>
    private const double Tolerance = 2e-5;

    [Test]
    public void ThroughTime([ValueSource(typeof(Neuron), nameof(Neuron.Surrogates))] int surrogate, [Values] bool throughTime)
    {
        double[][] x = Random(Steps, 1, 1.2), upstream = Random(Steps, 2, 1);
        (_, double[][] potentials) = Loss(x, upstream, surrogate, null);

        Tensor? carried = throughTime ? Floats(new float[Count]) : null;
        for (int t = Steps - 1; t >= 0; t--)
        {
            Tensor gradient = PoisonedFloats(Count);
            Launch(
                "lif_backward_f32", Cases.Launch(t), gradient.Pointer, Floats(Single(upstream[t])).Pointer, Null, Null,
                Floats(Single(potentials[t])).Pointer, carried?.Pointer ?? Null,
                1f, 1f, (float)Lambda, Neuron.Threshold, surrogate, 0f, 0u, Null, 1, (long)Count);
            float[] actual = gradient.Read();
            for (int i = 0; i < Count; i++)
            {
                // SLTT: what an earlier step left is a constant.
                AssertGradient(
                    actual[i], x[t], i, () => Loss(x, upstream, surrogate, throughTime ? null : potentials).Loss, $"dL/dx({t})[{i}]");
            }
        }
    }

    /// <summary>The whole normalised layer of one step: statistics, forward, backward, apply.</summary>
    [Test]
    public void ThroughBatchNorm([ValueSource(typeof(Neuron), nameof(Neuron.Surrogates))] int surrogate)
    {
        double[] x = Random(1, 3, 2)[0], upstream = Random(1, 4, 1)[0], weight = [1.5, -0.7, 1, 0.9, 2], bias = [0.9, 1.1, 0.6, 1, 1.2];
        LaunchShape shape = new(2, 64);
        Tensor y = Floats(Single(x)), zeros = Floats(new float[Channels]), gamma = Floats(Single(weight)), beta = Floats(Single(bias));
        Tensor mean = PoisonedFloats(Channels), invstd = PoisonedFloats(Channels), scale = PoisonedFloats(Channels),
            u = PoisonedFloats(Count);
        DeviceArray<double> partials = Poisoned<double>(shape.Blocks * 2 * Channels);
        DeviceArray<uint> arrived = Upload(new uint[1]);
        Launch(
            "batch_norm_statistics_f32", shape, partials.Pointer, arrived.Pointer, y.Pointer, mean.Pointer, invstd.Pointer, scale.Pointer,
            zeros.Pointer, Floats(new float[Channels]).Pointer, Upload([0L]).Pointer, Null, Null, gamma.Pointer, Null, Null,
            Neuron.Threshold, 0.1f, (float)Epsilon, 1, (long)Rows, Channels, 1);
        Launch(
            "batch_norm_lif_forward_f32", shape, Null, u.Pointer, Null, y.Pointer, mean.Pointer, scale.Pointer, beta.Pointer, (float)Lambda,
            Neuron.Threshold, 0f, 0u, Null, 0, 0, 0, 1, (long)Rows, Channels);
        Tensor gradient = PoisonedFloats(Count), gradWeight = Floats(new float[Channels]), gradBias = Floats(new float[Channels]),
            coefficients = PoisonedFloats(2 * Channels);
        Launch(
            Instances.Backward(ComputeType.Float32, surrogate, false, false), shape, gradient.Pointer, partials.Pointer, arrived.Pointer,
            gradWeight.Pointer, gradBias.Pointer, coefficients.Pointer, Floats(Single(upstream)).Pointer, Null, u.Pointer,
            Null, y.Pointer, mean.Pointer, invstd.Pointer,
            (float)Lambda, Neuron.Threshold, surrogate, 0f, 0u, Null, 1, (long)Rows, Channels);
        Launch(
            "batch_norm_backward_apply_f32", shape, gradient.Pointer, gradient.Pointer, y.Pointer, mean.Pointer, invstd.Pointer,
            scale.Pointer, coefficients.Pointer, 1, (long)Rows, Channels);

        double Loss()
        {
            double loss = 0;
            for (int c = 0; c < Channels; c++)
            {
                double[] column = [.. Enumerable.Range(0, Rows).Select(r => x[(r * Channels) + c])];
                double average = column.Average(), variance = column.Average(v => (v - average) * (v - average));
                for (int r = 0; r < Rows; r++)
                {
                    double potential = ((column[r] - average) / Math.Sqrt(variance + Epsilon) * weight[c]) + bias[c];
                    loss += upstream[(r * Channels) + c] * Neuron.SmoothSpike(surrogate, potential - Neuron.Threshold);
                }
            }

            return loss;
        }

        float[] dx = gradient.Read(), dWeight = gradWeight.Read(), dBias = gradBias.Read();
        for (int i = 0; i < Count; i++)
        {
            AssertGradient(dx[i], x, i, Loss, $"dL/dx[{i}]");
        }

        for (int c = 0; c < Channels; c++)
        {
            AssertGradient(dWeight[c], weight, c, Loss, $"dL/dweight[{c}]");
            AssertGradient(dBias[c], bias, c, Loss, $"dL/dbias[{c}]");
        }
    }

    /// <summary>
    /// L = sum over t of upstream(t) s(t), and the potentials. `given`: what each step takes as the potentials before it.
    /// </summary>
    private static (double Loss, double[][] Potentials) Loss(double[][] x, double[][] upstream, int surrogate, double[][]? given)
    {
        double loss = 0;
        double[][] u = [.. Enumerable.Range(0, Steps).Select(_ => new double[Count])];
        for (int t = 0; t < Steps; t++)
        {
            for (int i = 0; i < Count; i++)
            {
                double before = t == 0 ? 0 : (given ?? u)[t - 1][i];
                double left = t == 0 ? 0 : before - (Neuron.Threshold * Neuron.SmoothSpike(surrogate, before - Neuron.Threshold));
                u[t][i] = (Lambda * left) + x[t][i];
                loss += upstream[t][i] * Neuron.SmoothSpike(surrogate, u[t][i] - Neuron.Threshold);
            }
        }

        return (loss, u);
    }

    private static void AssertGradient(double actual, double[] at, int i, Func<double> loss, string what)
    {
        double value = at[i];
        at[i] = value + Shift;
        double above = loss();
        at[i] = value - Shift;
        double below = loss();
        at[i] = value;
        Assert.That(actual, Is.EqualTo((above - below) / (2 * Shift)).Within(Tolerance), what);
    }

    private static double[][] Random(int steps, int seed, double size)
    {
        Random random = new(seed);
        return [
            .. Enumerable.Range(0, steps).Select(
                _ => (double[])[.. Enumerable.Range(0, Count).Select(_ => (double)(float)(size * ((2 * random.NextDouble()) - 0.7)))])];
    }

    private static float[] Single(double[] values) => [.. values.Select(v => (float)v)];
}
