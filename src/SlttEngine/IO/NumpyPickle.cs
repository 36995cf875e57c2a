using System.Text;

namespace SlttEngine.IO;

/// <summary>A NumPy array as it lies in a pickle: its element type by NumPy's name, shape, and raw elements, row-major.</summary>
internal sealed class NumpyArray : IPickleBuildable
{
    /// <summary>For example u1 (unsigned, 1 byte) or i8.</summary>
    internal string Type { get; private set; } = "";

    /// <summary>The sizes.</summary>
    internal long[] Shape { get; private set; } = [];

    /// <summary>The elements, little-endian.</summary>
    internal byte[] Data { get; private set; } = [];

    /// <summary>(version, shape, dtype, is it column-major, raw elements).</summary>
    public void Build(object? state)
    {
        if (state is not object?[] { Length: 5 } parts || PickleValues.Longs(parts[1]) is not { } shape
            || parts[2] is not NumpyType type || parts[3] is not bool columnMajor || parts[4] is not byte[] data
            || !TensorTypes.TryCount(shape, out long count) || count * type.Size != data.Length)
        {
            throw new PickleFormatException("a NumPy array whose shape, type and data do not fit");
        }

        (Type, Shape, Data) = (type.Name, shape, columnMajor ? RowMajor(data, shape, type.Size) : data);
    }

    /// <summary>Elements of a column-major array (the first index runs fastest) in row-major order.</summary>
    private static byte[] RowMajor(byte[] data, long[] shape, int size)
    {
        if (shape.Length < 2 || data.Length == 0)
        {
            return data;
        }

        byte[] rows = new byte[data.Length];
        long[] strides = new long[shape.Length];
        strides[0] = 1;
        for (int d = 1; d < shape.Length; d++)
        {
            strides[d] = strides[d - 1] * shape[d - 1];
        }

        long[] index = new long[shape.Length];
        long from = 0;
        for (int to = 0; to < data.Length; to += size)
        {
            data.AsSpan((int)(from * size), size).CopyTo(rows.AsSpan(to));
            for (int d = shape.Length - 1; d >= 0; d--)
            {
                from += strides[d];
                if (++index[d] < shape[d])
                {
                    break;
                }

                from -= strides[d] * shape[d];
                index[d] = 0;
            }
        }

        return rows;
    }
}

/// <summary>A NumPy element type of one letter and a size, little-endian.</summary>
internal sealed class NumpyType(string name, int size) : IPickleBuildable
{
    internal string Name => name;

    internal int Size => size;

    /// <summary>(version, byte order, …).</summary>
    public void Build(object? state)
    {
        if (state is not object?[] { Length: >= 2 } parts || PickleValues.Text(parts[1]) is not ("<" or "|" or "="))
        {
            throw new PickleFormatException("a NumPy type that is not little-endian");
        }
    }
}

/// <summary>The names that a pickle of NumPy arrays uses, for <see cref="Unpickler"/>.</summary>
internal static class NumpyPickle
{
    /// <summary>Arrays of numbers; by the module names of NumPy 1 and 2.</summary>
    internal static IReadOnlyDictionary<string, PickleCallable> Globals { get; } = new Dictionary<string, PickleCallable>
    {
        ["numpy.core.multiarray._reconstruct"] = static _ => new NumpyArray(),
        ["numpy._core.multiarray._reconstruct"] = static _ => new NumpyArray(),
        ["numpy.core.numeric._frombuffer"] = FromBuffer,
        ["numpy._core.numeric._frombuffer"] = FromBuffer,
        ["numpy.core.multiarray.scalar"] = PickleNumber.FromNumpy,
        ["numpy._core.multiarray.scalar"] = PickleNumber.FromNumpy,
        ["numpy.ndarray"] = static _ => throw new PickleFormatException("is a type here, not a call"),
        ["numpy.dtype"] = MakeType,
        ["_codecs.encode"] = Encode,
    };

    /// <summary>Whole numbers: a list or tuple of Python's or NumPy's, or an array of one dimension; null if it is neither.</summary>
    internal static long[]? Integers(object? value)
    {
        if (value is not NumpyArray array)
        {
            return PickleValues.Longs(value);
        }

        if (array.Shape is not [long count] || TensorTypes.OfNumpy(array.Type) is not { } type || type == TensorType.Bool)
        {
            return null;
        }

        long[] values = new long[count];
        return TensorTypes.TryToInt64(type, array.Data, values) ? values : null;
    }

    /// <summary>An array as protocol 5 writes it: elements, type, shape, order.</summary>
    private static NumpyArray FromBuffer(object?[] arguments)
    {
        if (arguments is not [byte[] data, NumpyType type, object?[] shape, var order] || PickleValues.Text(order) is not ("C" or "F"))
        {
            throw new PickleFormatException("a NumPy array whose shape, type and data do not fit");
        }

        NumpyArray array = new();
        array.Build(new object?[] { 1L, shape, type, PickleValues.Text(order) == "F", data });
        return array;
    }

    private static NumpyType MakeType(object?[] arguments)
    {
        string? name = arguments.Length > 0 ? PickleValues.Text(arguments[0]) : null;
        return name is { Length: 2 } && name[0] is 'u' or 'i' or 'f' or 'b' && name[1] is '1' or '2' or '4' or '8'
            ? new NumpyType(name, name[1] - '0')
            : throw new PickleFormatException("a NumPy type that is not a plain number");
    }

    /// <summary>How Python 3 writes bytes in the old protocols: text and the codec that turns it back.</summary>
    private static byte[] Encode(object?[] arguments) =>
        arguments is [string text, var codec] && PickleValues.Text(codec) is "latin1" && text.All(c => c <= '\xff')
            ? Encoding.Latin1.GetBytes(text) : throw new PickleFormatException("a codec other than latin1");
}
