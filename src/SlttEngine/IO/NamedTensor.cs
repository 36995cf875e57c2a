using System.Runtime.InteropServices;

namespace SlttEngine.IO;

/// <summary>A tensor on the host under its name: what checkpoints are made of. Row-major and dense.</summary>
public sealed class NamedTensor
{
    private readonly Array values;

    private NamedTensor(string name, TensorType type, long[] shape, Array values)
    {
        Name = name;
        Type = type;
        Shape = shape;
        this.values = values;
        if (!TensorTypes.TryCount(shape, out long count) || count * TensorTypes.Size(type) != Bytes.Length)
        {
            throw new ArgumentException($"{name}: [{string.Join(", ", shape)}] of {type} is not {Bytes.Length} bytes");
        }
    }

    /// <summary>For example <c>net.layer1.0.conv1.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public TensorType Type { get; }

    /// <summary>The sizes, PyTorch's order; empty for a scalar.</summary>
    public long[] Shape { get; }

    /// <summary>The number of elements.</summary>
    public long Count => Bytes.Length / TensorTypes.Size(Type);

    /// <summary>The raw elements, little-endian.</summary>
    public ReadOnlySpan<byte> Bytes => values switch
    {
        byte[] bytes => bytes,
        float[] floats => MemoryMarshal.AsBytes<float>(floats),
        _ => MemoryMarshal.AsBytes<long>((long[])values),
    };

    /// <summary>A float tensor over <paramref name="values"/>, which is not copied.</summary>
    public static NamedTensor Float32(string name, long[] shape, float[] values) => new(name, TensorType.F32, shape, values);

    /// <summary>A tensor of longs over <paramref name="values"/>, which is not copied.</summary>
    public static NamedTensor Int64(string name, long[] shape, long[] values) => new(name, TensorType.I64, shape, values);

    /// <summary>A tensor of any type over its raw bytes, which are not copied.</summary>
    public static NamedTensor Raw(string name, TensorType type, long[] shape, byte[] bytes) => new(name, type, shape, bytes);

    /// <summary>The same tensor under another name.</summary>
    public NamedTensor Renamed(string name) => new(name, Type, Shape, values);

    /// <summary>The elements as floats; F64, F16 and BF16 are converted.</summary>
    /// <exception cref="SlttException">The tensor holds integers.</exception>
    public float[] ToFloat32()
    {
        float[] values = new float[Count];
        return TensorTypes.TryToFloat32(Type, Bytes, values) ? values
            : throw new SlttException(ErrorKind.Data, $"tensor {Name} holds {TensorTypes.Name(Type)}, not floating-point numbers");
    }

    /// <summary>The elements as longs; every integer type and BOOL is converted.</summary>
    /// <exception cref="SlttException">The tensor holds floating-point numbers.</exception>
    public long[] ToInt64()
    {
        long[] values = new long[Count];
        return TensorTypes.TryToInt64(Type, Bytes, values) ? values
            : throw new SlttException(ErrorKind.Data, $"tensor {Name} holds {TensorTypes.Name(Type)}, not integers");
    }
}
