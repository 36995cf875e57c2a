using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>
/// The kernels with an average pool folded in: batch_norm_lif_pool_forward, spikes_pool, batch_norm_lif_pool_backward and
/// lif_pool_backward_accumulate, against references in double and, bit for bit, against the kernels without a pool.
/// </summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class LifPoolTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Lambda = 0.3f;
    private const uint Layer = 5;

    /// <summary>Windows and channels; 512 / window channels are a tile of the CPU device, 8 a pack of the GPU.</summary>
    public static readonly Map[] Maps =
    [
        new(1, 2, 2, 1, 2), new(2, 4, 6, 5, 2), new(1, 2, 70, 8, 2), new(3, 4, 4, 12, 4), new(1, 4, 8, 33, 4), new(2, 3, 6, 16, 3),
        new(1, 2, 4, 130, 2), new(1, 2, 4, 264, 2), new(2, 4, 4, 67, 4), new(1, 2, 2, 519, 2), new(1, 4, 4, 1032, 4),
    ];

    [Test]
    public void Forward([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Maps))] Map map) =>
        ForEach([0f, 0.3f], rate => Forward(type, map, rate));

    private void Forward(ComputeType type, Map map, float rate)
    {
        bool first = map.Channels == 5, inPlace = map.Window == 2;
        float[] x = Uniform(map.Count, type, -2, 2, 1), past = Uniform(map.Count, type, -1, 2.5f, 2);
        (float[] mean, float[] scale, float[] bias) = Norm(map.Channels);
        float[] mask = Philox.Mask(map.Count, rate, Layer, Cases.State);
        Tensor pooled = Poisoned(type, map.PooledCount), u = inPlace && !first ? Upload(type, past) : Poisoned(type, map.Count);
        Launch(
            "batch_norm_lif_pool_forward_" + type.Suffix(), Cases.Launch(map.Channels), pooled.Pointer, u.Pointer,
            first ? Null : inPlace ? u.Pointer : Upload(type, past).Pointer, Upload(type, x).Pointer, Floats(mean).Pointer,
            Floats(scale).Pointer, Floats(bias).Pointer,
            Lambda, Neuron.Threshold, rate, Layer, State(Cases.State).Pointer, 0, 0, 0, 1, (long)map.Rows, map.Channels, map.W, map.Window);

        // The potentials as the reference has them, the pooled spikes as the potentials, as stored, have them.
        float[] stored = u.Read();
        AssertWithin(
            stored,
            [.. x.Select((value, i) => ((Lambda * (Approx)(first ? 0 : Neuron.Reset(past[i], Neuron.Threshold)))
                + (((value - (Approx)mean[i % map.Channels]) * scale[i % map.Channels]) + bias[i % map.Channels])).As(type))],
            "u");
        AssertWithin(pooled.Read(), map.Pool(i => stored[i] >= Neuron.Threshold ? mask[i] : 0, type), "pooled");

        // The very potentials of the kernel that doesn't pool; and the pooled spikes come back from them.
        Tensor apart = Poisoned(type, map.Count), again = Poisoned(type, map.PooledCount);
        Launch(
            "batch_norm_lif_forward_" + type.Suffix(), Cases.Launch(1), Null, apart.Pointer, first ? Null : Upload(type, past).Pointer,
            Upload(type, x).Pointer,
            Floats(mean).Pointer, Floats(scale).Pointer, Floats(bias).Pointer, Lambda, Neuron.Threshold, rate, Layer,
            State(Cases.State).Pointer, 0, 0, 0, 1, (long)map.Rows, map.Channels);
        Assert.That(u.ReadBytes(), Is.EqualTo(apart.ReadBytes()), "u without a pool");
        Launch(
            "spikes_pool_" + type.Suffix(), Cases.Launch(map.W), again.Pointer, u.Pointer, Neuron.Threshold, rate, Layer,
            State(Cases.State).Pointer,
            1, (long)map.Rows, map.Channels, map.W, map.Window);
        Assert.That(again.ReadBytes(), Is.EqualTo(pooled.ReadBytes()), "pooled spikes made again");
    }

    [Test]
    public void Backward([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Maps))] Map map) =>
        ForEach([false, true], throughTime => Backward(type, map, throughTime));

    private void Backward(ComputeType type, Map map, bool throughTime)
    {
        int surrogate = Neuron.Surrogates[(map.Channels + (throughTime ? 1 : 0)) % 3];
        float rate = map.Channels % 2 == 0 ? 0.3f : 0;
        float[] gradPooled = Uniform(map.PooledCount, type, -1, 1, 11), u = Uniform(map.Count, type, -1, 3, 12),
            y = Uniform(map.Count, type, -1, 2, 13);
        float[] carried = Uniform(map.Count, type, -1, 1, 14), before = Uniform(map.Count, ComputeType.Float32, -1, 1, 15);
        float[] mask = Philox.Mask(map.Count, rate, Layer, Cases.State);
        (float[] mean, float[] invstd, _) = Norm(map.Channels);
        Approx[] du = new Approx[map.Count];
        for (int i = 0; i < du.Length; i++)
        {
            Approx g = Neuron.Surrogate(surrogate, u[i] - (Approx)Neuron.Threshold);
            Approx ds = mask[i] == 0 ? 0 : mask[i] * (map.Share * gradPooled[map.WindowOf(i)]);
            du[i] = throughTime ? (g * ds) + (carried[i] * (1 - (Neuron.Threshold * g))) : g * ds;
        }

        LaunchShape shape = Cases.Launch(map.Channels + map.W), tiled = shape with { Tiles = 1 + (map.Channels % 2) };
        Tensor potential = Upload(type, u), grad = Poisoned(type, map.Count), total = Floats(before);
        Tensor pooled = Upload(type, gradPooled), x = Upload(type, y), means = Floats(mean), invstds = Floats(invstd);
        Tensor? carry = throughTime ? Upload(type, carried) : null, carryAgain = throughTime ? Upload(type, carried) : null;
        GradientSums sums = GradientSums(tiled, map.Channels);
        object[] neuron = [Lambda, Neuron.Threshold, surrogate, rate, Layer, State(Cases.State).Pointer, 1, (long)map.Rows, map.Channels];
        Launch(
            Instances.PoolBackward(type, surrogate, throughTime), tiled,
            [grad.Pointer, .. sums.Arguments, pooled.Pointer, potential.Pointer, carry?.Pointer
                ?? Null, x.Pointer, means.Pointer, invstds.Pointer, .. neuron, map.W, map.Window]);
        Launch(
            "lif_pool_backward_accumulate_" + type.Suffix(), shape,
            [total.Pointer, pooled.Pointer, potential.Pointer, carryAgain?.Pointer ?? Null, .. neuron, map.W, map.Window]);
        float[] stored = grad.Read();
        AssertWithin(stored, [.. du.Select(d => d.As(type))], "grad_y");
        AssertWithin(total.Read(), [.. du.Select((d, i) => before[i] + d)], "grad_x_sum");
        if (throughTime)
        {
            AssertWithin(carry!.Read(), [.. du.Select(d => (Lambda * d).As(type))], "carried");
            Assert.That(carryAgain!.ReadBytes(), Is.EqualTo(carry.ReadBytes()), "carried by the kernel that accumulates");
        }

        sums.Assert(
            AssertWithin, new(map.Rows, map.Channels), (i, c) => [stored[i], stored[i] * (((Approx)y[i] - mean[c]) * invstd[c])]);
        if (map.Window == 3 || type != ComputeType.Float32)
        {
            return; // a gradient spread in memory is then rounded once more
        }

        // The same as the kernel without a pool makes of the gradient spread over the windows, the sums' order included.
        Tensor spread = Floats([.. Enumerable.Range(0, map.Count).Select(i => gradPooled[map.WindowOf(i)] / (map.Window * map.Window))]),
            apart = PoisonedFloats(map.Count);
        GradientSums sumsApart = GradientSums(tiled, map.Channels);
        Tensor? carryApart = throughTime ? Upload(type, carried) : null;
        Launch(
            Instances.Backward(ComputeType.Float32, surrogate, false, throughTime), tiled,
            [apart.Pointer, .. sumsApart.Arguments, spread.Pointer, Null, potential.Pointer, carryApart?.Pointer
                ?? Null, x.Pointer, means.Pointer, invstds.Pointer, .. neuron]);
        Assert.That(grad.ReadBytes(), Is.EqualTo(apart.ReadBytes()), "grad_y without a pool");
        Assert.That(sums.Partials, Is.EqualTo(sumsApart.Partials), "sums without a pool");
    }

    private static (float[] Mean, float[] Scale, float[] Bias) Norm(int channels) => (
        Uniform(channels, ComputeType.Float32, -0.5f, 0.5f, 3),
        Uniform(channels, ComputeType.Float32, 0.5f, 2, 4),
        Uniform(channels, ComputeType.Float32, 0, 1, 5));

    /// <summary>A map (n, h, w, channels) and its windows, window pixels in a line.</summary>
    public sealed record Map(int N, int H, int W, int Channels, int Window)
    {
        /// <summary>Pixels.</summary>
        public int Rows => N * H * W;

        /// <summary>Elements.</summary>
        public int Count => Rows * Channels;

        /// <summary>Elements after pooling.</summary>
        public int PooledCount => Count / (Window * Window);

        internal Approx Share => 1 / (Approx)(Window * Window);

        /// <summary>The pooled element that an element is in.</summary>
        public int WindowOf(int element)
        {
            (int c, int column, int row, int n) = (element % Channels, element / Channels % W, element / Channels / W % H,
                element / Channels / W / H);
            return (((((n * (H / Window)) + (row / Window)) * (W / Window)) + (column / Window)) * Channels) + c;
        }

        /// <inheritdoc/>
        public override string ToString() => $"{N}x{H}x{W}x{Channels}, window {Window}";

        internal Approx[] Pool(Func<int, float> value, ComputeType type)
        {
            List<Approx>[] windows = [.. Enumerable.Range(0, PooledCount).Select(_ => new List<Approx>())];
            for (int i = 0; i < Count; i++)
            {
                windows[WindowOf(i)].Add(value(i));
            }

            return [.. windows.Select(terms => (Share * Approx.Sum(terms)).As(type))];
        }
    }
}
