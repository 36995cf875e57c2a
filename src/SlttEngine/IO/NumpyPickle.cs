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

        if (columnMajor && shape.Length > 1)
        {
            throw new PickleFormatException("a NumPy array in column-major order");
        }

        (Type, Shape, Data) = (type.Name, shape, data);
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
        ["numpy.ndarray"] = static _ => throw new PickleFormatException("is a type here, not a call"),
        ["numpy.dtype"] = MakeType,
        ["_codecs.encode"] = Encode,
    };

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
