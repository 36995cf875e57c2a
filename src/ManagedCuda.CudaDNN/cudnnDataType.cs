namespace ManagedCuda.CudaDNN;

/// <summary>Number types.</summary>
public enum cudnnDataType
{
    /// <summary>32-bit float.</summary>
    Float = 0,

    /// <summary>64-bit float.</summary>
    Double = 1,

    /// <summary>16-bit float (IEEE half).</summary>
    Half = 2,

    /// <summary>8-bit integer.</summary>
    Int8 = 3,

    /// <summary>32-bit integer.</summary>
    Int32 = 4,

    /// <summary>Four 8-bit integers.</summary>
    Int8x4 = 5,

    /// <summary>Byte.</summary>
    UInt8 = 6,

    /// <summary>Four bytes.</summary>
    UInt8x4 = 7,

    /// <summary>32 8-bit integers.</summary>
    Int8x32 = 8,

    /// <summary>bfloat16.</summary>
    BFloat16 = 9,

    /// <summary>64-bit integer.</summary>
    Int64 = 10,

    /// <summary>Truth value.</summary>
    Boolean = 11,

    /// <summary>8-bit float, 4 bits of exponent.</summary>
    FP8_E4M3 = 12,

    /// <summary>8-bit float, 5 bits of exponent.</summary>
    FP8_E5M2 = 13,

    /// <summary>Float sums of lower precision, for 8-bit floats.</summary>
    FastFloatForFP8 = 14,
}
