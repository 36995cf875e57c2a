using ManagedCuda.CudaDNN;
using SlttEngine.Device;

namespace SlttEngine.Tests.Dnn;

/// <summary>Batch normalisation forward (training, inference) and backward against plain loops in double.</summary>
[TestFixture(DeviceKind.Cpu)]
[TestFixture(DeviceKind.CpuFaithful)]
public sealed class BatchNormTests(DeviceKind kind) : DnnFixture(kind)
{
    private const double Epsilon = 1e-5;
    private const double Momentum = 0.1;

    // Statistics are sums in double; what is left are the few float operations an element, and float's statistics.
    private const double Roundings = 16;

    private static readonly (float Alpha, float Beta)[] Scalings = [(1, 0), (0.75f, -0.5f)];

    /// <summary>(n, c, h, w), also with fewer rows than the shares that sums are split into, and more channels than a block.</summary>
    public static IEnumerable<Shape> Shapes() => [new(2, 1, 3, 5), new(3, 5, 7, 7), new(1, 33, 2, 3), new(4, 64, 8, 8), new(2, 300, 3, 3)];

    /// <summary>y, the running statistics and what is saved for backward.</summary>
    [Test]
    public void ForwardTraining([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type)
    {
        foreach ((float alpha, float beta) in Scalings)
        {
            Reference r = new(shape, type);
            double[] expected = new double[shape.Count], magnitude = new double[shape.Count];
            for (int i = 0; i < shape.Count; i++)
            {
                int c = i % shape.C;
                expected[i] = ((r.X[i] - r.Mean[c]) * r.InvStd[c] * r.Scale[c]) + r.Bias[c];
                magnitude[i] = ((Math.Abs(r.X[i]) + Math.Abs(r.Mean[c])) * r.InvStd[c] * Math.Abs(r.Scale[c])) + Math.Abs(r.Bias[c]);
            }

            Blend(expected, magnitude, alpha, beta, r.Before);
            using GuardedBuffer x = new(r.X, type), scale = Floats(r.Scale), bias = Floats(r.Bias), runningMean = Floats(r.RunningMean),
                runningVar = Floats(r.RunningVar);
            using GuardedBuffer y = beta == 0 ? new(shape.Count, type) : new(r.Before, type);
            using GuardedBuffer savedMean = new(shape.C, ComputeType.Float32), savedInvStd = new(shape.C, ComputeType.Float32);
            using TensorDescriptor desc = Tensor(type, shape.N, shape.C, shape.H, shape.W), parameters = Derive(desc);
            Device.Dnn.BatchNormalizationForwardTraining(
                cudnnBatchNormMode.BatchNormSpatial, alpha, beta, desc, x.Pointer, desc, y.Pointer, parameters, scale.Pointer,
                bias.Pointer, Momentum, runningMean.Pointer, runningVar.Pointer, Epsilon, savedMean.Pointer, savedInvStd.Pointer);
            Device.Synchronize();
            y.CheckGuards("y");
            AssertClose(y.Read(), expected, magnitude, type, Roundings, "y");
            AssertVector(savedMean, r.Mean, "saved mean");
            AssertVector(savedInvStd, r.InvStd, "saved inverse deviation");
            double unbiased = shape.Rows / (shape.Rows - 1.0);
            AssertVector(runningMean, [.. r.RunningMean.Select((m, c) => ((1 - Momentum) * m) + (Momentum * r.Mean[c]))], "running mean");
            AssertVector(runningVar, [.. r.RunningVar.Select((v, c) => ((1 - Momentum) * v) + (Momentum * r.Var[c] * unbiased))],
                "running variance");
        }
    }

    /// <summary>y from given statistics.</summary>
    [Test]
    public void ForwardInference([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type)
    {
        Reference r = new(shape, type);
        double[] expected = new double[shape.Count], magnitude = new double[shape.Count];
        for (int i = 0; i < shape.Count; i++)
        {
            int c = i % shape.C;
            double factor = r.Scale[c] / Math.Sqrt(r.RunningVar[c] + Epsilon);
            expected[i] = ((r.X[i] - r.RunningMean[c]) * factor) + r.Bias[c];
            magnitude[i] = ((Math.Abs(r.X[i]) + Math.Abs(r.RunningMean[c])) * Math.Abs(factor)) + Math.Abs(r.Bias[c]);
        }

        using GuardedBuffer x = new(r.X, type), y = new(shape.Count, type);
        using GuardedBuffer scale = Floats(r.Scale), bias = Floats(r.Bias), mean = Floats(r.RunningMean), variance = Floats(r.RunningVar);
        using TensorDescriptor desc = Tensor(type, shape.N, shape.C, shape.H, shape.W), parameters = Derive(desc);
        Device.Dnn.BatchNormalizationForwardInference(
            cudnnBatchNormMode.BatchNormSpatial, 1, 0, desc, x.Pointer, desc, y.Pointer, parameters, scale.Pointer, bias.Pointer,
                mean.Pointer, variance.Pointer, Epsilon);
        Device.Synchronize();
        y.CheckGuards("y");
        AssertClose(y.Read(), expected, magnitude, type, Roundings, "y");
    }

    /// <summary>dx, dscale and dbias, with forward's statistics and without, and with dx in dy's place.</summary>
    [Test]
    public void Backward([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type, [Values] bool saved,
        [Values] bool inPlace)
    {
        Reference r = new(shape, type);
        double[] dscale = new double[shape.C], dbias = new double[shape.C], dscaleMagnitude = new double[shape.C],
            dbiasMagnitude = new double[shape.C];
        for (int i = 0; i < shape.Count; i++)
        {
            int c = i % shape.C;
            double term = r.Dy[i] * (r.X[i] - r.Mean[c]) * r.InvStd[c];
            dscale[c] += term;
            dbias[c] += r.Dy[i];
            dscaleMagnitude[c] += Math.Abs(r.Dy[i]) * (Math.Abs(r.X[i]) + Math.Abs(r.Mean[c])) * r.InvStd[c];
            dbiasMagnitude[c] += Math.Abs(r.Dy[i]);
        }

        double[] expected = new double[shape.Count], magnitude = new double[shape.Count];
        for (int i = 0; i < shape.Count; i++)
        {
            int c = i % shape.C;
            double xHat = (r.X[i] - r.Mean[c]) * r.InvStd[c], factor = r.Scale[c] * r.InvStd[c];
            expected[i] = factor * (r.Dy[i] - (dbias[c] / shape.Rows) - (xHat * dscale[c] / shape.Rows));
            double xHatMagnitude = (Math.Abs(r.X[i]) + Math.Abs(r.Mean[c])) * r.InvStd[c];
            magnitude[i] = Math.Abs(factor) * (Math.Abs(r.Dy[i]) + (dbiasMagnitude[c] / shape.Rows)
                + (xHatMagnitude * dscaleMagnitude[c] / shape.Rows));
        }

        (float alpha, float beta) = inPlace ? (1f, 0f) : (0.75f, -0.5f);
        Blend(expected, magnitude, alpha, beta, r.Before);
        Blend(dscale, dscaleMagnitude, 1, 1, r.Scale);
        Blend(dbias, dbiasMagnitude, 1, 1, r.Bias);
        using GuardedBuffer x = new(r.X, type), dy = new(r.Dy, type), before = new(r.Before, type), scale = Floats(r.Scale);
        using GuardedBuffer dscaleOut = Floats(r.Scale), dbiasOut = Floats(r.Bias), mean = Floats(r.Mean), invStd = Floats(r.InvStd);
        using TensorDescriptor desc = Tensor(type, shape.N, shape.C, shape.H, shape.W), parameters = Derive(desc);
        GuardedBuffer dx = inPlace ? dy : before;
        Device.Dnn.BatchNormalizationBackward(
            cudnnBatchNormMode.BatchNormSpatial, alpha, beta, 1, 1, desc, x.Pointer, desc, dy.Pointer, desc, dx.Pointer, parameters,
                scale.Pointer, dscaleOut.Pointer, dbiasOut.Pointer, Epsilon, saved ? mean.Pointer : default,
                saved ? invStd.Pointer : default);
        Device.Synchronize();
        dx.CheckGuards("dx");
        AssertClose(dx.Read(), expected, magnitude, type, Roundings, "dx");
        AssertClose(dscaleOut.Read(), dscale, dscaleMagnitude, ComputeType.Float32, Roundings, "dscale");
        AssertClose(dbiasOut.Read(), dbias, dbiasMagnitude, ComputeType.Float32, Roundings, "dbias");
    }

    private static GuardedBuffer Floats(IEnumerable<float> values) => new([.. values], ComputeType.Float32);

    private static GuardedBuffer Floats(IEnumerable<double> values) => new([.. values.Select(v => (float)v)], ComputeType.Float32);

    private static void AssertVector(GuardedBuffer actual, double[] expected, string what)
    {
        actual.CheckGuards(what);
        AssertClose(actual.Read(), expected, [.. expected.Select(Math.Abs)], ComputeType.Float32, Roundings, what);
    }

    private TensorDescriptor Derive(TensorDescriptor x)
    {
        TensorDescriptor derived = new();
        Device.Dnn.DeriveBNTensorDescriptor(derived, x, cudnnBatchNormMode.BatchNormSpatial);
        return derived;
    }

    /// <summary>x (n, h, w, c).</summary>
    public sealed record Shape(int N, int C, int H, int W)
    {
        /// <summary>Pixels of the batch.</summary>
        public int Rows => N * H * W;

        /// <summary>Numbers in x.</summary>
        public int Count => Rows * C;

        /// <inheritdoc/>
        public override string ToString() => $"{N}x{C}x{H}x{W}";
    }

    /// <summary>Inputs and the batch's statistics.</summary>
    private sealed class Reference
    {
        public Reference(Shape shape, ComputeType type)
        {
            X = Numbers.Random(shape.Count, type, 1);
            Dy = Numbers.Random(shape.Count, type, 2);
            Before = Numbers.Random(shape.Count, type, 3);
            Scale = Numbers.Random(shape.C, ComputeType.Float32, 4);
            Bias = Numbers.Random(shape.C, ComputeType.Float32, 5);
            RunningMean = Numbers.Random(shape.C, ComputeType.Float32, 6);
            RunningVar = [.. Numbers.Random(shape.C, ComputeType.Float32, 7).Select(v => v + 1.5f)];
            Mean = new double[shape.C];
            Var = new double[shape.C];
            for (int i = 0; i < shape.Count; i++)
            {
                Mean[i % shape.C] += (double)X[i] / shape.Rows;
            }

            for (int i = 0; i < shape.Count; i++)
            {
                Var[i % shape.C] += Math.Pow(X[i] - Mean[i % shape.C], 2) / shape.Rows;
            }

            InvStd = [.. Var.Select(v => 1 / Math.Sqrt(v + Epsilon))];
        }

        public float[] X { get; }

        public float[] Dy { get; }

        public float[] Before { get; }

        public float[] Scale { get; }

        public float[] Bias { get; }

        public float[] RunningMean { get; }

        public float[] RunningVar { get; }

        public double[] Mean { get; }

        public double[] Var { get; }

        public double[] InvStd { get; }
    }
}
