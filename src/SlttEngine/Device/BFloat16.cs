namespace SlttEngine.Device;

/// <summary>A bfloat16 number as it lies in device memory: the upper half of a float.</summary>
/// <param name="Bits">1 bit sign, 8 bits exponent, 7 bits mantissa.</param>
public readonly record struct BFloat16(ushort Bits)
{
    /// <summary>The same number as a float: exact.</summary>
    public static explicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.Bits << 16);

    /// <summary>Rounds to the nearest bfloat16, ties to even; NaN stays NaN.</summary>
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return new((ushort)(float.IsNaN(value) ? (bits >> 16) | 0x40 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16));
    }
}
