using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>
/// Launches of several steps leave the same bits as a launch for each step, which the other tests hold to their references.
/// </summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class StepsTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Lambda = 0.3f;
    private const uint Layer = 5;

    /// <summary>(rows, channels): a step is a multiple of 16 bytes. Wide and narrow, one and many packs, odd channels.</summary>
    public static readonly Matrix[] Sizes =
        [new(8, 1), new(8, 33), new(7, 16), new(65, 8), new(33, 64), new(8, 130), new(8, 519), new(3, 1032)];

    /// <summary>Windows and channels.</summary>
    public static readonly LifPoolTests.Map[] Maps =
        [new(2, 4, 6, 16, 2), new(2, 4, 4, 33, 4), new(2, 3, 6, 16, 3), new(1, 4, 4, 520, 2), new(2, 4, 4, 5, 1)];

    /// <summary>What is in front of the first step.</summary>
    public enum Before
    {
        /// <summary>Nothing.</summary>
        None,

        /// <summary>A potential in memory of its own.</summary>
        Apart,

        /// <summary>The last step's slot of the potentials that are written.</summary>
        LastSlot,
    }

    /// <summary>(before, x_shared, norm_shared, u_last).</summary>
    private static readonly (Before, int, int, int)[] Forwards = [
        (Before.None, 0, 0, 0), (Before.Apart, 0, 0, 0), (Before.LastSlot, 0, 0, 0), (Before.LastSlot, 1, 1, 0), (Before.None, 0, 1, 1),
        (Before.LastSlot, 1, 0, 1)];

    [Test]
    public void Forward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] Matrix size,
        [Values(3, 6)] int steps) => ForEach(Forwards, variant =>
    {
        (Before before, int sharedX, int sharedNorm, int last) = variant;
        int n = size.Count;
        float rate = before == Before.LastSlot ? 0.3f : 0;
        LaunchShape shape = Cases.Launch(size.Channels + steps) with { Steps = 1 + (size.Rows % 2) };
        AssertSteps("batch_norm_lif_forward_" + type.Suffix(), shape, steps, m =>
        {
            (StepArray u, object past) = Potentials(m, type, n, steps, before, last);
            return [
                m.ByStep(type, n), u, StepMemory.Before(past, u), X(m, type, n, steps, sharedX),
                .. Norm(m, size.Channels, steps, sharedNorm), m.Once(ComputeType.Float32, Values(size.Channels, 0, 1, 5)), Lambda,
                Neuron.Threshold, rate, Layer, State(Cases.State).Pointer, sharedX, sharedNorm, last, StepMemory.Steps, (long)size.Rows,
                size.Channels];
        });
        AssertSteps("lif_forward_" + type.Suffix(), shape, steps, m =>
        {
            (StepArray u, object past) = Potentials(m, type, n, steps, before, last);
            return [
                last == 1 ? Null : m.ByStep(type, n), u, StepMemory.Before(past, u), X(m, type, n, steps, sharedX),
                sharedNorm == 1 ? Null : m.Once(ComputeType.Float32, Values(size.Channels, 0, 1, 5)), 0.7f, 2.74f, Lambda,
                Neuron.Threshold, rate, Layer, State(Cases.State).Pointer, sharedX, last, StepMemory.Steps, (long)size.Rows,
                size.Channels];
        });
    });

    [Test]
    public void PooledForward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Maps))] LifPoolTests.Map map,
        [Values(3, 6)] int steps) => ForEach(Forwards, variant =>
    {
        (Before before, int sharedX, int sharedNorm, int last) = variant;
        float rate = before == Before.LastSlot ? 0.3f : 0;
        AssertSteps("batch_norm_lif_pool_forward_" + type.Suffix(), Cases.Launch(map.Channels + steps) with { Steps = 2 }, steps, m =>
        {
            (StepArray u, object past) = Potentials(m, type, map.Count, steps, before, last);
            return [
                m.ByStep(type, map.PooledCount), u, StepMemory.Before(past, u), X(m, type, map.Count, steps, sharedX),
                .. Norm(m, map.Channels, steps, sharedNorm), m.Once(ComputeType.Float32, Values(map.Channels, 0, 1, 5)), Lambda,
                Neuron.Threshold, rate, Layer, State(Cases.State).Pointer, sharedX, sharedNorm, last, StepMemory.Steps, (long)map.Rows,
                map.Channels, map.W, map.Window];
        });
    });

    [Test]
    public void Backward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] Matrix size) =>
        ForEach([(false, false), (true, false), (false, true), (true, true)], variant =>
    {
        const int Steps = 3;
        (bool extra, bool carried) = variant;
        (int n, int c) = (size.Count, size.Channels);
        int surrogate = Neuron.Surrogates[(c + (extra ? 1 : 0)) % 3];
        float rate = extra ? 0 : 0.3f;
        LaunchShape shape = Cases.Launch(c + size.Rows) with { Steps = 1 + (c % 3) }, tiled = shape with { Tiles = 1 + (c % 2) };
        AssertSteps(Instances.Backward(type, surrogate, extra, carried), tiled, Steps, back: carried, arguments: m => [
            m.ByStep(type, n), m.Partials(shape.Blocks * 2 * c), .. Finish(m, c, tiled, carried),
            m.ByStep(type, Values(Steps * n, -1, 1, 1)),
            extra ? m.ByStep(type, Values(Steps * n, -1, 1, 2)) : Null, m.ByStep(type, Values(Steps * n, -1, 3, 3)),
            carried ? m.Once(type, Values(n, -1, 1, 4)) : Null, m.ByStep(type, Values(Steps * n, -1, 2, 5)), .. Norm(m, c, Steps, 0),
            Lambda, Neuron.Threshold, surrogate, rate, Layer, State(Cases.State).Pointer, StepMemory.Steps, (long)size.Rows, c]);
        foreach (string kernel in new[] { "lif_backward_", "lif_backward_accumulate_" })
        {
            AssertSteps(kernel + type.Suffix(), shape, Steps, back: true, arguments: m => [
                kernel == "lif_backward_" ? m.ByStep(type, n) : m.Once(ComputeType.Float32, Values(n, -1, 1, 6)),
                m.ByStep(type, Values(Steps * n, -1, 1, 1)), extra ? m.ByStep(type, Values(Steps * n, -1, 1, 2)) : Null,
                extra ? m.ByStep(type, Values(Steps * n, -1, 1, 7)) : Null, m.ByStep(type, Values(Steps * n, -1, 3, 3)),
                carried ? m.Once(type, Values(n, -1, 1, 4)) : Null, 0.7f, 2.74f, Lambda, Neuron.Threshold, surrogate, rate, Layer,
                State(Cases.State).Pointer, StepMemory.Steps, (long)n]);
        }
    });

    [Test]
    public void PooledBackward(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Maps))] LifPoolTests.Map map,
        [Values] bool carried)
    {
        const int Steps = 3;
        int n = map.Count, surrogate = Neuron.Surrogates[(map.Channels + (carried ? 1 : 0)) % 3];
        float rate = map.Channels % 2 == 0 ? 0.3f : 0;
        LaunchShape shape = Cases.Launch(map.Channels + map.W) with { Steps = 2 }, tiled = shape with { Tiles = 2 };
        object[] Neurons() => [Lambda, Neuron.Threshold, surrogate, rate, Layer, State(Cases.State).Pointer, StepMemory.Steps,
            (long)map.Rows, map.Channels, map.W, map.Window];
        AssertSteps(Instances.PoolBackward(type, surrogate, carried), tiled, Steps, back: carried, arguments: m => [
            m.ByStep(type, n), m.Partials(shape.Blocks * 2 * map.Channels), .. Finish(m, map.Channels, tiled, carried),
            m.ByStep(type, Values(Steps * map.PooledCount, -1, 1, 1)),
            m.ByStep(type, Values(Steps * n, -1, 3, 3)), carried ? m.Once(type, Values(n, -1, 1, 4)) : Null,
            m.ByStep(type, Values(Steps * n, -1, 2, 5)), .. Norm(m, map.Channels, Steps, 0), .. Neurons()]);
        AssertSteps("lif_pool_backward_accumulate_" + type.Suffix(), shape, Steps, back: true, arguments: m => [
            m.Once(ComputeType.Float32, Values(n, -1, 1, 6)), m.ByStep(type, Values(Steps * map.PooledCount, -1, 1, 1)),
            m.ByStep(type, Values(Steps * n, -1, 3, 3)), carried ? m.Once(type, Values(n, -1, 1, 4)) : Null, .. Neurons()]);
        AssertSteps("spikes_pool_" + type.Suffix(), shape, Steps, m => [
            m.ByStep(type, map.PooledCount), m.ByStep(type, Values(Steps * n, -1, 3, 3)), Neuron.Threshold, rate, Layer,
            State(Cases.State).Pointer, StepMemory.Steps, (long)map.Rows, map.Channels, map.W, map.Window]);
    }

    [Test]
    public void EachStepByItself(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(nameof(Sizes))] Matrix size,
        [Values(0f, 0.3f)] float rate)
    {
        const int Steps = 3;
        (int n, int c) = (size.Count, size.Channels);
        LaunchShape shape = Cases.Launch(c + size.Rows) with { Steps = 1 + (c % 4) };
        for (int added = 0; added < 3; added++)
        {
            AssertSteps(Instances.Statistics(type, added == 1, added == 2), shape, Steps, m =>
            {
                object other = m.ByStep(type, Values(Steps * n, -1, 3, 2));
                // Without the statistics: they move the running mean, which the next launch would count from.
                return [
                    m.Partials(shape.Blocks * 2 * c), Null, m.ByStep(type, Values(Steps * n, -1, 3, 1)), Null, Null, Null,
                    m.Once(ComputeType.Float32, Values(c, 0, 2, 3)), Null, Null, added == 1 ? other : Null, added == 2 ? other : Null, Null,
                    Null, Null, Neuron.Threshold, 0f, 0f, StepMemory.Steps, (long)size.Rows, c, 0];
            });
        }

        AssertSteps("batch_norm_backward_apply_" + type.Suffix(), shape, Steps, m => [
            m.ByStep(type, n), m.ByStep(type, Values(Steps * n, -1, 1, 1)), m.ByStep(type, Values(Steps * n, -1, 3, 2)),
            .. Norm(m, c, Steps, 0), m.ByStep(ComputeType.Float32, Values(Steps * c, -2, 2, 5)),
            m.ByStep(ComputeType.Float32, Values(Steps * 2 * c, -1, 1, 6)), StepMemory.Steps, (long)size.Rows, c]);
        AssertSteps("spikes_" + type.Suffix(), shape, Steps, m => [
            m.ByStep(type, n), m.ByStep(type, Values(Steps * n, -1, 3, 1)), 2.74f, Neuron.Threshold, rate, Layer,
            State(Cases.State).Pointer, StepMemory.Steps, (long)n]);
        AssertSteps("dropout_" + type.Suffix(), shape, Steps, m => [
            m.ByStep(type, n), m.ByStep(type, Values(Steps * n, -1, 3, 1)), rate, Layer, State(Cases.State).Pointer, StepMemory.Steps,
            (long)n]);
    }

    [Test]
    public void Frames([Values("u8", "u16", "f32")] string element, [Values(1, 2, 3)] int c, [Values(0, 2, 3)] int t)
    {
        const int Steps = 3, Stored = 4, N = 3, H = 4, W = 17;
        Random random = new(c);
        int[] frames = [.. Enumerable.Range(0, Stored * N * c * H * W).Select(_ => random.Next(256))];
        object stored = element switch
        {
            "u8" => Upload((byte[])[.. frames.Select(f => (byte)f)]).Pointer,
            "u16" => Upload((ushort[])[.. frames.Select(f => (ushort)f)]).Pointer,
            _ => Floats([.. frames.Select(f => (float)f)]).Pointer,
        };
        AssertSteps($"expand_frames_{element}_f32", Cases.Launch(c) with { Steps = 2 }, Steps, m => [
            m.ByStep(ComputeType.Float32, N * c * H * W), stored,
            StepMemory.Each(step => State(Cases.State with { T = t + step }).Pointer),
            m.Once(ComputeType.Float32, Values(c, 0.1f, 0.5f, 1)), m.Once(ComputeType.Float32, Values(c, -1, 1, 2)), StepMemory.Steps,
            Stored, N, c, H, W]);
    }

    [Test]
    public void Loss(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [Values(1, 10, 33)] int classes, [Values] bool total)
    {
        const int Steps = 3, N = 8;
        DeviceArray<int> labels = Upload((int[])[.. Enumerable.Range(0, N).Select(i => (i * 7) % classes)]);
        AssertSteps("loss_" + type.Suffix(), Cases.Launch(classes) with { Steps = 2 }, Steps, m => [
            m.ByStep(type, N * classes), total ? m.Once(ComputeType.Float32, Values(N, 0, 1, 1)) : Null,
            total ? m.Once(ComputeType.Float32, Values(N * classes, -1, 1, 2)) : Null,
            m.ByStep(ComputeType.Float32, Values(Steps * N * classes, -5, 5, 3)), labels.Pointer, 0.05f, 0, 1f, 0.25f,
            State(Cases.State).Pointer, StepMemory.Steps, N, classes]);
    }

    private static float[] Values(int count, float low, float high, int seed) => Uniform(count, ComputeType.Float32, low, high, seed);

    private static StepArray X(StepMemory m, ComputeType type, int n, int steps, int shared) =>
        shared == 1 ? m.Once(type, Values(n, -2, 2, 1)) : m.ByStep(type, Values(steps * n, -2, 2, 1));

    /// <summary>Two arrays by channel: mean, and scale or 1 / deviation.</summary>
    private static object[] Norm(StepMemory m, int channels, int steps, int shared)
    {
        (float[] mean, float[] scale) = (Values(channels * steps, -0.5f, 0.5f, 3), Values(channels * steps, 0.5f, 2, 4));
        return shared == 1
            ? [m.Once(ComputeType.Float32, mean[..channels]), m.Once(ComputeType.Float32, scale[..channels])]
            : [m.ByStep(ComputeType.Float32, mean), m.ByStep(ComputeType.Float32, scale)];
    }

    /// <summary>
    /// From the counters to the coefficients. Under BPTT none: launches for each step run from the last to the first, and the gradient of
    /// a launch of all steps is added up from the first to the last.
    /// </summary>
    private static object[] Finish(StepMemory m, int channels, LaunchShape shape, bool carried) => carried
        ? [Null, Null, Null, Null]
        : [m.Counters(shape.Tiles), m.Once(ComputeType.Float32, Values(channels, -1, 1, 8)),
            m.Once(ComputeType.Float32, Values(channels, -1, 1, 9)), m.ByStep(ComputeType.Float32, 2 * channels)];

    /// <summary>Where potentials are written, and the one before the first step.</summary>
    private static (StepArray U, object Past) Potentials(StepMemory m, ComputeType type, int n, int steps, Before before, int last)
    {
        float[] past = Values(steps * n, -1, 2.5f, 2);
        StepArray u = last == 1 ? m.Once(type, past[..n]) : m.ByStep(type, past);
        return (u, before switch
        {
            Before.None => Null,
            Before.Apart => m.Once(type, past[..n]),
            _ => u.At(steps - 1),
        });
    }

    /// <summary>Runs a kernel in one launch and in a launch for each step, and compares all memory.</summary>
    private void AssertSteps(
        string kernel, LaunchShape shape, int steps, Func<StepMemory, object[]> arguments, bool back = false)
    {
        using StepMemory together = new(Device, steps), apart = new(Device, steps);
        Launch(kernel, shape, StepMemory.Of(arguments(together), 0, steps));
        object[] each = arguments(apart);
        for (int i = 0; i < steps; i++)
        {
            Launch(kernel, shape with { Steps = 1 }, StepMemory.Of(each, back ? steps - 1 - i : i, 1));
        }

        (byte[][] one, byte[][] many) = (together.Read(), apart.Read());
        for (int i = 0; i < one.Length; i++)
        {
            Assert.That(one[i].AsSpan().SequenceEqual(many[i]), Is.True, $"{Variant} {kernel}: array {i} of a launch of {steps} steps");
        }
    }
}
