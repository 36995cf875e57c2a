using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SlttEngine.IO;

/// <summary>The element types of tensors in files, by safetensors' names.</summary>
public enum TensorType
{
    /// <summary>IEEE double.</summary>
    F64,

    /// <summary>IEEE single.</summary>
    F32,

    /// <summary>IEEE half.</summary>
    F16,

    /// <summary>The upper half of an IEEE single.</summary>
    BF16,

    /// <summary>Signed, 8 bytes.</summary>
    I64,

    /// <summary>Signed, 4 bytes.</summary>
    I32,

    /// <summary>Signed, 2 bytes.</summary>
    I16,

    /// <summary>Signed, 1 byte.</summary>
    I8,

    /// <summary>Unsigned, 8 bytes.</summary>
    U64,

    /// <summary>Unsigned, 4 bytes.</summary>
    U32,

    /// <summary>Unsigned, 2 bytes.</summary>
    U16,

    /// <summary>Unsigned, 1 byte.</summary>
    U8,

    /// <summary>One byte, 0 or 1.</summary>
    Bool,
}

/// <summary>Sizes, names and conversions of <see cref="TensorType"/>. All files are little-endian, as are the machines.</summary>
public static class TensorTypes
{
    /// <summary>The type that NumPy calls by a letter and a size: f4, i8, b1; null for what is no plain number.</summary>
    public static TensorType? OfNumpy(string name) => name switch
    {
        "f8" => TensorType.F64,
        "f4" => TensorType.F32,
        "f2" => TensorType.F16,
        "i8" => TensorType.I64,
        "i4" => TensorType.I32,
        "i2" => TensorType.I16,
        "i1" => TensorType.I8,
        "u8" => TensorType.U64,
        "u4" => TensorType.U32,
        "u2" => TensorType.U16,
        "u1" => TensorType.U8,
        "b1" => TensorType.Bool,
        _ => null,
    };

    /// <summary>Bytes an element.</summary>
    public static int Size(TensorType type) => type switch
    {
        TensorType.F64 or TensorType.I64 or TensorType.U64 => 8,
        TensorType.F32 or TensorType.I32 or TensorType.U32 => 4,
        TensorType.F16 or TensorType.BF16 or TensorType.I16 or TensorType.U16 => 2,
        _ => 1,
    };

    /// <summary>The name in a safetensors header.</summary>
    public static string Name(TensorType type) => type == TensorType.Bool ? "BOOL" : type.ToString();

    /// <summary>The type of a safetensors name; false if there is none.</summary>
    public static bool TryParse(string? name, out TensorType type)
    {
        foreach (TensorType candidate in Enum.GetValues<TensorType>())
        {
            if (Name(candidate) == name)
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }

    /// <summary>The number of elements of a shape; a scalar, [], has one.</summary>
    /// <returns>False if a size is negative or the product does not fit.</returns>
    public static bool TryCount(ReadOnlySpan<long> shape, out long count)
    {
        count = 1;
        foreach (long size in shape)
        {
            if (size < 0 || (size != 0 && count > long.MaxValue / 16 / size))
            {
                return false;
            }

            count *= size;
        }

        return true;
    }

    /// <summary>Elements of a floating-point type as floats (F64 is rounded).</summary>
    /// <returns>False if <paramref name="type"/> is not a floating-point type.</returns>
    public static bool TryToFloat32(TensorType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case TensorType.F32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values);
                return true;
            case TensorType.F64:
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                }

                return true;
            case TensorType.F16:
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]);
                }

                return true;
            case TensorType.BF16:
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
                }

                return true;
            default:
                return false;
        }
    }

    /// <summary>Elements of an integer or boolean type as longs.</summary>
    /// <returns>False if <paramref name="type"/> is a floating-point type, or a U64 does not fit.</returns>
    public static bool TryToInt64(TensorType type, ReadOnlySpan<byte> bytes, Span<long> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            switch (type)
            {
                case TensorType.I64:
                    values[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(8 * i)..]);
                    break;
                case TensorType.U64:
                    ulong wide = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * i)..]);
                    if (wide > long.MaxValue)
                    {
                        return false;
                    }

                    values[i] = (long)wide;
                    break;
                case TensorType.I32:
                    values[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]);
                    break;
                case TensorType.U32:
                    values[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * i)..]);
                    break;
                case TensorType.I16:
                    values[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]);
                    break;
                case TensorType.U16:
                    values[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]);
                    break;
                case TensorType.I8:
                    values[i] = (sbyte)bytes[i];
                    break;
                case TensorType.U8 or TensorType.Bool:
                    values[i] = bytes[i];
                    break;
                default:
                    return false;
            }
        }

        return true;
    }
}
