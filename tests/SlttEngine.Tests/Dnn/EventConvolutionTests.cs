using System.Text.Json;
using SlttEngine.Device;
using SlttEngine.Tests.CpuDevice;
using Pass = SlttEngine.Tests.Dnn.ConvolutionTests.Pass;
using Shape = SlttEngine.Tests.Dnn.ConvolutionTests.Shape;

namespace SlttEngine.Tests.Dnn;

/// <summary>The CPU device's event-driven convolution, by each of its instruction sets, against plain loops in double.</summary>
public sealed class EventConvolutionTests() : DnnFixture(DeviceKind.Cpu)
{
    // As for the dense one: a float sum of as many terms as these filters have, in any order.
    private const double SumRoundings = 48;

    private static readonly (float Alpha, float Beta)[] Scalings = [(1, 0), (1, 1), (0.7f, -0.5f)];

    /// <summary>What may stand in x.</summary>
    public enum Values
    {
        /// <summary>1.</summary>
        Spikes,

        /// <summary>1, 2 and 3: frames of events.</summary>
        Counts,

        /// <summary>Anything.</summary>
        Any,
    }

    /// <summary>
    /// Shapes that no block divides; each stride, taps and dilation; several strips of an image, several images in a strip.
    /// </summary>
    public static IEnumerable<Shape> Shapes()
    {
        yield return new(3, 20, 9, 7, 33, 3, 1, 1);
        yield return new(2, 35, 8, 8, 80, 3, 1, 1);
        yield return new(13, 16, 4, 4, 16, 3, 1, 1);
        yield return new(2, 5, 10, 9, 7, 3, 2, 1);
        yield return new(2, 48, 8, 8, 96, 3, 2, 1);
        yield return new(2, 40, 6, 7, 24, 1, 1, 0);
        yield return new(2, 40, 6, 7, 24, 1, 2, 0);
        yield return new(1, 3, 17, 15, 12, 7, 2, 3);
        yield return new(1, 4, 9, 9, 5, 5, 1, 2);
        yield return new(1, 5, 9, 8, 5, 3, 3, 0);
        yield return new(1, 5, 11, 10, 6, 3, 1, 2, 2);
        yield return new(1, 5, 11, 10, 6, 3, 2, 1, 3);
        yield return new(1, 2, 6, 300, 3, 3, 1, 1);
        yield return new(1, 20, 2, 1100, 3, 3, 1, 1);
        yield return new(2, 6, 40, 24, 9, 3, 1, 1);
    }

    /// <summary>Dense input again where a test ends.</summary>
    [TearDown]
    public void ChooseAsUsual() => Choose("auto");

