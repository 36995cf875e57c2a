using ManagedCuda.BasicTypes;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;

namespace SlttEngine.Tests.Dnn;

/// <summary>The convolution's four passes against plain loops in double.</summary>
[TestFixture(DeviceKind.Cpu)]
[TestFixture(DeviceKind.CpuFaithful)]
public sealed class ConvolutionTests(DeviceKind kind) : DnnFixture(kind)
{
    // A float sum of as many terms as these filters have, in any order, is well within this many roundings.
    private const double SumRoundings = 48;

    private static readonly (float Alpha, float Beta)[] Scalings = [(1, 0), (1, 1), (1, 0.25f), (0.75f, 0), (0.7f, -0.5f)];

    /// <summary>Shapes that no block size divides, and those of narrow and full-width models.</summary>
    public static IEnumerable<Shape> Shapes()
    {
        foreach (int stride in new[] { 1, 2 })
        {
            foreach (int kernel in new[] { 1, 3, 7 })
            {
                int pad = kernel / 2;
                yield return new(1, 3, 7, 9, 5, kernel, stride, pad);
                yield return new(3, 2, 8, 8, 20, kernel, stride, pad);
                yield return new(3, 1, 9, 7, 33, kernel, stride, pad);
                yield return new(1, 33, 7, 7, 3, kernel, stride, pad);
                yield return new(3, 16, 8, 8, 16, kernel, stride, pad);
                yield return new(2, 20, 5, 6, 33, kernel, stride, pad);
            }
        }

        yield return new(2, 4, 8, 8, 8, 1, 2, 0);
        yield return new(2, 4, 8, 8, 4, 3, 1, 1);
        yield return new(2, 64, 4, 4, 64, 3, 1, 1);
        yield return new(1, 5, 9, 9, 7, 3, 2, 0);
        yield return new(1, 3, 8, 11, 4, 3, 1, 2);

        // Where oneDNN's 1x1 kernels go wrong: beyond their scratchpad, and with sums of odd length in bfloat16.
        yield return new(3, 1, 10, 10, 16, 1, 2, 0);
        yield return new(1, 53, 9, 10, 6, 1, 1, 0);
        yield return new(2, 70, 6, 5, 21, 1, 1, 0);
    }

