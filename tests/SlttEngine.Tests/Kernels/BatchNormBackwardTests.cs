using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>batch_norm_backward_reduce, _finalize, _apply and _apply_sum.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class BatchNormBackwardTests(DeviceKind kind) : KernelTest(kind)
{
    [Test]
    public void Reduce(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        (int rows, int channels, int count) = (size.Rows, size.Channels, size.Count);
        float[] dy = Uniform(count, ComputeType.Float32, -1, 1, 1), x = Uniform(count, type, -1, 3, 2),
            mean = Uniform(channels, ComputeType.Float32, 0, 2, 3), invstd = Uniform(channels, ComputeType.Float32, 0.5f, 2, 4);
        foreach (LaunchShape shape in rows == 67 ? [.. Cases.Launches, Cases.Largest] : Cases.Launches)
        {
            DeviceArray<double> partials = Poisoned<double>(shape.Blocks * 2 * channels);
            Launch(
                "batch_norm_backward_reduce_" + type.Suffix(), shape, partials.Pointer, Floats(dy).Pointer, Upload(type, x).Pointer,
                Floats(mean).Pointer, Floats(invstd).Pointer, (long)rows, channels);
            ColumnSums.AssertPartials(
                partials.Read(), shape.Blocks, size, (i, c) => [dy[i], dy[i] * ((x[i] - (Approx)mean[c]) * invstd[c])]);
        }
    }

    [Test]
    public void Finalize([Values(1, 31, 33, 130)] int channels, [Values(1, 3, 40)] int parts)
    {
        const int Rows = 77;
        Random random = new(channels);
        float[] gradWeight = Uniform(channels, ComputeType.Float32, -1, 1, 1), gradBias = Uniform(channels, ComputeType.Float32, -1, 1, 2);
        double[] partials = [.. Enumerable.Range(0, parts * 2 * channels).Select(_ => random.NextDouble() - 0.5)];
        Tensor weight = Floats(gradWeight), bias = Floats(gradBias), coefficients = PoisonedFloats(2 * channels);
        Launch(
            "batch_norm_backward_finalize", Cases.Launch(channels + parts), weight.Pointer, bias.Pointer, coefficients.Pointer,
            Upload(partials).Pointer, parts, 1, (long)Rows, channels);
        double[][] sums = [
            .. Enumerable.Range(0, 2).Select(
                k => (double[])[.. Enumerable.Range(0, channels).Select(
                    c => Enumerable.Range(0, parts).Sum(b => partials[(((b * 2) + k) * channels) + c]))])];
        AssertWithin(bias.Read(), [.. gradBias.Select((g, c) => g + new Approx(sums[0][c], 1e-14).Roundings(1))], "grad_bias");
        AssertWithin(weight.Read(), [.. gradWeight.Select((g, c) => g + new Approx(sums[1][c], 1e-14).Roundings(1))], "grad_weight");
        AssertWithin(
            coefficients.Read(), [.. sums.SelectMany(s => s).Select(s => new Approx(s / Rows, 1e-14).Roundings(1))], "coefficients");
    }

    [Test]
    public void Apply(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        (int rows, int channels, int count) = (size.Rows, size.Channels, size.Count);
        float[] dy = Uniform(count, type, -1, 1, 1), sum = Uniform(count, ComputeType.Float32, -1, 1, 7),
            x = Uniform(count, type, -1, 3, 2);
        float[] mean = Uniform(channels, ComputeType.Float32, 0, 2, 3), invstd = Uniform(channels, ComputeType.Float32, 0.5f, 2, 4),
            scale = Uniform(channels, ComputeType.Float32, -2, 2, 5);
        float[] coefficients = Uniform(2 * channels, ComputeType.Float32, -1, 1, 6);
        Tensor gradient = Upload(type, dy), input = Upload(type, x), output = Poisoned(type, count), ofSum = Poisoned(type, count),
            total = Floats(sum);
        foreach ((string kernel, Tensor to, Tensor from) in new[]
        {
            ("batch_norm_backward_apply_", output, gradient), ("batch_norm_backward_apply_sum_", ofSum, total),
            ("batch_norm_backward_apply_", gradient, gradient),
        })
        {
            object[] arguments = [
                to.Pointer, from.Pointer, input.Pointer, Floats(mean).Pointer, Floats(invstd).Pointer, Floats(scale).Pointer,
                Floats(coefficients).Pointer];
            object[] matrix = from == total ? [(long)rows, channels] : [1, (long)rows, channels];
            Launch(kernel + type.Suffix(), Cases.Launch(rows + channels), [.. arguments, .. matrix]);
            float[] given = from == total ? sum : dy;
            AssertWithin(
                to.Read(),
                [.. given.Select((d, i) =>
                {
                    int c = i % channels;
                    Approx normalised = (x[i] - (Approx)mean[c]) * invstd[c];
                    return (scale[c] * ((d - (Approx)coefficients[c]) - (normalised * coefficients[channels + c]))).As(type);
                })],
                kernel + (to == from ? "in place" : string.Empty));
        }
    }
}
