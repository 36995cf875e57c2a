using SlttEngine.Cli.Options;
using SlttEngine.Cli.Verification;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Tests.Kernels;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>1 × 1 convolutions with a stride as products of gathered pixels: what a GPU does, forced on the CPU device.</summary>
public sealed class PixelProductTests
{
    private static IEnumerable<DeviceKind> Kinds => KernelTest.Kinds;

    private static IEnumerable<TestCaseData> Recordings => GoldenFiles.Of("model")
        .Where(path => Path.GetFileName(path).Contains("resnet", StringComparison.Ordinal))
        .Select(path => new TestCaseData(path).SetArgDisplayNames(Path.GetFileNameWithoutExtension(path)));

    [Test]
    public void Passes_gradients([ValueSource(nameof(Kinds))] DeviceKind kind, [Values(2, 3)] int stride)
    {
        using ComputeDevice device = Open(kind);
        GradientCheck check = GradientCheck.Of(device, 5, 7, 3, (network, x) => new Convolution(
            ConvolutionModule.Declare(network, "conv", 3, 5, kernel: 1, stride, padding: 0, bias: null), x));
        Assert.That(check.Passes, Is.True, check.ToString());
    }

    [TestCaseSource(nameof(Recordings))]
    public void Replays_as_recorded(string path)
    {
        using ComputeDevice device = Open(Kinds.First());
        Assert.That(Verifier.Replay(device, path).Groups.Where(g => !g.Passed), Is.Empty);
    }

    /// <summary>Both ways sum up in float and round to the type at the end; the order of the sums is another.</summary>
    [TestCase(ComputeType.Float32, 1, 1e-4)]
    [TestCase(ComputeType.Float32, 2, 1e-4)]
    [TestCase(ComputeType.Float16, 1, 2e-2)]
    [TestCase(ComputeType.Float16, 3, 2e-2)]
    [TestCase(ComputeType.BFloat16, 2, 1e-1)]
    public void Trains_as_the_convolution_does(ComputeType type, int stepsAtOnce, double tolerance)
    {
        TrainOptions options = new()
        {
            Model = "spiking_resnet18",
            Dataset = "cifar10",
            WidthDivisor = 8,
            BatchSize = 2,
            T = 3,
            StepsAtOnce = stepsAtOnce,
            Amp = type != ComputeType.Float32,
            AmpType = type,
        };
        using ComputeDevice device = ComputeDevice.Open(Kinds.First());
        float[] convolution = Gradient(products: false), product = Gradient(products: true);
        double norm = Math.Sqrt(convolution.Sum(g => (double)g * g));
        double difference = Math.Sqrt(convolution.Zip(product, (a, b) => Math.Pow((double)a - b, 2)).Sum());
        Assert.That(difference, Is.LessThan(tolerance * norm));

        float[] Gradient(bool products)
        {
            device.PrefersPixelProducts = products;
            using BatchRun run = new(device, RunFactory.Training(options), RunFactory.RandomBatch(options));
            run.Iterate();
            NetworkProgram program = run.Engine.Program(training: true, options.BatchSize);
            long pixels = (long)stepsAtOnce * options.BatchSize * 16 * 16 * 8 * type.Size(); // of the first shortcut
            Op forward = program.Ops(Section.Forward).Single(op => op.Name == "layer2.0.shortcut forward");
            Assert.That(forward.Writes.Any(buffer => buffer.Bytes == pixels && buffer.Kind == BufferKind.Workspace), Is.EqualTo(products));
            return [.. run.Engine.Network.Parameters.SelectMany(run.Engine.Store.GetGradient)];
        }
    }

    private static ComputeDevice Open(DeviceKind kind)
    {
        ComputeDevice device = ComputeDevice.Open(kind);
        device.PrefersPixelProducts = true;
        return device;
    }
}