    /// <summary>y = conv(x, filter) and its scalings.</summary>
    [Test]
    public void Forward([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type) =>
        Check(shape, type, Pass.Forward);

    /// <summary>The gradient of x and its scalings.</summary>
    [Test]
    public void BackwardData([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type) =>
        Check(shape, type, Pass.BackwardData);

    /// <summary>The gradient of the filter and its scalings; beta = 1 is how gradients of time steps add up.</summary>
    [Test]
    public void BackwardFilter([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type) =>
        Check(shape, type, Pass.BackwardFilter);

    /// <summary>A batch in pieces of a few images, the last one smaller.</summary>
    [Test]
    public void LargeBatchesInPieces([ValueSource(nameof(Types))] ComputeType type)
    {
        // The larger side is 0.4 MB of float an image, so 16-bit pieces have 2 images.
        Shape narrowing = new(5, 16, 64, 96, 1, 1, 1, 0), widening = new(5, 1, 64, 96, 16, 1, 1, 0);
        Check(widening, type, Pass.Forward);
        Check(narrowing, type, Pass.BackwardData);
        Check(widening, type, Pass.BackwardFilter, 2 * SumRoundings); // 31,000 terms
    }

    /// <summary>A gradient of more pieces than are kept apart: groups of pieces are added up first.</summary>
    [Test]
    public void GradientsOfManyPieces() =>
        Check(new(35, 1, 80, 120, 16, 1, 1, 0), ComputeType.Float16, Pass.BackwardFilter, 16 * SumRoundings); // 336,000 terms

    /// <summary>The same bits each time.</summary>
    [Test]
    public void IsDeterministic([Values] Pass pass, [ValueSource(nameof(Types))] ComputeType type)
    {
        using ConvolutionRun run = new(Device, new Shape(3, 20, 9, 9, 33, 3, 1, 1), type, pass);
        byte[] first = run.Execute(1, 0);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(run.Execute(1, 0), Is.EqualTo(first));
        }
    }

    /// <summary>A captured call does nothing until the graph is launched, and then each time what the call does.</summary>
    [Test]
    public void ReplaysFromAGraph([Values] Pass pass, [ValueSource(nameof(Types))] ComputeType type)
    {
        using ConvolutionRun run = new(Device, new Shape(2, 5, 8, 8, 16, 3, 2, 1), type, pass);
        byte[] expected = run.Execute(1, 0);
        Assert.That(run.ExecuteFromGraph(), Is.EqualTo(expected));
    }

    /// <summary>What the heuristics and the search offer can be used, is deterministic and says its workspace.</summary>
    [Test]
    public void OffersAlgorithms([Values] Pass pass)
    {
        using ConvolutionRun run = new(Device, new Shape(2, 16, 8, 8, 16, 3, 1, 1), ComputeType.Float32, pass);
        foreach (bool search in new[] { false, true })
        {
            (cudnnStatus status, cudnnDeterminism determinism, SizeT memory, float time) = run.FirstAlgorithm(search);
            Assert.That(status, Is.EqualTo(cudnnStatus.Success));
            Assert.That(determinism, Is.EqualTo(cudnnDeterminism.Deterministic));
            Assert.That((long)memory, Is.EqualTo((long)run.WorkspaceBytes));
            Assert.That(time, search ? Is.GreaterThan(0) : Is.EqualTo(-1));
        }
    }

    /// <summary>A workspace that is a byte too small is refused, not overrun.</summary>
    [Test]
    public void RefusesASmallWorkspace([Values] Pass pass)
    {
        using ConvolutionRun run = new(Device, new Shape(2, 16, 8, 8, 16, 3, 1, 1), ComputeType.Float32, pass);
        CudaDNNException error = Assert.Throws<CudaDNNException>(() => run.Enqueue(1, 0, run.WorkspaceBytes - 1))!;
        Assert.That((int)error.DNNStatus / 1000, Is.EqualTo(2), error.Message);
    }

    private void Check(Shape shape, ComputeType type, Pass pass, double roundings = SumRoundings)
    {
        using ConvolutionRun run = new(Device, shape, type, pass);
        (double[] sum, double[] sumMagnitude) = ConvolutionReference.Compute(shape, pass, run.X, run.Filter, run.Y);
        foreach ((float alpha, float beta) in Scalings)
        {
            double[] expected = [.. sum], magnitude = [.. sumMagnitude];
            Blend(expected, magnitude, alpha, beta, run.Before);
            byte[] result = run.Execute(alpha, beta);
            AssertClose(Numbers.Decode(result, type), expected, magnitude, type, roundings, $"{pass} alpha {alpha} beta {beta}");
        }
    }

    /// <summary>A pass.</summary>
    public enum Pass
    {
        /// <summary>y from x and the filter.</summary>
        Forward,

        /// <summary>x from y and the filter.</summary>
        BackwardData,

        /// <summary>The filter from x and y.</summary>
        BackwardFilter,
    }

    /// <summary>x (n, h, w, c), filter (k, size, size, c).</summary>
    public sealed record Shape(int N, int C, int H, int W, int K, int Size, int Stride, int Pad, int Dilation = 1)
    {
        /// <summary>Rows of y.</summary>
        public int P => 1 + ((H + (2 * Pad) - ((Size - 1) * Dilation) - 1) / Stride);

        /// <summary>Columns of y.</summary>
        public int Q => 1 + ((W + (2 * Pad) - ((Size - 1) * Dilation) - 1) / Stride);

        /// <inheritdoc/>
        public override string ToString() =>
            $"{N}x{C}x{H}x{W} to {K}, {Size}x{Size} stride {Stride} pad {Pad}" + (Dilation == 1 ? "" : $" dilation {Dilation}");
    }
}
