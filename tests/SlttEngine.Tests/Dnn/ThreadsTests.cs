using SlttEngine.Device;
using SlttEngine.Tests.CpuDevice;
using Pass = SlttEngine.Tests.Dnn.ConvolutionTests.Pass;
using Shape = SlttEngine.Tests.Dnn.ConvolutionTests.Shape;

namespace SlttEngine.Tests.Dnn;

/// <summary>The dense way's bits do not depend on the number of threads. The tests of the other ways ask the same of them.</summary>
public sealed class ThreadsTests() : DnnFixture(DeviceKind.Cpu)
{
    // Batches of several pieces, the last one smaller; narrow and strided ones; images so small that a piece has several.
    private static readonly Shape[] Shapes =
        [
            new(7, 32, 16, 16, 32, 3, 1, 1), new(17, 3, 16, 16, 64, 3, 1, 1), new(11, 64, 16, 16, 128, 1, 2, 0),
            new(9, 128, 4, 4, 128, 3, 1, 1),
        ];

    /// <summary>All as it was.</summary>
    [TearDown]
    public void ChooseAsBefore() => CpuDriver.sltt_cpu_choose_convolution("auto", null, 0);

    /// <summary>Also where results are blended, and in 16 bits, which go through float.</summary>
    [Test]
    public void DenseConvolution([Values] Pass pass, [ValueSource(nameof(Types))] ComputeType type)
    {
        foreach (Shape shape in Shapes)
        {
            byte[]? first = null, firstBlend = null;
            foreach (int threads in new[] { 1, 2, 3, 4, 5 })
            {
                Assert.That(CpuDriver.sltt_cpu_choose_convolution("dense", null, threads), Is.Zero);
                using ConvolutionRun run = new(Device, shape, type, pass);
                byte[] result = run.Execute(1, 0), blend = run.Execute(0.75f, 0.5f);
                first ??= result;
                firstBlend ??= blend;
                Assert.That(result.AsSpan().SequenceEqual(first), $"{shape}: {threads} threads");
                Assert.That(blend.AsSpan().SequenceEqual(firstBlend), $"{shape}, a blend: {threads} threads");
            }
        }
    }

    /// <summary>What a run's memory is planned with does not depend on it, nor then does the batch that evaluation takes.</summary>
    [Test]
    public void PlannedWorkspace([Values] Pass pass, [ValueSource(nameof(Types))] ComputeType type)
    {
        Shape shape = new(40, 16, 16, 16, 48, 3, 1, 1);
        long[] bytes = [.. new[] { 1, 2, 5, 16 }.Select(threads =>
        {
            Assert.That(CpuDriver.sltt_cpu_choose_convolution("auto", null, threads), Is.Zero);
            using ConvolutionRun run = new(Device, shape, type, pass);
            return (long)run.WorkspaceBytes;
        })];
        Assert.That(bytes, Is.All.EqualTo(bytes[0]));
    }
}
