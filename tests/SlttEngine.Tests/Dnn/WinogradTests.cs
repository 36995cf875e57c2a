using SlttEngine.Device;
using SlttEngine.Tests.CpuDevice;
using Pass = SlttEngine.Tests.Dnn.ConvolutionTests.Pass;
using Shape = SlttEngine.Tests.Dnn.ConvolutionTests.Shape;

namespace SlttEngine.Tests.Dnn;

/// <summary>The CPU device's convolution by Winograd's algorithm, the data gradient and with fast math forward, by each of its
/// instruction sets, against plain loops in double.</summary>
public sealed class WinogradTests() : DnnFixture(DeviceKind.Cpu)
{
    /// <summary>Root mean square of the error beside that of the result: measured up to 45 roundings; oneDNN's direct one has about
    /// 4.</summary>
    private const double TypicalRoundings = 128;

    private static readonly (float Alpha, float Beta)[] Scalings = [(1, 0), (1, 1), (0.7f, -0.5f)];

    private static readonly Shape[] FilterFirst = [new(5, 64, 17, 13, 48, 3, 1, 1), new(1, 32, 4, 4, 32, 3, 1, 1)];

    // A filter that is too large to be kept transformed, with more k than one share.
    private static readonly Shape TilesFirst = new(2, 240, 4, 5, 160, 3, 1, 1);

    /// <summary>Images that tiles do not divide, each padding, channels that do not fill a panel, both orders of work.</summary>
    public static IEnumerable<Shape> Shapes()
    {
        yield return new(2, 48, 9, 7, 32, 3, 1, 1);
        yield return new(1, 16, 5, 4, 80, 3, 1, 1);
        yield return new(3, 32, 8, 8, 16, 3, 1, 0);
        yield return new(2, 16, 6, 11, 16, 3, 1, 2);
        yield return new(1, 16, 1, 1, 16, 3, 1, 1);
        yield return new(9, 32, 12, 8, 16, 3, 1, 1);
        yield return TilesFirst;
    }

    /// <summary>As usual again where a test ends.</summary>
    [TearDown]
    public void ChooseAsUsual() => Choose("auto");

    /// <summary>The gradient and its scalings are within the bound that rounding has, and typically far within.</summary>
    [Test]
    public void BackwardData([ValueSource(nameof(Shapes))] Shape shape, [Values("v3", "v4")] string level) =>
        Check(shape, level, Pass.BackwardData);

    /// <summary>The same for the forward pass.</summary>
    [Test]
    public void Forward([ValueSource(nameof(Shapes))] Shape shape, [Values("v3", "v4")] string level) => Check(shape, level, Pass.Forward);

    private void Check(Shape shape, string level, Pass pass)
    {
        if (CpuDriver.sltt_cpu_choose_convolution("winograd", level, 0) != 0)
        {
            Assert.Ignore($"this machine has no {level}");
        }

        using ConvolutionRun run = new(Device, shape, ComputeType.Float32, pass, fastMath: true);
        (double[] sum, _) = ConvolutionReference.Compute(shape, pass, run.X, run.Filter, run.Y);
        Shape asGradient = pass == Pass.Forward ? WinogradMagnitude.AsGradient(shape) : shape;
        double[] sumMagnitude = pass == Pass.Forward
            ? WinogradMagnitude.Compute(asGradient, WinogradMagnitude.AsGradient(shape, run.Filter), run.X)
            : WinogradMagnitude.Compute(shape, run.Filter, run.Y);
        foreach ((float alpha, float beta) in Scalings)
        {
            double[] expected = [.. sum], magnitude = [.. sumMagnitude];
            Blend(expected, magnitude, alpha, beta, run.Before);
            float[] result = Numbers.Decode(run.Execute(alpha, beta), ComputeType.Float32);
            string what = $"alpha {alpha} beta {beta}";
            AssertClose(result, expected, magnitude, ComputeType.Float32, WinogradMagnitude.Roundings(asGradient), what);
            AssertTypical(result, expected, what);
        }
    }

