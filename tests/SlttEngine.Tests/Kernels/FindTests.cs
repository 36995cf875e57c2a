using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>What looks for something: find_nonfinite, find_firing.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class FindTests(DeviceKind kind) : KernelTest(kind)
{
    private const float Full = 0.7f;

    [Test]
    public void The_first_number_that_is_not_finite([ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count)
    {
        float[] finite = Uniform(count, ComputeType.Float32, -1, 1, 1);
        finite[count / 3] = float.MaxValue;
        finite[count / 2] = -float.Epsilon;
        Assert.That(First(finite, ulong.MaxValue, 0), Is.EqualTo(ulong.MaxValue), "none");
        int launch = 0;
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, -float.NaN })
        {
            foreach (int at in new[] { 0, count / 2, count - 1 })
            {
                float[] values = [.. finite];
                values[at] = bad;
                values[count - 1] = bad; // Of two the first counts.
                Assert.That(First(values, ulong.MaxValue, ++launch), Is.EqualTo((ulong)at), $"{bad} at {at}");
            }
        }
    }

    /// <summary>Several launches make one search: the smallest index of all stays.</summary>
    [Test]
    public void An_earlier_find_stays()
    {
        float[] values = new float[99];
        values[40] = float.NaN;
        Assert.That(First(values, 7, 0), Is.EqualTo(7ul));
        Assert.That(First(values, 41, 1), Is.EqualTo(40ul));
        Assert.That(First(new float[99], 7, 2), Is.EqualTo(7ul));
    }

    [Test]
    public void Firing(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count)
    {
        float[] silent = new float[count], full = Uniform(count, type, Full + 0.01f, 2, 2);
        Assert.That(Found(type, silent, 0, 0, count), Is.EqualTo((0, 1)));
        Assert.That(Found(type, full, 0, 0, count), Is.EqualTo((1, 0)));
        foreach (int at in new[] { 0, count / 2, count - 1 })
        {
            float[] fires = [.. silent], rests = [.. full], unknown = [.. full], some = [.. full];
            (fires[at], rests[at], unknown[at], some[at]) = (full[at], 0, float.NaN, Full / 64);
            Assert.That(Found(type, fires, 0, 0, at), Is.EqualTo((1, count == 1 ? 0 : 1)), $"one fires: {at}");
            Assert.That(Found(type, rests, 0, 0, at), Is.EqualTo((count == 1 ? 0 : 1, 1)), $"one rests: {at}");
            Assert.That(Found(type, unknown, 0, 0, at).Silent, Is.EqualTo(1), $"one is NaN: {at}");
            Assert.That(Found(type, some, 0, 0, at), Is.EqualTo((1, 1)), $"one in a window fires: {at}");
        }
    }

    /// <summary>What is full counts as such, and what earlier steps found stays.</summary>
    [Test]
    public void Firing_adds_up([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type)
    {
        float[] edge = Uniform(33, type, Full, Full, 1);
        Assert.That(Found(type, edge, 0, 0, 1, edge[0]), Is.EqualTo((1, 0)));
        Assert.That(Found(type, edge, 0, 0, 1, float.BitIncrement(edge[0])), Is.EqualTo((1, 1)));
        Assert.That(Found(type, edge, 0, 1, 3, edge[0]), Is.EqualTo((1, 1)));
        Assert.That(Found(type, new float[33], 1, 0, 2), Is.EqualTo((1, 1)));
    }

    private ulong First(float[] values, ulong before, int launch)
    {
        DeviceArray<ulong> first = Upload([before]);
        Launch("find_nonfinite", Cases.Launch(launch), first.Pointer, Floats(values).Pointer, (long)values.Length);
        return first.Read()[0];
    }

    private (int Fired, int Silent) Found(ComputeType type, float[] y, int fired, int silent, int launch, float full = Full)
    {
        (DeviceArray<int> anyFires, DeviceArray<int> anyRests) = (Upload([fired]), Upload([silent]));
        Launch(
            "find_firing_" + type.Suffix(), Cases.Launch(launch), anyFires.Pointer, anyRests.Pointer, Upload(type, y).Pointer, full,
            (long)y.Length);
        return (anyFires.Read()[0], anyRests.Read()[0]);
    }
}
