using System.Runtime.InteropServices;
using SlttEngine.Device;

namespace SlttEngine.Tests.Dnn;

/// <summary>Numbers as device memory of a type holds them.</summary>
internal static class Numbers
{
    /// <summary>Half a unit in the last place of float, relative.</summary>
    public const double FloatRounding = 1.0 / (1 << 24);

    /// <summary>How far a correctly rounded number of the type may be from what it stands for, relative.</summary>
    public static double Rounding(ComputeType type) => type switch
    {
        ComputeType.Float32 => FloatRounding,
        ComputeType.Float16 => 1.0 / (1 << 11),
        _ => 1.0 / (1 << 8),
    };

    /// <summary>What a half that is too small for a full mantissa may lose.</summary>
    public static double Underflow(ComputeType type) => type == ComputeType.Float16 ? 1.0 / (1 << 25) : 1e-37;

    /// <summary>The numbers' bytes in a type.</summary>
    public static byte[] Encode(ReadOnlySpan<float> values, ComputeType type)
    {
        if (type == ComputeType.Float32)
        {
            return MemoryMarshal.AsBytes(values).ToArray();
        }

        ushort[] bits = new ushort[values.Length];
        for (int i = 0; i < bits.Length; i++)
        {
            bits[i] = type == ComputeType.Float16 ? BitConverter.HalfToUInt16Bits((Half)values[i]) : BFloat16Bits(values[i]);
        }

        return MemoryMarshal.AsBytes<ushort>(bits).ToArray();
    }

    /// <summary>The numbers that bytes of a type hold.</summary>
    public static float[] Decode(ReadOnlySpan<byte> bytes, ComputeType type)
    {
        if (type == ComputeType.Float32)
        {
            return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        }

        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(bytes);
        float[] values = new float[bits.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = type == ComputeType.Float16
                ? (float)BitConverter.UInt16BitsToHalf(bits[i])
                : BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
        }

        return values;
    }

    /// <summary>Uniform numbers in [-1, 1) that the type holds exactly.</summary>
    public static float[] Random(int count, ComputeType type, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }

        return Decode(Encode(values, type), type);
    }

    private static ushort BFloat16Bits(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
}
