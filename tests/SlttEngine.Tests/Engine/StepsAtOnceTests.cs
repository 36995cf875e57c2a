using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Several time steps that go through the network side by side: the results of one at a time, memory that grows with C
/// alone.</summary>
public sealed class StepsAtOnceTests
{
    private const int Steps = 5;

    private static IEnumerable<TestCaseData> Runs()
    {
        foreach (string model in new[] { "spiking_resnet18", "spiking_nfresnet34", "spiking_vgg11_bn" })
        {
            foreach (string method in MethodTable.Names)
            {
                foreach (int atOnce in new[] { 2, 3, 5 })
                {
                    yield return new TestCaseData(model, method, atOnce);
                }
            }
        }
    }

    [TestCaseSource(nameof(Runs))]
    public void Trains_as_one_step_at_a_time(string model, string method, int atOnce)
    {
        TrainOptions options = Options(model, method);
        (double loss, float[] gradient) = Train(options);
        (double lossAtOnce, float[] gradientAtOnce) = Train(options with { StepsAtOnce = atOnce });
        Assert.Multiple(() =>
        {
            Assert.That(lossAtOnce, Is.EqualTo(loss).Within(1e-5 * loss));
            Assert.That(Distance(gradientAtOnce, gradient), Is.LessThan(1e-4));
        });
    }

    /// <summary>What backward makes again has the bits that forward had: the gradient is the same, whatever else.</summary>
    [Test]
    public void Recomputing_gives_the_same_bits_in_less_memory(
        [ValueSource(typeof(MethodTable), nameof(MethodTable.Names))] string method,
        [Values] ComputeType type,
        [Values(1, 5)] int atOnce,
        [Values("spiking_resnet18", "spiking_vgg11_bn")] string model)
    {
        TrainOptions options = Options(model, method) with
        {
            StepsAtOnce = atOnce,
            Amp = type != ComputeType.Float32,
            AmpType = type == ComputeType.BFloat16 ? type : ComputeType.Float16,
        };
        (double loss, float[] gradient) = Train(options);
        (double lossAgain, float[] gradientAgain) = Train(options with { Recompute = true });
        long kept = TestRuns.Memory(options).Saved, keptAgain = TestRuns.Memory(options with { Recompute = true }).Saved;
        Assert.Multiple(() =>
        {
            Assert.That(lossAgain, Is.EqualTo(loss));
            Assert.That(gradientAgain, Is.EqualTo(gradient));
            Assert.That(keptAgain, Is.LessThan(0.5 * kept));
        });
    }

    private static TrainOptions Options(string model, string method) => new()
    {
        Model = model,
        Dataset = model.Contains("vgg", StringComparison.Ordinal) ? "DVSCIFAR10" : model.Contains("nf", StringComparison.Ordinal)
            ? "imagenet" : "cifar10",
        WidthDivisor = 8,
        BatchSize = 2,
        T = Steps,
        K = 3,
        Method = method,
        LearningRate = 0.05,
        DropRate = 0.2,
        Device = DeviceChoice.Cpu,
    };

    private static (double Loss, float[] Gradient) Train(TrainOptions options)
    {
        using BatchRun run = TestRuns.OnRandomBatch(options);

        // Of 3 steps drawn and 2 not, at most 3 are neighbours of one kind.
        int longest = options.Method == MethodTable.SlttK ? 3 : Steps;
        Assert.That(run.StepsAtOnce, Is.EqualTo(Math.Min(options.StepsAtOnce, longest)));
        double loss = run.Iterate().Loss;
        ParameterStore store = run.Engine.Store;
        return (loss, [.. store.Network.Parameters.SelectMany(store.GetGradient)]);
    }

    private static double Distance(float[] a, float[] b) =>
        Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum() / b.Sum(y => (double)y * y));
}
