using System.Text.Json;
using ManagedCuda.CudaDNN;
using SlttEngine.Device;
using SlttEngine.Tests.CpuDevice;
using ConvolutionPass = SlttEngine.Tests.Dnn.ConvolutionTests.Pass;
using Shape = SlttEngine.Tests.Dnn.ConvolutionTests.Shape;

namespace SlttEngine.Tests.Dnn;

/// <summary>Which way a convolution goes is measured once, remembered, and what a run's folder says counts more.</summary>
public sealed class ConvolutionChoicesTests() : DnnFixture(DeviceKind.Cpu)
{
    // 42 MFLOP: worth a measurement. No other test has this shape.
    private static readonly Shape Worth = new(2, 32, 34, 34, 32, 3, 1, 1);

    private string folder = string.Empty;

    /// <summary>A folder to remember in.</summary>
    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-choices-").FullName;

    /// <summary>All as it was.</summary>
    [TearDown]
    public void RemoveFolder()
    {
        CpuDriver.sltt_cpu_choose_convolution("auto", null, 0);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A second process finds what the first one measured, and writes the same into its run's folder.</summary>
    [Test]
    public void MeasuredOnceAndRemembered()
    {
        ConvolutionChoices first = new(folder);
        Resolve(first, Worth);
        first.WriteTo(folder);
        Dictionary<string, ConvolutionChoice> written = Read();
        Assert.That(written.Keys, Is.EquivalentTo(new[] { "Forward", "BackwardData", "BackwardFilter" }));
        Assert.That(written.Values.Select(c => c.DensestEvent), Has.All.InRange(0, 1));
        Assert.That(written["BackwardFilter"].Winograd, Is.False, "there is no such way");
        Assert.That(written["Forward"].Winograd, Is.False, "nor this one without fast math");

        ConvolutionChoices second = new(folder);
        Resolve(second, Worth, measure: false);
        second.WriteTo(folder);
        Assert.That(Read(), Is.EqualTo(written));
    }

    /// <summary>What a run's folder says is in force, whatever is remembered.</summary>
    [Test]
    public void TheResumedRunsChoicesCountMore([Values(0.0, 0.25, 1.0)] double densest)
    {
        Resolve(new ConvolutionChoices(folder), Worth);
        Write(new()
        {
            ["Forward"] = new(false, densest),
            ["BackwardData"] = new(densest > 0.5, 0),
            ["BackwardFilter"] = new(false, densest),
        });
        ConvolutionChoices resumed = new(folder);
        resumed.CopyFrom(Path.Combine(folder, "checkpoint_latest.safetensors"));
        Resolve(resumed, Worth);
        foreach (double rate in new[] { 0.1, 0.5, 1.0 })
        {
            foreach (ConvolutionPass pass in new[] { ConvolutionPass.Forward, ConvolutionPass.BackwardFilter })
            {
                Assert.That(Counted(pass, rate), Is.EqualTo(rate <= densest ? "event" : "dense"), $"{pass}, {rate} fire");
            }
        }

        Assert.That(Gradient("auto"), Is.EqualTo(Gradient(densest > 0.5 ? "winograd" : "dense")));
    }

    /// <summary>What the run had no choice for stays without one, also where the machine has measured it since.</summary>
    [Test]
    public void AResumedRunTakesNothingThatWasMeasuredSince()
    {
        new ConvolutionChoices(folder).WriteTo(folder);
        Resolve(new ConvolutionChoices(folder), Worth);
        ConvolutionChoices resumed = new(folder);
        resumed.CopyFrom(Path.Combine(folder, "checkpoint_latest.safetensors"));
        Resolve(resumed, Worth);
        resumed.WriteTo(folder);
        Assert.That(Read(), Is.Empty);
    }

    /// <summary>Small convolutions, forced ways and folders that can't be written: nothing is measured, nothing put in force.</summary>
    [Test]
    public void WhatCannotBeRememberedIsNotMeasured()
    {
        File.WriteAllText(Path.Combine(folder, "file"), "");
        ConvolutionChoices nowhere = new(Path.Combine(folder, "file", "inside")), small = new(folder), forced = new(folder);
        Resolve(nowhere, Worth);
        Resolve(small, Worth with { H = 4, W = 4 });
        CpuDriver.sltt_cpu_choose_convolution("estimate", null, 0);
        Resolve(forced, Worth);
        foreach (ConvolutionChoices choices in new[] { nowhere, small, forced })
        {
            choices.WriteTo(folder);
            Assert.That(Read(), Is.Empty);
        }
    }

    /// <summary>A damaged file is named, with what to do.</summary>
    [Test]
    public void ADamagedFileIsRefused()
    {
        string path = Path.Combine(folder, ConvolutionChoices.FileName);
        File.WriteAllText(path, "{ \"forward");
        SlttException error = Assert.Throws<SlttException>(() =>
            new ConvolutionChoices(folder).CopyFrom(Path.Combine(folder, "x.safetensors")))!;
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Data));
        Assert.That(error.Message, Does.StartWith(path));
        Assert.That(error.Hint, Does.Contain("delete it"));
    }

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
