using ManagedCuda.CudaDNN;
using SlttEngine.Device;

namespace SlttEngine.Tests.Dnn;

/// <summary>Pooling forward and backward against plain loops in double.</summary>
[TestFixture(DeviceKind.Cpu)]
[TestFixture(DeviceKind.CpuFaithful)]
public sealed class PoolingTests(DeviceKind kind) : DnnFixture(kind)
{
    private const double SumRoundings = 8;

    private static readonly (float Alpha, float Beta)[] Scalings = [(1, 0), (0.75f, -0.5f)];

    /// <summary>Windows with and without overlap, padding and a remainder; channels that no block size divides.</summary>
    public static IEnumerable<Shape> Shapes() =>
    [
        new(2, 3, 8, 8, 2, 2, 0), new(1, 5, 9, 7, 3, 2, 1), new(3, 33, 7, 7, 3, 1, 1), new(1, 70, 5, 6, 2, 1, 0),
        new(2, 1, 4, 4, 4, 4, 0), new(1, 4, 11, 10, 3, 3, 0), new(1, 2, 6, 5, 2, 3, 1), new(2, 65, 4, 4, 4, 1, 3),
    ];

    /// <summary>y = pool(x) and its scalings.</summary>
    [Test]
    public void Forward([ValueSource(nameof(Shapes))] Shape shape, [Values] cudnnPoolingMode mode,
        [ValueSource(nameof(Types))] ComputeType type)
    {
        float[] x = Numbers.Random(shape.InputCount, type, 1), before = Numbers.Random(shape.OutputCount, type, 2);
        foreach ((float alpha, float beta) in Scalings)
        {
            double[] expected = new double[shape.OutputCount], magnitude = new double[shape.OutputCount];
            ForEachWindow(shape, mode, x, (output, input, share) =>
            {
                expected[output] += share * x[input];
                magnitude[output] += Math.Abs(share * x[input]);
            });
            Blend(expected, magnitude, alpha, beta, before);
            using GuardedBuffer input = new(x, type);
            using GuardedBuffer output = beta == 0 ? new(shape.OutputCount, type) : new(before, type);
            using PoolingDescriptor pooling = Pooling(shape, mode);
            using TensorDescriptor xDesc = Tensor(type, shape.N, shape.C, shape.H, shape.W),
                yDesc = Tensor(type, shape.N, shape.C, shape.P, shape.Q);
            Device.Dnn.PoolingForward(pooling, alpha, xDesc, input.Pointer, beta, yDesc, output.Pointer);
            Device.Synchronize();
            output.CheckGuards("y");
            AssertClose(output.Read(), expected, magnitude, type, SumRoundings, "y");
        }
    }

    /// <summary>dx and its scalings. The maximum's gradient goes to the first largest element.</summary>
    [Test]
    public void Backward([ValueSource(nameof(Shapes))] Shape shape, [Values] cudnnPoolingMode mode,
        [ValueSource(nameof(Types))] ComputeType type)
    {
        float[] x = Numbers.Random(shape.InputCount, type, 1), dy = Numbers.Random(shape.OutputCount, type, 2),
            before = Numbers.Random(shape.InputCount, type, 3);
        foreach ((float alpha, float beta) in Scalings)
        {
            double[] y = new double[shape.OutputCount], expected = new double[shape.InputCount], magnitude = new double[shape.InputCount];
            ForEachWindow(shape, mode, x, (output, input, share) =>
            {
                y[output] += share * x[input];
                expected[input] += share * dy[output];
                magnitude[input] += Math.Abs(share * dy[output]);
            });
            Blend(expected, magnitude, alpha, beta, before);
            using GuardedBuffer input = new(x, type), output = new([.. y.Select(v => (float)v)], type), gradient = new(dy, type);
            using GuardedBuffer result = beta == 0 ? new(shape.InputCount, type) : new(before, type);
            using PoolingDescriptor pooling = Pooling(shape, mode);
            using TensorDescriptor xDesc = Tensor(type, shape.N, shape.C, shape.H, shape.W),
                yDesc = Tensor(type, shape.N, shape.C, shape.P, shape.Q);
            Device.Dnn.PoolingBackward(pooling, alpha, yDesc, output.Pointer, yDesc, gradient.Pointer, xDesc, input.Pointer, beta, xDesc,
                result.Pointer);
            Device.Synchronize();
            result.CheckGuards("dx");
            AssertClose(result.Read(), expected, magnitude, type, SumRoundings, "dx");
        }
    }

