using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>batch_norm_statistics and batch_norm_inference.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class BatchNormStatisticsTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Momentum = 0.1f, Epsilon = 1e-5f;

    /// <summary>What is added to x first.</summary>
    public enum Added
    {
        /// <summary>Nothing: x is only read.</summary>
        Nothing,

        /// <summary>Another tensor.</summary>
        Residual,

        /// <summary>The spikes of potentials.</summary>
        Spikes,
    }

    [Test]
    public void Statistics(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size) =>
        ForEach(Enum.GetValues<Added>(), added => Statistics(type, size, added));

    /// <summary>
    /// A GPU thread reads several rows at once, and at the end one of them again: what is written in place is written once.
    /// </summary>
    [Test]
    public void RowsReadAhead([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [Range(1, 9)] int rows) =>
        ForEach(Enum.GetValues<Added>(), added => Statistics(type, new Matrix(rows, 8), added, new LaunchShape(1, 1)));

    /// <summary>Many rows far from zero: the shifted sums do not cancel, and float chunks do not lose what double would keep.</summary>
    [Test]
    public void ManyRows([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type) =>
        ForEach([new LaunchShape(1, 32), new LaunchShape(4, 128)], shape => Statistics(
            type, new Matrix(IsSlow ? 2500 : 40000, 3), Added.Nothing, shape, far: 100));

    /// <summary>Several steps, each with statistics of its own; the running statistics go through them in order.</summary>
    [Test]
    public void Steps([Values(1, 31, 33, 130)] int channels, [Values(1, 3, 40)] int parts) => ForEach(
        [(1, 1, false), (1, 1, true), (6, 1, false), (6, 1, true), (1, 3, true), (0, 3, false)],
        variant =>
        {
            (int repeats, int steps, bool biased) = variant;
            LaunchShape shape = new(parts, parts > 3 ? 32 : 96, 1 + (steps / 2), 1 + (channels / 33));
            Statistics(ComputeType.Float32, new Matrix(50, channels), Added.Nothing, shape, repeats, steps, biased);
        });

    /// <summary>As many partial sums as a large GPU leaves: more than the last block's threads read at once.</summary>
    [Test]
    public void ManyParts([Values(1, 7, 33)] int channels, [Values(255, 264, 528)] int parts) =>
        Statistics(ComputeType.Float32, new Matrix(700, channels), Added.Nothing, new LaunchShape(parts, 32), steps: 2);

    /// <summary>In the engine's own shape for a GPU of 132 multiprocessors.</summary>
    [Test]
    public void OwnShape([Values(16, 64, 200)] int channels) => Statistics(
        ComputeType.Float16, new Matrix(600, channels), Added.Nothing, LaunchShape.TiledRowSums(132, 600, channels, 2), steps: 2);

    /// <summary>That shape fills the GPU with blocks that all run at once, and leaves the last block of a tile few partial sums.</summary>
    [TestCase(131072, 64, 1, 66, 2)]
    [TestCase(131072, 64, 6, 11, 2)]
    [TestCase(8192, 256, 1, 16, 8)]
    [TestCase(2048, 512, 1, 8, 16)]
    [TestCase(2048, 512, 20, 1, 16)]
    [TestCase(100, 3, 1, 1, 1)]
    public void ShapeOnAGpu(int rows, int channels, int steps, int blocks, int tiles) => Assert.That(
        LaunchShape.TiledRowSums(132, rows, channels, steps), Is.EqualTo(new LaunchShape(blocks, 512, steps, tiles)));

    private void Statistics(ComputeType type, Matrix size, Added added) => Statistics(
        type, size, added, Cases.Launch(size.Rows + size.Channels + (int)added) with { Tiles = 1 + (size.Channels % 3) });

    // x around `far`, with a running mean near it.
    private void Statistics(
        ComputeType type, Matrix size, Added added, LaunchShape shape, int repeats = 1, int steps = 1, bool biased = true, float far = 0)
    {
        (int rows, int channels, int count) = (size.Rows, size.Channels, size.Count);
        float[] x = Uniform(steps * count, type, far - 1, far + 3 - (far / 50), 1), other = Uniform(steps * count, type, -1, 3, 2),
            runningMean = Uniform(channels, ComputeType.Float32, far, far + 2, 3),
            runningVar = Uniform(channels, ComputeType.Float32, 0.5f, 2, 4), weight = Uniform(channels, ComputeType.Float32, -2, 2, 5),
            convBias = Uniform(channels, ComputeType.Float32, -1, 1, 6), shortcutBias = Uniform(channels, ComputeType.Float32, -1, 1, 7);
        Tensor memory = Upload(type, x), second = Upload(type, other), newMean = Floats(runningMean), newVar = Floats(runningVar),
            mean = PoisonedFloats(steps * channels), invstd = PoisonedFloats(steps * channels), scale = PoisonedFloats(steps * channels);
        DeviceArray<double> partialMemory = Poisoned<double>(steps * shape.Blocks * 2 * channels);
        DeviceArray<long> batches = Upload([41L]);
        DeviceArray<uint> arrived = Upload(new uint[shape.Tiles]);
        Launch(
            Instances.Statistics(type, added == Added.Residual, added == Added.Spikes), shape, partialMemory.Pointer, arrived.Pointer,
            memory.Pointer, mean.Pointer, invstd.Pointer, scale.Pointer, newMean.Pointer, newVar.Pointer, batches.Pointer,
            added == Added.Residual ? second.Pointer : Null, added == Added.Spikes ? second.Pointer : Null, Floats(weight).Pointer,
            biased ? Floats(convBias).Pointer : Null, biased ? Floats(shortcutBias).Pointer : Null, Neuron.Threshold, Momentum, Epsilon,
            steps, (long)rows, channels, repeats);
        float[] stored = memory.Read();
        AssertWithin(
            stored,
            [.. x.Select((v, i) => added switch
            {
                Added.Nothing => (Approx)v,
                Added.Residual => (v + (Approx)other[i]).As(type),
                _ => (v + (Approx)(other[i] >= Neuron.Threshold ? 1 : 0)).As(type),
            })],
            "x");
        double[] partials = partialMemory.Read();
        int each = partials.Length / steps, parts = shape.Blocks;
        for (int step = 0; step < steps; step++)
        {
            ColumnSums.AssertPartials(partials[(step * each)..((step + 1) * each)], parts, size, (i, c) =>
            {
                Approx d = stored[(step * count) + i] - (Approx)runningMean[c];
                return [d, d * d];
            });
        }

        int all = steps * channels;
        Approx[] wantMean = new Approx[all], wantInvstd = new Approx[all], wantScale = new Approx[all],
            wantNewMean = new Approx[channels], wantNewVar = new Approx[channels];
        for (int c = 0; c < channels; c++)
        {
            double r = runningMean[c], v = runningVar[c];
            for (int step = 0; step < steps; step++)
            {
                double Sum(int k) => Enumerable.Range(0, parts).Sum(b => partials[(step * each) + (((b * 2) + k) * channels) + c]);
                double d = Sum(0) / rows, average = runningMean[c] + d, variance = Math.Max(0, (Sum(1) / rows) - (d * d)),
                    deviation = 1 / Math.Sqrt(variance + Epsilon);
                wantMean[(step * channels) + c] = Once(average);
                wantInvstd[(step * channels) + c] = Once(deviation);
                wantScale[(step * channels) + c] = Once(weight[c] * deviation);
                for (int i = 0; i < repeats; i++)
                {
                    r = (0.9 * r) + (0.1 * (average + (biased ? convBias[c] + (double)shortcutBias[c] : 0)));
                    v = (0.9 * v) + (0.1 * variance * rows / Math.Max(1, rows - 1));
                }
            }

            // The float running values are rounded at each repeat; their operands may be larger than they are.
            wantNewMean[c] = new Approx(r, 0) + new Approx(0, steps * repeats * (4 + far) * 6e-8);
            wantNewVar[c] = Once(v).Roundings(steps * repeats);
        }

        AssertWithin(mean.Read(), wantMean, "mean");
        AssertWithin(invstd.Read(), wantInvstd, "invstd");
        AssertWithin(scale.Read(), wantScale, "scale");
        AssertWithin(newMean.Read(), wantNewMean, "running_mean");
        AssertWithin(newVar.Read(), wantNewVar, "running_var");
        Assert.That(batches.Read(), Is.EqualTo(new[] { 41L + (steps * repeats) }));
        Assert.That(arrived.Read(), Is.All.Zero, "counters");
    }

    [Test]
    public void Inference([Values(1, 31, 33, 130)] int channels, [Values] bool biased)
    {
        float[] runningMean = Uniform(channels, ComputeType.Float32, -1, 1, 1),
            runningVar = Uniform(channels, ComputeType.Float32, 0.5f, 2, 2), weight = Uniform(channels, ComputeType.Float32, -2, 2, 3);
        float[] convBias = Uniform(channels, ComputeType.Float32, -1, 1, 4),
            shortcutBias = Uniform(channels, ComputeType.Float32, -1, 1, 5);
        Tensor mean = PoisonedFloats(channels), scale = PoisonedFloats(channels);
        Launch(
            "batch_norm_inference", Cases.Launch(channels), mean.Pointer, scale.Pointer, Floats(runningMean).Pointer,
            Floats(runningVar).Pointer, Floats(weight).Pointer,
            biased ? Floats(convBias).Pointer : Null, biased ? Floats(shortcutBias).Pointer : Null, Epsilon, channels);
        AssertWithin(
            mean.Read(), [.. runningMean.Select((m, c) => Once(m - (biased ? convBias[c] + (double)shortcutBias[c] : 0)))], "mean");
        AssertWithin(scale.Read(), [.. weight.Select((w, c) => Once(w / Math.Sqrt(runningVar[c] + (double)Epsilon)))], "scale");
    }

    /// <summary>Computed in double, rounded once.</summary>
    private static Approx Once(double value) => new Approx(value, 1e-15).Roundings(1);
}
