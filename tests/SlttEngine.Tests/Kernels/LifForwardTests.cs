using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>lif_forward, batch_norm_lif_forward and spikes against the neuron's equations.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class LifForwardTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Lambda = 0.3f;
    private const uint Layer = 5;

    /// <summary>Of the neurons, at most this part may be so near the threshold that rounding decides.</summary>
    private const double MostUndecided = 0.02;

    /// <summary>What the kernels take or leave out.</summary>
    public enum Before
    {
        /// <summary>First step: no potential before.</summary>
        None,

        /// <summary>A buffer of its own (BPTT).</summary>
        Apart,

        /// <summary>The one that is written to (SLTT).</summary>
        InPlace,
    }

    [Test]
    public void Step(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size) =>
        ForEach(Enum.GetValues<Before>(), before => Step(type, size, before));

    private void Step(ComputeType type, Matrix size, Before before)
    {
        (int index, int channels, int count) = (size.Rows + (int)before, size.Channels, size.Count);
        foreach ((bool biased, float inputScale, float spikeScale, float rate) in new[] { (false, 1f, 1f, 0f), (true, 0.7f, 2.74f, 0f),
            (true, 1f, 1f, 0.3f) })
        {
            float[] x = Uniform(count, type, -1, 2.5f, 1), past = Uniform(count, type, -1, 2.5f, 2),
                bias = Uniform(channels, ComputeType.Float32, -0.5f, 0.5f, 3);
            float[] mask = Philox.Mask(count, rate, Layer, Cases.State);
            Approx[] u = new Approx[count];
            for (int i = 0; i < count; i++)
            {
                Approx input = inputScale == 1 && !biased ? x[i] : inputScale * (x[i] + (Approx)(biased ? bias[i % channels] : 0));
                u[i] = ((Lambda * (Approx)(before == Before.None ? 0 : Neuron.Reset(past[i], Neuron.Threshold))) + input).As(type);
            }

            Tensor spikes = Poisoned(type, count), potential = before == Before.InPlace ? Upload(type, past) : Poisoned(type, count);
            Launch(
                "lif_forward_" + type.Suffix(), Cases.Launch(index++), spikes.Pointer, potential.Pointer,
                before switch { Before.None => Null, Before.InPlace => potential.Pointer, _ => Upload(type, past).Pointer },
                Upload(type, x).Pointer, biased ? Floats(bias).Pointer : Null, inputScale, spikeScale, Lambda, Neuron.Threshold,
                rate, Layer, State(Cases.State).Pointer, 0, 0, 1, (long)size.Rows, channels);
            AssertStep(potential, spikes, u, mask, spikeScale, type);
            AssertSpikesComeBack(potential, spikes, spikeScale, rate, type, count);
        }
    }

    [Test]
    public void NormalisedStep(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size) =>
        ForEach(Enum.GetValues<Before>(), before => NormalisedStep(type, size, before));

    private void NormalisedStep(ComputeType type, Matrix size, Before before)
    {
        (int index, int channels, int count) = (size.Channels + (int)before, size.Channels, size.Count);
        foreach (float rate in new[] { 0f, 0.3f })
        {
            float[] x = Uniform(count, type, -2, 2, 1), past = Uniform(count, type, -1, 2.5f, 2);
            float[] mean = Uniform(channels, ComputeType.Float32, -0.5f, 0.5f, 3),
                scale = Uniform(channels, ComputeType.Float32, 0.5f, 2, 4), bias = Uniform(channels, ComputeType.Float32, 0, 1, 5);
            float[] mask = Philox.Mask(count, rate, Layer, Cases.State);
            Approx[] u = new Approx[count];
            for (int i = 0; i < count; i++)
            {
                int c = i % channels;
                Approx input = ((x[i] - (Approx)mean[c]) * scale[c]) + bias[c];
                u[i] = ((Lambda * (Approx)(before == Before.None ? 0 : Neuron.Reset(past[i], Neuron.Threshold))) + input).As(type);
            }

            Tensor spikes = Poisoned(type, count), potential = before == Before.InPlace ? Upload(type, past) : Poisoned(type, count);
            Launch(
                "batch_norm_lif_forward_" + type.Suffix(), Cases.Launch(index++), spikes.Pointer, potential.Pointer,
                before switch { Before.None => Null, Before.InPlace => potential.Pointer, _ => Upload(type, past).Pointer },
                Upload(type, x).Pointer, Floats(mean).Pointer, Floats(scale).Pointer, Floats(bias).Pointer, Lambda, Neuron.Threshold,
                rate, Layer, State(Cases.State).Pointer, 0, 0, 0, 1, (long)size.Rows, channels);
            AssertStep(potential, spikes, u, mask, 1, type);
            AssertSpikesComeBack(potential, spikes, 1, rate, type, count);
        }
    }

    /// <summary>Without an output for spikes only the potential is written, the same.</summary>
    [Test]
    public void NoSpikes([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type)
    {
        Matrix size = new(67, 12);
        (int channels, int count) = (size.Channels, size.Count);
        Tensor x = Upload(type, Uniform(count, type, -1, 2.5f, 1)), past = Upload(type, Uniform(count, type, -1, 2.5f, 2)),
            ones = Floats([.. Enumerable.Repeat(1f, channels)]);
        foreach (string kernel in new[] { "lif_forward_", "batch_norm_lif_forward_" })
        {
            Tensor with = Poisoned(type, count), without = Poisoned(type, count), spikes = Poisoned(type, count);
            foreach ((Tensor u, bool fires) in new[] { (with, true), (without, false) })
            {
                object[] outputs = [fires ? spikes.Pointer : Null, u.Pointer, past.Pointer, x.Pointer];
                object[] middle = kernel == "lif_forward_" ? [ones.Pointer, 1f, 1f] : [ones.Pointer, ones.Pointer, ones.Pointer];
                object[] flags = kernel == "lif_forward_" ? [0, 0] : [0, 0, 0];
                object[] rest = [Lambda, Neuron.Threshold, 0f, 0u, Null, .. flags, 1, (long)size.Rows, channels];
                Launch(kernel + type.Suffix(), Cases.Launch(fires ? 0 : 2), [.. outputs, .. middle, .. rest]);
            }

            Assert.That(without.ReadBytes(), Is.EqualTo(with.ReadBytes()), kernel);
        }
    }

    /// <summary>A potential that rounds up to the threshold fires: what decides is what is stored.</summary>
    [Test]
    public void TheStoredPotentialDecides()
    {
        float justBelow = MathF.BitDecrement(1);
        foreach ((ComputeType type, float expected) in new[] { (ComputeType.Float32, 0f), (ComputeType.Float16, 1f),
            (ComputeType.BFloat16, 1f) })
        {
            // u = lambda v + 0 with v = u_prev = 1/2 and a lambda that makes it just less than 1.
            Tensor spikes = Poisoned(type, 1), u = Poisoned(type, 1);
            Launch(
                "lif_forward_" + type.Suffix(), Cases.Launch(0), spikes.Pointer, u.Pointer, Upload(type, [0.5f]).Pointer,
                Upload(type, [0f]).Pointer, Null, 1f, 1f,
                2 * justBelow, Neuron.Threshold, 0f, 0u, Null, 0, 0, 1, 1L, 1);
            Assert.That(u.Read()[0], Is.EqualTo(expected == 1 ? 1 : justBelow));
            Assert.That(spikes.Read()[0], Is.EqualTo(expected));
        }
    }

    /// <summary>
    /// u as the reference has it; spikes exactly as u, as stored, has them, and as the reference has them but for the few neurons
    /// that float rounding may move over the threshold.
    /// </summary>
    private void AssertStep(Tensor potential, Tensor spikes, Approx[] expected, float[] mask, float spikeScale, ComputeType type)
    {
        float[] u = potential.Read(), s = spikes.Read();
        AssertWithin(u, expected, "u");
        int undecided = 0;
        for (int i = 0; i < u.Length; i++)
        {
            double fired = u[i] >= Neuron.Threshold ? spikeScale * mask[i] : 0;
            if (!new Approx(fired, 0).Roundings(1).As(type).Admits(s[i]) || (fired == 0 && s[i] != 0))
            {
                Assert.Fail($"{Variant} spikes[{i}] is {s[i]:R}, should be {fired:R}");
            }

            if (Math.Abs(expected[i].Value - Neuron.Threshold) <= expected[i].Error)
            {
                undecided++;
            }
            else if ((s[i] != 0) != (expected[i].Value >= Neuron.Threshold && mask[i] != 0))
            {
                Assert.Fail($"{Variant} spikes[{i}] is {s[i]:R} with u = {expected[i].Value:R}");
            }
        }

        Assert.That(undecided, Is.LessThanOrEqualTo((MostUndecided * u.Length) + 1), "neurons too near the threshold to tell");
    }

    /// <summary>The spikes kernel makes the same spikes again, bit for bit.</summary>
    private void AssertSpikesComeBack(Tensor potential, Tensor spikes, float spikeScale, float rate, ComputeType type, int count)
    {
        Tensor again = Poisoned(type, count);
        Launch(
            "spikes_" + type.Suffix(), Cases.Launch(count), again.Pointer, potential.Pointer, spikeScale, Neuron.Threshold, rate, Layer,
            State(Cases.State).Pointer, 1, (long)count);
        Assert.That(again.ReadBytes(), Is.EqualTo(spikes.ReadBytes()), "spikes made again");
    }
}
