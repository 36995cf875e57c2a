using SlttEngine.Device;
using SlttEngine.Tests.Dnn;

namespace SlttEngine.Tests.Kernels;

/// <summary>cast, add, scale, residual_add, bias_add, bias_broadcast, and the number types themselves.</summary>
[TestFixtureSource(typeof(KernelTest), nameof(Kinds))]
public sealed class ElementwiseTests(DeviceKind kind) : KernelTest(kind)
{
    /// <summary>Every half and every bfloat16 is read and written as it is.</summary>
    [TestCase(ComputeType.Float16)]
    [TestCase(ComputeType.BFloat16)]
    public void EveryNumberOfTheType(ComputeType type)
    {
        ushort[] all = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        DeviceArray<ushort> x = Upload(all), y = Poisoned<ushort>(all.Length);
        Launch(
            "scale_" + type.Suffix(), new LaunchShape(2, 128), Tensor.Typed(type, y.Pointer.Pointer), Tensor.Typed(type, x.Pointer.Pointer),
            1f, (long)all.Length);
        ushort[] actual = y.Read();
        for (int i = 0; i < all.Length; i++)
        {
            if (IsNaN(all[i], type) ? !IsNaN(actual[i], type) : actual[i] != all[i])
            {
                Assert.Fail($"{all[i]:x4} became {actual[i]:x4}");
            }
        }
    }

    /// <summary>Rounding to nearest even as .NET has it: normal and subnormal numbers, ties, overflow, infinities, NaN.</summary>
    [Test]
    public void Cast([ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type)
    {
        Random random = new(1);
        List<float> x = [
            0f, -0f, 1f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.Epsilon, float.MaxValue, 65504f, 65519f, 65520f,
            65536f, -65520f];
        x.AddRange(Enumerable.Range(0, IsSlow ? 4000 : 60000).Select(i => i % 4 switch
        {
            // Any bits; halves' subnormal range; ties between halves; ties between bfloat16.
            0 => BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32)),
            1 => (float)((random.NextDouble() - 0.5) * Math.Pow(2, -13 - random.Next(14))),
            2 => BitConverter.UInt32BitsToSingle(((uint)random.Next(1 << 18) << 13 | 0x1000u) + 0x30000000u),
            _ => BitConverter.UInt32BitsToSingle((uint)random.Next(1 << 16) << 16 | 0x8000u),
        }));
        float[] values = [.. x];
        Tensor y = Poisoned(type, values.Length);
        Launch("cast_" + type.Suffix(), new LaunchShape(3, 96), y.Pointer, Floats(values).Pointer, (long)values.Length);
        float[] actual = y.Read(), expected = Numbers.Decode(Numbers.Encode(values, type), type);
        for (int i = 0; i < values.Length; i++)
        {
            if (BitConverter.SingleToUInt32Bits(actual[i]) != BitConverter.SingleToUInt32Bits(expected[i])
                && !(float.IsNaN(actual[i]) && float.IsNaN(expected[i])))
            {
                Assert.Fail($"{values[i]:R} became {actual[i]:R}, should be {expected[i]:R}");
            }
        }
    }

    [Test]
    public void CastLengths(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count)
    {
        float[] x = Uniform(count, ComputeType.Float32, -2, 2, count);
        Tensor y = Poisoned(type, count);
        Launch("cast_" + type.Suffix(), Cases.Launch(count), y.Pointer, Floats(x).Pointer, (long)count);
        AssertSame(y.Read(), Numbers.Decode(Numbers.Encode(x, type), type), "y");
    }

    [Test]
    public void Scale(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type, [ValueSource(typeof(Cases), nameof(Cases.Lengths))] int count)
    {
        float[] x = Uniform(count, type, -2, 2, 1);
        foreach (bool inPlace in new[] { false, true })
        {
            Tensor from = Upload(type, x), y = inPlace ? from : Poisoned(type, count);
            Launch("scale_" + type.Suffix(), Cases.Launch(count), y.Pointer, from.Pointer, 0.3f, (long)count);
            AssertWithin(y.Read(), [.. x.Select(v => (0.3f * (Approx)v).As(type))], "y");
        }
    }

    [Test]
    public void ResidualAdd(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        (int channels, int count) = (size.Channels, size.Count);
        float[] a = Uniform(count, type, -2, 2, 1), b = Uniform(count, type, -2, 2, 2),
            biasA = Uniform(channels, ComputeType.Float32, -1, 1, 3), biasB = Uniform(channels, ComputeType.Float32, -1, 1, 4);
        foreach ((bool withA, bool withB, int into) in new[] { (false, false, 0), (true, false, 1), (false, true, 2), (true, true, 0) })
        {
            Tensor left = Upload(type, a), right = Upload(type, b), y = into switch { 0 => Poisoned(type, count), 1 => left, _ => right };
            Launch(
                "residual_add_" + type.Suffix(), Cases.Launch(count + into), y.Pointer, left.Pointer, right.Pointer,
                withA ? Floats(biasA).Pointer : Null, withB ? Floats(biasB).Pointer : Null,
                (long)size.Rows, channels);
            AssertWithin(
                y.Read(),
                [.. a.Select(
                    (v, i) => ((v + (Approx)(withA ? biasA[i % channels] : 0)) + (b[i] + (Approx)(withB ? biasB[i % channels] : 0)))
                        .As(type))],
                "y");
        }
    }

    [Test]
    public void BiasAdd(
        [ValueSource(typeof(Cases), nameof(Cases.Types))] ComputeType type,
        [ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        float[] x = Uniform(size.Count, type, -2, 2, 1), bias = Uniform(size.Channels, ComputeType.Float32, -1, 1, 3);
        foreach (bool inPlace in new[] { false, true })
        {
            Tensor from = Upload(type, x), y = inPlace ? from : Poisoned(type, size.Count);
            Launch(
                "bias_add_" + type.Suffix(), Cases.Launch(size.Rows), y.Pointer, from.Pointer, Floats(bias).Pointer, (long)size.Rows,
                size.Channels);
            AssertWithin(y.Read(), [.. x.Select((v, i) => (v + (Approx)bias[i % size.Channels]).As(type))], "y");
        }
    }

    [Test]
    public void BiasBroadcast([ValueSource(typeof(Cases), nameof(Cases.Matrices))] Matrix size)
    {
        float[] bias = Uniform(size.Channels, ComputeType.Float32, -1, 1, 3);
        Tensor y = PoisonedFloats(size.Count);
        Launch("bias_broadcast", Cases.Launch(size.Rows), y.Pointer, Floats(bias).Pointer, size.Rows, size.Channels);
        AssertSame(y.Read(), [.. Enumerable.Range(0, size.Count).Select(i => bias[i % size.Channels])], "y");
    }

    /// <summary>An output that the CPU device writes past its cache.</summary>
    [Test]
    public void BiasBroadcastToManyRows([Values(96, 101)] int channels)
    {
        int rows = IsSlow ? 7 : (17 << 20) / 4 / channels;
        BiasBroadcast(new Matrix(rows, channels));
    }

    private static bool IsNaN(ushort bits, ComputeType type) =>
        type == ComputeType.Float16 ? (bits & 0x7fff) > 0x7c00 : (bits & 0x7fff) > 0x7f80;
}
