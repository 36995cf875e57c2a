using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>split_tf32: two parts of 11 significant bits that make a float.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class SplitTf32Tests(DeviceKind kind) : KernelTest(kind)
{
    private const uint NotInTf32 = 0x1fff; // the bits of a float's mantissa that TF32 has not

    /// <summary>
    /// Normal numbers: the high part is the nearest TF32 number, ties to even, and both make the number to half a unit in the last place of
    /// the low part. Products with spikes, 0 and 1, are then exact.
    /// </summary>
    [Test]
    public void Parts_make_the_number([ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count)
    {
        Random random = new(count);
        float[] x = [.. Enumerable.Range(0, count).Select(i => i % 3 == 0
            ? BitConverter.UInt32BitsToSingle(0x3f800000u + (uint)(random.Next(1024) << 13) + 0x1000u) // a tie
            : (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(40) - 20)))];
        (float[] high, float[] low) = Split(x);
        for (int i = 0; i < count; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(x[i]), kept = bits & ~NotInTf32;
            uint half = bits & NotInTf32;
            bool up = half > 0x1000u || (half == 0x1000u && (kept >> 13 & 1) == 1);
            float nearest = BitConverter.UInt32BitsToSingle(up ? kept + 0x2000u : kept);
            Assert.That(high[i], Is.EqualTo(nearest), $"{x[i]:R}: high part");
            Assert.That(BitConverter.SingleToUInt32Bits(low[i]) & NotInTf32, Is.Zero, $"{x[i]:R}: the low part is a TF32 number");
            double rest = (double)x[i] - high[i];
            Assert.That(Math.Abs(rest - low[i]), Is.AtMost(Math.Abs(rest) * Math.Pow(2, -11)), $"{x[i]:R}: low part");
            Assert.That((double)high[i] + low[i], Is.EqualTo((double)x[i]).Within(Math.Pow(2, -22) * Math.Abs(x[i])));
        }
    }

    /// <summary>What is not finite, or would become so, stays as it is.</summary>
    [Test]
    public void Numbers_at_the_edges()
    {
        float[] x = [0f, -0f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.MaxValue, -float.MaxValue, float.Epsilon];
        (float[] high, float[] low) = Split(x);
        Assert.Multiple(() =>
        {
            Assert.That(high[..7], Is.EqualTo(x[..7]));
            Assert.That(low[..5], Is.EqualTo(new float[5]));
            Assert.That((double)high[7] + low[7], Is.InRange(0, 1e-40));
        });
    }

    private (float[] High, float[] Low) Split(float[] x)
    {
        DeviceArray<float> high = Poisoned<float>(x.Length), low = Poisoned<float>(x.Length);
        Launch("split_tf32", new LaunchShape(3, 96), high.Pointer, low.Pointer, Floats(x).Pointer, (long)x.Length);
        return (high.Read(), low.Read());
    }
}
