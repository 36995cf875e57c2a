using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Sums of gradients: bias_gradient, column_sum, accumulate_gradients, find_overflow.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class GradientSumTests(DeviceKind kind) : KernelTest(kind)
{
    [Test]
    public void BiasGradient(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        float[] dy = Uniform(size.Count, type, -1, 1, 1), before = Uniform(size.Channels, ComputeType.Float32, -1, 1, 2);
        LaunchShape shape = Cases.Launch(size.Rows + size.Channels) with { Tiles = 1 + (size.Channels % 3) };
        DeviceArray<double> partials = Poisoned<double>(shape.Blocks * size.Channels);
        DeviceArray<uint> arrived = Upload(new uint[shape.Tiles]);
        Tensor sums = Floats(before), again = Floats(before);
        Launch(
            "bias_gradient_" + type.Suffix(), shape, partials.Pointer, arrived.Pointer, sums.Pointer, Upload(type, dy).Pointer,
            (long)size.Rows, size.Channels);
        ColumnSums.AssertPartials(partials.Read(), shape.Blocks, size, (i, _) => [dy[i]]);
        AssertWithin(sums.Read(), Sums(dy, before, size), "grad_bias");
        Assert.That(arrived.Read(), Is.All.Zero, "counters");
        Launch("bias_gradient_finalize", Cases.Launch(size.Rows), again.Pointer, partials.Pointer, shape.Blocks, size.Channels);
        AssertWithin(again.Read(), Sums(dy, before, size), "grad_bias of partial sums");
    }

    /// <summary>The sums come out the same, bit for bit, whatever the number of blocks.</summary>
    [Test]
    public void ColumnSum(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        float[] x = Uniform(size.Count, type, -1, 1, 1), before = Uniform(size.Channels, ComputeType.Float32, -1, 1, 2);
        float[]? first = null;
        foreach (LaunchShape shape in new LaunchShape[] { new(3, 96), new(1, 96), new(7, 96) })
        {
            Tensor sums = Floats(before);
            Launch("column_sum_" + type.Suffix(), shape, sums.Pointer, Upload(type, x).Pointer, (long)size.Rows, size.Channels);
            float[] actual = sums.Read();
            AssertWithin(actual, Sums(x, before, size), "sums");
            first ??= actual;
            AssertSame(actual, first, "sums with another grid");
        }
    }

    [Test]
    public void Accumulate(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count)
    {
        float[] grad = Uniform(count, ComputeType.Float32, -1, 1, 1), step = Uniform(count, type, -1, 1, 2);
        foreach ((float bad, bool inSum) in new[] { (0f, false), (float.NaN, false), (float.PositiveInfinity, false),
            (float.NegativeInfinity, true), (float.NaN, true) })
        {
            foreach (int at in count == 33 ? [0, 15, 32] : new[] { count - 1 })
            {
                float[] a = [.. grad], b = [.. step];
                if (bad != 0)
                {
                    (inSum ? a : b)[at] = bad;
                }

                Tensor sum = Floats(a);
                DeviceArray<RunState> state = State(Cases.State);
                Launch(
                    "accumulate_gradients_" + type.Suffix(), Cases.Launch(count + at), sum.Pointer, Upload(type, b).Pointer, state.Pointer,
                    (long)count);
                Assert.That(sum.Read(), Is.EqualTo((float[])[.. a.Zip(b, (p, q) => p + q)]));
                Assert.That(state.Read()[0], Is.EqualTo(Cases.State with { Overflow = bad == 0 ? 0 : 1 }));

                DeviceArray<RunState> again = State(Cases.State);
                Launch("find_overflow", Cases.Launch(count + at + 1), sum.Pointer, again.Pointer, (long)count);
                Assert.That(again.Read()[0].Overflow, Is.EqualTo(bad == 0 ? 0 : 1));
            }
        }
    }

    /// <summary>An overflow found before stays found; the largest float is no overflow.</summary>
    [Test]
    public void OverflowStays()
    {
        DeviceArray<RunState> state = State(Cases.State with { Overflow = 1 });
        Tensor sum = Floats([float.MaxValue, -float.MaxValue, float.Epsilon]);
        Launch("accumulate_gradients_f32", Cases.Launch(0), sum.Pointer, Floats(new float[3]).Pointer, state.Pointer, 3L);
        Launch("find_overflow", Cases.Launch(0), sum.Pointer, state.Pointer, 3L);
        Assert.That(state.Read()[0].Overflow, Is.EqualTo(1));
        DeviceArray<RunState> fresh = State(Cases.State);
        Launch("find_overflow", Cases.Launch(0), sum.Pointer, fresh.Pointer, 3L);
        Assert.That(fresh.Read()[0].Overflow, Is.Zero);
    }

    private static Approx[] Sums(float[] x, float[] before, Matrix size) =>
        [.. before.Select(
            (b, c) => b + Approx.Sum(Enumerable.Range(0, size.Rows).Select(r => (Approx)x[(r * size.Channels) + c])).Roundings(1))];
}
