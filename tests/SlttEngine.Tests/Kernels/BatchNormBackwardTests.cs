using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>batch_norm_backward_reduce, _apply and _apply_sum.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class BatchNormBackwardTests(DeviceKind kind) : KernelTest(kind)
{
    /// <summary>More partial sums than the last block's threads read at once.</summary>
    private static readonly LaunchShape ManyParts = new(264, 32);

    [Test]
    public void Reduce(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        (int rows, int channels, int count) = (size.Rows, size.Channels, size.Count);
        float[] dy = Uniform(count, ComputeType.Float32, -1, 1, 1), x = Uniform(count, type, -1, 3, 2),
            mean = Uniform(channels, ComputeType.Float32, 0, 2, 3), invstd = Uniform(channels, ComputeType.Float32, 0.5f, 2, 4);
        foreach (LaunchShape shape in rows == 67 ? [.. Cases.Launches, Cases.Largest, ManyParts] : Cases.Launches)
        {
            for (int tiles = 1; tiles < 4; tiles++)
            {
                LaunchShape tiled = shape with { Tiles = tiles };
                GradientSums sums = GradientSums(tiled, channels);
                Launch(
                    "batch_norm_backward_reduce_" + type.Suffix(), tiled,
                    [.. sums.Arguments, Floats(dy).Pointer, Upload(type, x).Pointer, Floats(mean).Pointer, Floats(invstd).Pointer,
                        (long)rows, channels]);
                sums.Assert(AssertWithin, size, (i, c) => [dy[i], dy[i] * ((x[i] - (Approx)mean[c]) * invstd[c])]);
            }
        }
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
