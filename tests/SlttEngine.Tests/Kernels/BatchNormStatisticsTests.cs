using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>batch_norm_statistics, batch_norm_finalize and batch_norm_inference.</summary>
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

    private void Statistics(ComputeType type, Matrix size, Added added) =>
        Statistics(type, size, added, Cases.Launch(size.Rows + size.Channels + (int)added));

    private void Statistics(ComputeType type, Matrix size, Added added, LaunchShape shape)
    {
        (int rows, int channels, int count) = (size.Rows, size.Channels, size.Count);
        float[] x = Uniform(count, type, -1, 3, 1), other = Uniform(count, type, -1, 3, 2),
            shift = Uniform(channels, ComputeType.Float32, 0, 2, 3);
        Tensor memory = Upload(type, x), second = Upload(type, other);
        DeviceArray<double> partials = Poisoned<double>(shape.Blocks * 2 * channels);
        Launch(
            "batch_norm_statistics_" + type.Suffix(), shape, partials.Pointer, memory.Pointer,
            added == Added.Residual ? second.Pointer : Null,
            added == Added.Spikes ? second.Pointer : Null, Floats(shift).Pointer, Neuron.Threshold, 1, (long)rows, channels);
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
        ColumnSums.AssertPartials(partials.Read(), shape.Blocks, size, (i, c) =>
        {
            Approx d = stored[i] - (Approx)shift[c];
            return [d, d * d];
        });
    }

    /// <summary>Many rows far from zero: the shifted sums do not cancel, and float chunks do not lose what double would keep.</summary>
    [Test]
    public void ManyRows([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type)
    {
        Matrix size = new(IsSlow ? 2500 : 40000, 3);
        float[] x = Uniform(size.Count, type, 99, 101, 1);
        float[] shift = [100, 100, 100];
        foreach (LaunchShape shape in new LaunchShape[] { new(1, 32), new(4, 128) })
        {
            DeviceArray<double> partials = Poisoned<double>(shape.Blocks * 2 * size.Channels);
            Launch(
                "batch_norm_statistics_" + type.Suffix(), shape, partials.Pointer, Upload(type, x).Pointer, Null, Null,
                Floats(shift).Pointer, 1f, 1, (long)size.Rows, size.Channels);
            ColumnSums.AssertPartials(partials.Read(), shape.Blocks, size, (i, c) => [x[i] - 100, (double)(x[i] - 100) * (x[i] - 100)]);
        }
    }

    [Test]
    public void Finalize([Values(1, 31, 33, 130)] int channels, [Values(1, 3, 40)] int parts) => ForEach(
        [(1, 1, false), (1, 1, true), (6, 1, false), (6, 1, true), (1, 3, true), (0, 3, false)],
        variant => Finalize(channels, parts, variant.Item1, variant.Item2, variant.Item3, Cases.Launch(channels + parts)));

    /// <summary>In the engine's own shape, with as many partial sums as a large GPU leaves: more than its threads read at once.</summary>
    [Test]
    public void FinalizeOfManyParts([Values(1, 7, 33)] int channels, [Values(255, 264, 528)] int parts) =>
        Finalize(channels, parts, 1, 2, false, LaunchShape.SecondStage(channels));

    private void Finalize(int channels, int parts, int repeats, int steps, bool biased, LaunchShape shape)
    {
        const int Rows = 1000;
        Random random = new(channels + parts);
        float[] runningMean = Uniform(channels, ComputeType.Float32, -1, 1, 1),
            runningVar = Uniform(channels, ComputeType.Float32, 0.5f, 2, 2), weight = Uniform(channels, ComputeType.Float32, -2, 2, 3);
        float[] convBias = Uniform(channels, ComputeType.Float32, -1, 1, 4),
            shortcutBias = Uniform(channels, ComputeType.Float32, -1, 1, 5);
        double[] partials = [
            .. Enumerable.Range(0, steps * parts * 2 * channels).Select(
                i => (i / channels % 2 == 0 ? random.NextDouble() - 0.5 : 1 + random.NextDouble()) * Rows / parts)];
        Tensor mean = PoisonedFloats(steps * channels), invstd = PoisonedFloats(steps * channels), scale = PoisonedFloats(steps * channels),
            newMean = Floats(runningMean), newVar = Floats(runningVar);
        DeviceArray<long> batches = Upload([41L]);
        Launch(
            "batch_norm_finalize", shape, mean.Pointer, invstd.Pointer, scale.Pointer, newMean.Pointer, newVar.Pointer, batches.Pointer,
            Upload(partials).Pointer,
            Floats(weight).Pointer, biased ? Floats(convBias).Pointer : Null, biased ? Floats(shortcutBias).Pointer : Null, Momentum,
            Epsilon, parts, steps, (long)Rows, channels, repeats);

        int all = steps * channels;
        Approx[] wantMean = new Approx[all], wantInvstd = new Approx[all], wantScale = new Approx[all],
            wantNewMean = new Approx[channels], wantNewVar = new Approx[channels];
        for (int c = 0; c < channels; c++)
        {
            double r = runningMean[c], v = runningVar[c];
            for (int step = 0; step < steps; step++)
            {
                int first = step * parts * 2;
                double sum = Enumerable.Range(0, parts).Sum(b => partials[((first + (b * 2)) * channels) + c]),
                    squares = Enumerable.Range(0, parts).Sum(b => partials[((first + (b * 2) + 1) * channels) + c]);
                double average = runningMean[c] + (sum / Rows), variance = (squares / Rows) - (sum / Rows * sum / Rows),
                    deviation = 1 / Math.Sqrt(variance + Epsilon);
                wantMean[(step * channels) + c] = Once(average);
                wantInvstd[(step * channels) + c] = Once(deviation);
                wantScale[(step * channels) + c] = Once(weight[c] * deviation);
                for (int i = 0; i < repeats; i++)
                {
                    r = (0.9 * r) + (0.1 * (average + (biased ? convBias[c] + (double)shortcutBias[c] : 0)));
                    v = (0.9 * v) + (0.1 * variance * Rows / (Rows - 1));
                }
            }

            // The float running values are rounded at each repeat; their operands may be larger than they are.
            wantNewMean[c] = new Approx(r, 0) + new Approx(0, steps * repeats * 4 * 6e-8);
            wantNewVar[c] = Once(v).Roundings(steps * repeats);
        }

        AssertWithin(mean.Read(), wantMean, "mean");
        AssertWithin(invstd.Read(), wantInvstd, "invstd");
        AssertWithin(scale.Read(), wantScale, "scale");
        AssertWithin(newMean.Read(), wantNewMean, "running_mean");
        AssertWithin(newVar.Read(), wantNewVar, "running_var");
        Assert.That(batches.Read(), Is.EqualTo(new[] { 41L + (steps * repeats) }));
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
