using System.Text.Json;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;
using SlttEngine.Tests.CpuDevice;
using ConvolutionPass = SlttEngine.Tests.Dnn.ConvolutionTests.Pass;
using Shape = SlttEngine.Tests.Dnn.ConvolutionTests.Shape;

namespace SlttEngine.Tests.Dnn;

/// <summary>Which way a convolution goes is estimated, or measured where asked; what a run's folder says counts more.</summary>
public sealed class ConvolutionChoicesTests() : DnnFixture(DeviceKind.Cpu)
{
    // 42 MFLOP: worth a measurement. No other test has this shape.
    private static readonly Shape Worth = new(2, 32, 34, 34, 32, 3, 1, 1);

    private string folder = string.Empty;

    /// <summary>A run's folder.</summary>
    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-choices-").FullName;

    /// <summary>All as it was.</summary>
    [TearDown]
    public void RemoveFolder()
    {
        CpuDriver.sltt_cpu_choose_convolution("auto", null, 0);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Where it is asked for, a run measures and writes what it measured into its folder.</summary>
    [Test]
    public void MeasuredWhereAsked()
    {
        CpuDriver.sltt_cpu_choose_convolution("measure", null, 0);
        ConvolutionChoices choices = new();
        Resolve(choices, Worth);
        choices.WriteTo(folder);
        Dictionary<string, ConvolutionChoice> written = Read();
        Assert.That(written.Keys, Is.EquivalentTo(new[] { "Forward", "BackwardData", "BackwardFilter" }));
        Assert.That(written.Values.Select(c => c.DensestEvent), Has.All.InRange(0, 1));
        Assert.That(written["BackwardFilter"].Winograd, Is.False, "there is no such way");
        Assert.That(written["Forward"].Winograd, Is.False, "nor this one without fast math");

        Resolve(choices, Worth with { N = 3 });
        choices.WriteTo(folder);
        Assert.That(Read(), Is.EqualTo(written), "another batch size of the same run");
    }

    /// <summary>Unasked nothing is measured, and what another run measured or was given is no longer in force.</summary>
    [Test]
    public void ARunDependsOnNoOtherRun()
    {
        byte[] estimated = Gradient("auto");
        AssertSame(estimated, Gradient("winograd"));
        Assert.That(estimated.AsSpan().SequenceEqual(Gradient("dense")), Is.False, "the two ways can't be told apart");
        Write(new() { ["BackwardData"] = new(false, 0) });
        ConvolutionChoices other = new(), next = new();
        other.CopyFrom(Path.Combine(folder, "checkpoint_latest.safetensors"));
        Resolve(other, Worth);
        AssertSame(Gradient("auto"), Gradient("dense"));
        Resolve(next, Worth);
        AssertSame(Gradient("auto"), estimated);
        next.WriteTo(folder);
        Assert.That(Read(), Is.Empty);
    }

    /// <summary>What a run's folder says is in force, whatever is measured.</summary>
    [Test]
    public void TheResumedRunsChoicesCountMore([Values(0.0, 0.25, 1.0)] double densest)
    {
        Write(new()
        {
            ["Forward"] = new(false, densest),
            ["BackwardData"] = new(densest > 0.5, 0),
            ["BackwardFilter"] = new(false, densest),
        });
        CpuDriver.sltt_cpu_choose_convolution("measure", null, 0);
        ConvolutionChoices resumed = new();
        resumed.CopyFrom(Path.Combine(folder, "checkpoint_latest.safetensors"));
        Resolve(resumed, Worth);
        foreach (double rate in new[] { 0.1, 0.5, 1.0 })
        {
            foreach (ConvolutionPass pass in new[] { ConvolutionPass.Forward, ConvolutionPass.BackwardFilter })
            {
                Assert.That(Counted(pass, rate), Is.EqualTo(rate <= densest ? "event" : "dense"), $"{pass}, {rate} fire");
            }
        }

        AssertSame(Gradient("auto"), Gradient(densest > 0.5 ? "winograd" : "dense"));
    }

    /// <summary>What the run had no choice for stays without one.</summary>
    [Test]
    public void AResumedRunMeasuresNothing()
    {
        new ConvolutionChoices().WriteTo(folder);
        CpuDriver.sltt_cpu_choose_convolution("measure", null, 0);
        ConvolutionChoices resumed = new();
        resumed.CopyFrom(Path.Combine(folder, "checkpoint_latest.safetensors"));
        Resolve(resumed, Worth);
        resumed.WriteTo(folder);
        Assert.That(Read(), Is.Empty);
    }

    /// <summary>Small convolutions are not measured, nor is a run's largest batch looked for by measuring.</summary>
    [Test]
    public void NotAllIsMeasured()
    {
        CpuDriver.sltt_cpu_choose_convolution("measure", null, 0);
        ConvolutionChoices choices = new();
        Resolve(choices, Worth with { H = 4, W = 4 });
        Resolve(choices, Worth, measure: false);
        choices.WriteTo(folder);
        Assert.That(Read(), Is.Empty);
    }

    /// <summary>A damaged file is named, with what to do.</summary>
    [Test]
    public void ADamagedFileIsRefused()
    {
        string path = Path.Combine(folder, ConvolutionChoices.FileName);
        File.WriteAllText(path, "{ \"forward");
        SlttException error = Assert.Throws<SlttException>(() =>
            new ConvolutionChoices().CopyFrom(Path.Combine(folder, "x.safetensors")))!;
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Data));
        Assert.That(error.Message, Does.StartWith(path));
        Assert.That(error.Hint, Does.Contain("delete it"));
    }

    private static void AssertSame(byte[] actual, byte[] expected) => Assert.That(actual.AsSpan().SequenceEqual(expected));

    private static void Resolve(ConvolutionChoices choices, Shape shape, bool measure = true)
    {
        using TensorDescriptor x = Tensor(ComputeType.Float32, shape.N, shape.C, shape.H, shape.W),
            y = Tensor(ComputeType.Float32, shape.N, shape.K, shape.P, shape.Q);
        using FilterDescriptor w = Filter(ComputeType.Float32, shape.K, shape.C, shape.Size, shape.Size);
        using ConvolutionDescriptor convolution = new();
        convolution.SetConvolution2dDescriptor(shape.Pad, shape.Pad, shape.Stride, shape.Stride, 1, 1,
            cudnnConvolutionMode.CrossCorrelation, cudnnDataType.Float);
        convolution.MathType = cudnnMathType.FMA;
        foreach (ConvolutionChoices.Pass pass in Enum.GetValues<ConvolutionChoices.Pass>())
        {
            choices.Resolve(pass.ToString(), pass, x, w, convolution, y, measure);
        }
    }

    private string Counted(ConvolutionPass pass, double rate)
    {
        Random random = new(3);
        float[] x = [.. Enumerable.Range(0, Worth.N * Worth.C * Worth.H * Worth.W).Select(_ => random.NextDouble() < rate ? 1f : 0f)];
        using ConvolutionRun run = new(Device, Worth, ComputeType.Float32, pass, x);
        CpuConvolutions.Drain();
        run.Execute(1, 0);
        JsonElement counted = JsonDocument.Parse(CpuConvolutions.Drain()!).RootElement.EnumerateArray().Single();
        return counted.GetProperty("event").GetInt32() == 1 ? "event" : "dense";
    }

    private byte[] Gradient(string way)
    {
        CpuDriver.sltt_cpu_choose_convolution(way, null, 0);
        using ConvolutionRun run = new(Device, Worth, ComputeType.Float32, ConvolutionPass.BackwardData);
        return run.Execute(1, 0);
    }

    private Dictionary<string, ConvolutionChoice> Read() =>
        JsonSerializer.Deserialize<Dictionary<string, ConvolutionChoice>>(
            File.ReadAllText(Path.Combine(folder, ConvolutionChoices.FileName)))!;

    private void Write(Dictionary<string, ConvolutionChoice> choices) =>
        File.WriteAllText(Path.Combine(folder, ConvolutionChoices.FileName), JsonSerializer.Serialize(choices));
}
