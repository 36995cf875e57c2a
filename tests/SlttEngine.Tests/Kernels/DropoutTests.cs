using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Random numbers and the masks made of them.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class DropoutTests(DeviceKind kind) : KernelTest(kind)
{
    /// <summary>The test's own generator against the known answers of the Random123 library (Philox4x32-10).</summary>
    [Test]
    public void KnownAnswers()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Philox.Draw(0, 0, 0, 0, 0), Is.EqualTo(new uint[] { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 }));
            Assert.That(Philox.Draw(~0u, ~0u, ~0u, ~0u, ~0ul), Is.EqualTo(new uint[] { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd }));
            Assert.That(
                Philox.Draw(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0x299f31d0_a4093822),
                Is.EqualTo(new uint[] { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 }));
        });
    }

    [Test]
    public void Mask(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count) =>
        ForEach([0f, 0.3f, 0.5f], rate => Mask(type, count, rate));

    private void Mask(ComputeType type, int count, float rate)
    {
        float[] x = Uniform(count, type, 0.5f, 1, count), mask = Philox.Mask(count, rate, 77, Cases.State);
        foreach (bool inPlace in new[] { false, true })
        {
            Tensor from = Upload(type, x), to = inPlace ? from : Poisoned(type, count);
            Launch(
                "dropout_" + type.Suffix(), Cases.Launch(count), to.Pointer, from.Pointer, rate, 77u, State(Cases.State).Pointer,
                1, (long)count);
            AssertWithin(
                to.Read(), [.. x.Select((v, i) => new Approx((double)v * mask[i], 0).Roundings(mask[i] == 0 ? 0 : 2).As(type))], "y");
        }
    }

    /// <summary>Rates near what is asked for; masks of other layers, iterations and seeds are unlike each other.</summary>
    [Test]
    public void MasksAreRandom()
    {
        const int Count = 8192;
        const float Rate = 0.3f;
        float[] ones = [.. Enumerable.Repeat(1f, Count)];
        List<float[]> masks = [];
        RunState other = Cases.State with { Iteration = Cases.State.Iteration + 1 },
            far = Cases.State with { Iteration = Cases.State.Iteration ^ (1ul << 40) };
        foreach ((RunState state, uint layer) in new[] { (Cases.State, 1u), (Cases.State, 2u), (other, 1u), (far, 1u),
            (Cases.State with { Seed = 1 }, 1u) })
        {
            Tensor y = PoisonedFloats(Count);
            Launch("dropout_f32", Cases.Launch(0), y.Pointer, Floats(ones).Pointer, Rate, layer, State(state).Pointer, 1, (long)Count);
            masks.Add(y.Read());
        }

        // Five standard deviations of a binomial.
        double spread = 5 * Math.Sqrt(Rate * (1 - Rate) / Count), agree = (Rate * Rate) + ((1 - Rate) * (1 - Rate));
        for (int i = 0; i < masks.Count; i++)
        {
            Assert.That(masks[i].Count(m => m == 0) / (double)Count, Is.EqualTo(Rate).Within(spread));
            Assert.That(masks[i].Where(m => m != 0), Is.All.EqualTo(1 / (1 - Rate)));
            for (int j = 0; j < i; j++)
            {
                double same = masks[i].Zip(masks[j]).Count(p => p.First == p.Second) / (double)Count;
                Assert.That(same, Is.EqualTo(agree).Within(5 * Math.Sqrt(agree * (1 - agree) / Count)), $"masks {j} and {i}");
            }
        }
    }
}