    /// <summary>Forward is done so only with fast math, of which the gradients take no notice.</summary>
    [Test]
    public void ForwardOnlyWithFastMath()
    {
        Shape shape = new(2, 64, 16, 16, 64, 3, 1, 1);
        byte[] direct = Execute(shape, "dense", pass: Pass.Forward);
        Assert.That(Execute(shape, "winograd", pass: Pass.Forward), Is.EqualTo(direct));
        Assert.That(Execute(shape, "winograd", pass: Pass.Forward, fastMath: true), Is.Not.EqualTo(direct));
        Assert.That(Execute(shape, "estimate", fastMath: true), Is.EqualTo(Execute(shape, "estimate")));
    }

    /// <summary>Patches of more tiles than are worked on at a time, beside the direct convolution.</summary>
    [Test]
    public void ManyTilesOfLargeFilters()
    {
        Shape shape = new(12, 240, 16, 16, 160, 3, 1, 1);
        float[] direct = Numbers.Decode(Execute(shape, "dense"), ComputeType.Float32);
        AssertTypical(Numbers.Decode(Execute(shape, "winograd"), ComputeType.Float32), [.. direct.Select(x => (double)x)], "12 images");
    }

    /// <summary>The same bits whatever the number of threads.</summary>
    [Test]
    public void BitsDoNotDependOnThreads()
    {
        foreach (Shape shape in (Shape[])[.. FilterFirst, TilesFirst])
        {
            foreach (Pass pass in new[] { Pass.Forward, Pass.BackwardData })
            {
                byte[] first = Execute(shape, "winograd", 1, pass, fastMath: true);
                foreach (int threads in new[] { 2, 3, 7 })
                {
                    Assert.That(Execute(shape, "winograd", threads, pass, fastMath: true), Is.EqualTo(first),
                        $"{shape}, {pass}, {threads} threads");
                }
            }
        }
    }

    /// <summary>Left to itself the device goes this way where that is faster; never in another type or shape than it has.</summary>
    [Test]
    public void ChoosesByShape()
    {
        Shape wide = new(2, 64, 16, 16, 64, 3, 1, 1), narrow = new(1, 16, 4, 4, 16, 3, 1, 1);
        Assert.That(Execute(wide, "winograd"), Is.Not.EqualTo(Execute(wide, "dense")), "the two ways can't be told apart");
        Assert.That(Execute(wide, "auto"), Is.EqualTo(Execute(wide, "winograd")));
        Assert.That(Execute(narrow, "winograd"), Is.Not.EqualTo(Execute(narrow, "dense")), "the two ways can't be told apart");
        Assert.That(Execute(narrow, "auto"), Is.EqualTo(Execute(narrow, "dense")));
        foreach (Shape other in new Shape[] { wide with { Stride = 2 }, wide with { C = 63 }, wide with { K = 62 },
            wide with { Size = 5, Pad = 2 }, wide with { Dilation = 2 } })
        {
            Assert.That(Execute(other, "winograd"), Is.EqualTo(Execute(other, "dense")), $"{other}");
        }
    }

    private static void Choose(string way, int threads = 0) =>
        Assert.That(CpuDriver.sltt_cpu_choose_convolution(way, null, threads), Is.Zero);

    private static void AssertTypical(float[] result, double[] expected, string what)
    {
        double error = 0, all = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            error += Math.Pow(result[i] - expected[i], 2);
            all += Math.Pow(expected[i], 2);
        }

        Assert.That(Math.Sqrt(error / all), Is.LessThan(TypicalRoundings * Numbers.FloatRounding), what);
    }

    private byte[] Execute(Shape shape, string way, int threads = 0, Pass pass = Pass.BackwardData, bool fastMath = false)
    {
        Choose(way, threads);
        using ConvolutionRun run = new(Device, shape, ComputeType.Float32, pass, fastMath: fastMath);
        return run.Execute(1, 0);
    }
}