    /// <summary>Among equal elements the first takes the gradient: spikes are all zeros and ones.</summary>
    [Test]
    public void TiesGoToTheFirst()
    {
        Shape shape = new(1, 1, 2, 2, 2, 2, 0);
        using GuardedBuffer x = new([0, 1, 1, 1], ComputeType.Float32), y = new([1], ComputeType.Float32),
            dy = new([5], ComputeType.Float32), dx = new(4, ComputeType.Float32);
        using PoolingDescriptor pooling = Pooling(shape, cudnnPoolingMode.MaxDeterministic);
        using TensorDescriptor xDesc = Tensor(ComputeType.Float32, 1, 1, 2, 2), yDesc = Tensor(ComputeType.Float32, 1, 1, 1, 1);
        Device.Dnn.PoolingBackward(pooling, 1, yDesc, y.Pointer, yDesc, dy.Pointer, xDesc, x.Pointer, 0, xDesc, dx.Pointer);
        Device.Synchronize();
        Assert.That(dx.Read(), Is.EqualTo(new float[] { 0, 5, 0, 0 }));
    }

    /// <summary>A NaN in the window is the maximum, or is passed over.</summary>
    [Test]
    public void NaNs([Values] cudnnNanPropagation nan)
    {
        using GuardedBuffer x = new([1, float.NaN, 3, 2], ComputeType.Float32), y = new(1, ComputeType.Float32);
        using PoolingDescriptor pooling = new();
        pooling.SetPooling2dDescriptor(cudnnPoolingMode.Max, nan, 2, 2, 0, 0, 2, 2);
        using TensorDescriptor xDesc = Tensor(ComputeType.Float32, 1, 1, 2, 2), yDesc = Tensor(ComputeType.Float32, 1, 1, 1, 1);
        Device.Dnn.PoolingForward(pooling, 1, xDesc, x.Pointer, 0, yDesc, y.Pointer);
        Device.Synchronize();
        Assert.That(y.Read()[0], nan == cudnnNanPropagation.PropagateNan ? Is.NaN : Is.EqualTo(3));
    }

    private static PoolingDescriptor Pooling(Shape shape, cudnnPoolingMode mode)
    {
        PoolingDescriptor pooling = new();
        pooling.SetPooling2dDescriptor(mode, cudnnNanPropagation.PropagateNan, shape.Window, shape.Window, shape.Pad, shape.Pad,
            shape.Stride, shape.Stride);
        return pooling;
    }

    /// <summary>Calls back with (output, input, the input's share in the output) for each input element that counts.</summary>
    private static void ForEachWindow(Shape s, cudnnPoolingMode mode, float[] x, Action<int, int, double> each)
    {
        for (int output = 0; output < s.OutputCount; output++)
        {
            (int c, int q, int p, int n) = (output % s.C, output / s.C % s.Q, output / s.C / s.Q % s.P, output / s.C / s.Q / s.P);
            List<int> seen = [];
            for (int h = (p * s.Stride) - s.Pad; h < (p * s.Stride) - s.Pad + s.Window; h++)
            {
                for (int w = (q * s.Stride) - s.Pad; w < (q * s.Stride) - s.Pad + s.Window; w++)
                {
                    if (h >= 0 && h < s.H && w >= 0 && w < s.W)
                    {
                        seen.Add((((((n * s.H) + h) * s.W) + w) * s.C) + c);
                    }
                }
            }

            if (mode is cudnnPoolingMode.Max or cudnnPoolingMode.MaxDeterministic)
            {
                each(output, seen.MaxBy(i => x[i]), 1);
                continue;
            }

            double divisor = mode == cudnnPoolingMode.AverageCountIncludePadding ? s.Window * s.Window : seen.Count;
            seen.ForEach(i => each(output, i, 1 / divisor));
        }
    }

    /// <summary>x (n, h, w, c) and a square window.</summary>
    public sealed record Shape(int N, int C, int H, int W, int Window, int Stride, int Pad)
    {
        /// <summary>Rows of y.</summary>
        public int P => 1 + ((H + (2 * Pad) - Window) / Stride);

        /// <summary>Columns of y.</summary>
        public int Q => 1 + ((W + (2 * Pad) - Window) / Stride);

        /// <summary>Numbers in x.</summary>
        public int InputCount => N * H * W * C;

        /// <summary>Numbers in y.</summary>
        public int OutputCount => N * P * Q * C;

        /// <inheritdoc/>
        public override string ToString() => $"{N}x{C}x{H}x{W}, window {Window} stride {Stride} pad {Pad}";
    }
}