    /// <summary>The forward pass and its scalings.</summary>
    [Test]
    public void Forward([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type) =>
        Check(shape, type, Pass.Forward);

    /// <summary>The gradient of the filter and its scalings.</summary>
    [Test]
    public void BackwardFilter([ValueSource(nameof(Shapes))] Shape shape, [ValueSource(nameof(Types))] ComputeType type) =>
        Check(shape, type, Pass.BackwardFilter);

    /// <summary>A batch whose events don't fit the workspace at once.</summary>
    [Test]
    public void LargeBatchesInGroups([Values(Pass.Forward, Pass.BackwardFilter)] Pass pass, [ValueSource(nameof(Types))] ComputeType type)
    {
        // An image's lists are 0.8 MB.
        Shape shape = new(3, 16, 160, 160, 1, 1, 1, 0);
        Choose("event");
        CheckOne(shape, type, pass, Input(shape, type, Values.Spikes, 0.2), 8 * SumRoundings); // 77,000 terms
    }

    /// <summary>The same bits whatever the number of threads.</summary>
    [Test]
    public void BitsDoNotDependOnThreads([Values(Pass.Forward, Pass.BackwardFilter)] Pass pass,
        [ValueSource(nameof(Types))] ComputeType type)
    {
        foreach (Shape shape in new Shape[] { new(5, 70, 9, 8, 70, 3, 1, 1), new(7, 24, 12, 40, 40, 3, 2, 1) })
        {
            float[] x = Input(shape, type, Values.Spikes, 0.2);
            byte[]? first = null;
            foreach (int threads in new[] { 1, 2, 3, 7 })
            {
                Choose("event", threads: threads);
                using ConvolutionRun run = new(Device, shape, type, pass, x);
                byte[] result = run.Execute(1, 0);
                Assert.That(result, Is.EqualTo(first ??= result), $"{shape}, {threads} threads");
            }
        }
    }

    /// <summary>By default the device goes the event-driven way where few numbers are not zero, and the dense way elsewhere.</summary>
    [Test]
    public void ChoosesByWhatFired([Values(Pass.Forward, Pass.BackwardFilter)] Pass pass)
    {
        Shape shape = new(2, 64, 16, 16, 64, 3, 1, 1);
        foreach ((double rate, string way) in new[] { (0.0, "event"), (0.1, "event"), (0.9, "dense"), (1.0, "dense") })
        {
            float[] x = Input(shape, ComputeType.Float32, Values.Spikes, rate);
            Choose(way);
            byte[] forced = Execute(shape, pass, x);
            Choose(way == "event" ? "dense" : "event");
            byte[] other = Execute(shape, pass, x);
            Choose("auto");
            CpuConvolutions.Drain();
            byte[] chosen = Execute(shape, pass, x);
            JsonElement counted = JsonDocument.Parse(CpuConvolutions.Drain()!).RootElement.EnumerateArray().Single();
            Assert.That(counted.GetProperty(way).GetInt32(), Is.EqualTo(1));
            Assert.That(counted.GetProperty(way == "event" ? "dense" : "event").GetInt32(), Is.Zero);
            Assert.That(counted.GetProperty("fired").GetDouble(), Is.EqualTo(rate).Within(0.02));
            Assert.That(chosen, Is.EqualTo(forced), $"{rate} fire: {way}");
            Assert.That(rate == 0 || !chosen.SequenceEqual(other), $"{rate} fire: the two ways can't be told apart");
        }
    }

    /// <summary>What is silent contributes nothing, also where 0 * infinity would be NaN; a NaN in x is an event like others.</summary>
    [Test]
    public void OnlyEventsCount()
    {
        Shape shape = new(1, 16, 5, 5, 16, 3, 1, 1);
        float[] x = Input(shape, ComputeType.Float32, Values.Spikes, 0.3), filter = Numbers.Random(16 * 9 * 16, ComputeType.Float32, 2);
        for (int i = 3; i < x.Length; i += 16)
        {
            x[i] = -0f; // channel 3 never fires
        }

        for (int i = 3; i < filter.Length; i += 16)
        {
            filter[i] = i % 32 == 3 ? float.PositiveInfinity : float.NaN;
        }

        Choose("event");
        using (ConvolutionRun silent = new(Device, shape, ComputeType.Float32, Pass.Forward, x, filter))
        {
            Assert.That(Numbers.Decode(silent.Execute(1, 0), ComputeType.Float32), Has.All.Matches<float>(float.IsFinite));
        }

        x[(2 * 5 * 16) + (2 * 16)] = float.NaN; // the middle
        foreach (Pass pass in new[] { Pass.Forward, Pass.BackwardFilter })
        {
            using ConvolutionRun loud = new(Device, shape, ComputeType.Float32, pass, x);
            Assert.That(Numbers.Decode(loud.Execute(1, 0), ComputeType.Float32), Has.Some.NaN);
        }
    }

    /// <summary>Words that name no way, and instruction sets that the machine lacks, are refused.</summary>
    [Test]
    public void RefusesUnknownWays()
    {
        Assert.That(CpuDriver.sltt_cpu_choose_convolution("sparse", null, 0), Is.EqualTo(-1));
        Assert.That(CpuDriver.sltt_cpu_choose_convolution("event", "v9", 0), Is.EqualTo(-1));
        Assert.That(CpuDriver.sltt_cpu_choose_convolution("event", null, -1), Is.EqualTo(-1));
    }

    private static void Choose(string way, string? instructionSet = null, int threads = 0) =>
        Assert.That(CpuDriver.sltt_cpu_choose_convolution(way, instructionSet, threads), Is.Zero);

    private static float[] Input(Shape shape, ComputeType type, Values values, double rate)
    {
        Random random = new(7);
        float[] x = Numbers.Random(shape.N * shape.C * shape.H * shape.W, type, 1);
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = random.NextDouble() >= rate ? 0 : values switch { Values.Spikes => 1, Values.Counts => random.Next(1, 4), _ => x[i] };
        }

        return x;
    }

    private byte[] Execute(Shape shape, Pass pass, float[] x)
    {
        using ConvolutionRun run = new(Device, shape, ComputeType.Float32, pass, x);
        return run.Execute(1, 0);
    }

    private void Check(Shape shape, ComputeType type, Pass pass)
    {
        (Values, double)[] inputs = [(Values.Spikes, 0), (Values.Spikes, 0.1), (Values.Spikes, 1), (Values.Counts, 0.3), (Values.Any, 0.6)];
        foreach ((Values values, double rate) in inputs)
        {
            float[] x = Input(shape, type, values, rate);
            foreach (string level in new[] { "v2", "v3", "v4" })
            {
                if (CpuDriver.sltt_cpu_choose_convolution("event", level, 0) == 0)
                {
                    CheckOne(shape, type, pass, x, SumRoundings, $"{level}, {values}, {rate} fire: ");
                }
            }
        }
    }

    private void CheckOne(Shape shape, ComputeType type, Pass pass, float[] x, double roundings, string what = "")
    {
        using ConvolutionRun run = new(Device, shape, type, pass, x);
        (double[] sum, double[] sumMagnitude) = ConvolutionReference.Compute(shape, pass, run.X, run.Filter, run.Y);
        foreach ((float alpha, float beta) in Scalings)
        {
            double[] expected = [.. sum], magnitude = [.. sumMagnitude];
            Blend(expected, magnitude, alpha, beta, run.Before);
            byte[] result = run.Execute(alpha, beta);
            AssertClose(Numbers.Decode(result, type), expected, magnitude, type, roundings, $"{what}{pass} alpha {alpha} beta {beta}");
        }
    }
}
