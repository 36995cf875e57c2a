using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SlttEngine.IO;

/// <summary>
/// An array of numbers in NumPy's .npy format, row-major. What NumPy would have to run or reorder is refused: Python objects (a pickle),
/// records, text, and arrays in Fortran order.
/// </summary>
internal sealed partial class NpyArray
{
    private const int MaxHeaderBytes = 1 << 16;

    private NpyArray(TensorType type, long[] shape, int count, ReadOnlyMemory<byte> data) =>
        (Type, Shape, Count, Data) = (type, shape, count, data);

    /// <summary>The type of an element.</summary>
    internal TensorType Type { get; }

    /// <summary>The sizes.</summary>
    internal IReadOnlyList<long> Shape { get; }

    /// <summary>The number of elements.</summary>
    internal int Count { get; }

    /// <summary>The elements, little-endian.</summary>
    internal ReadOnlyMemory<byte> Data { get; }

    /// <summary>The sizes as Python prints them.</summary>
    internal string ShapeText => Shape.Count == 1 ? $"({Shape[0]},)" : $"({string.Join(", ", Shape)})";

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads a .npy file.</summary>
    /// <exception cref="SlttException">The file cannot be read or is no array of numbers in row-major order.</exception>
    internal static NpyArray Read(string path) => Parse(path, FileErrors.ReadAll(path));

    /// <summary>Parses the bytes of a .npy file.</summary>
    /// <param name="place">The file, and the array in it, for errors.</param>
    /// <param name="bytes">All bytes; the array keeps them.</param>
    internal static NpyArray Parse(string place, byte[] bytes)
    {
        (string header, int start) = Header(place, bytes);
        Match descr = Descr().Match(header), order = Order().Match(header), sizes = Sizes().Match(header);
        if (!descr.Success || !order.Success || !sizes.Success)
        {
            throw FileErrors.Bad(place, "the .npy header lacks the element type, the order or the shape");
        }

        (TensorType type, bool swap) = ElementType(place, descr);
        if (order.Groups[1].Value == "True")
        {
            throw FileErrors.Bad(place, "an array in Fortran order", "save it with np.ascontiguousarray(array)");
        }

        if (!TryShape(sizes.Groups[1].Value, out long[] shape) || !TensorTypes.TryCount(shape, out long count)
            || count > Array.MaxLength / TensorTypes.Size(type))
        {
            throw FileErrors.Bad(place, $"an array of shape ({sizes.Groups[1].Value})");
        }

        int size = TensorTypes.Size(type);
        if (count * size != bytes.Length - start)
        {
            throw FileErrors.Bad(
                place, $"{bytes.Length - start} bytes behind the header, but shape and type need {count * size}: truncated?");
        }

        if (swap)
        {
            for (int i = start; i < bytes.Length; i += size)
            {
                bytes.AsSpan(i, size).Reverse();
            }
        }

        return new NpyArray(type, shape, (int)count, bytes.AsMemory(start));
    }

    private static (string Text, int End) Header(string place, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Magic))
        {
            throw FileErrors.Bad(place, "not in NumPy's .npy format");
        }

        // Version 1 has a length of 2 bytes, versions 2 and 3 of 4.
        int start = bytes.Length > 6 && bytes[6] == 1 ? 10 : 12;
        if (bytes.Length < start || bytes[6] is < 1 or > 3)
        {
            throw FileErrors.Bad(place, "the .npy header is cut off or of an unknown version");
        }

        long length = start == 10 ? BitConverter.ToUInt16(bytes[8..]) : BitConverter.ToUInt32(bytes[8..]);
        return length <= Math.Min(MaxHeaderBytes, bytes.Length - start)
            ? (Encoding.Latin1.GetString(bytes.Slice(start, (int)length)), start + (int)length)
            : throw FileErrors.Bad(place, "the .npy header is cut off");
    }

    private static (TensorType Type, bool Swap) ElementType(string place, Match descr)
    {
        if (!descr.Groups[1].Success)
        {
            throw FileErrors.Bad(place, "an array of records, not of numbers");
        }

        string name = descr.Groups[1].Value;
        TensorType? type = TensorTypes.OfNumpy(name.TrimStart('<', '>', '|', '='));
        return type is { } known ? (known, name.StartsWith('>') && TensorTypes.Size(known) > 1)
            : throw (name.EndsWith('O')
                ? FileErrors.Bad(
                    place, "an array of Python objects: a pickle, which could run anything and is never loaded",
                    "save plain numbers: np.save(path, array, allow_pickle=False)")
                : FileErrors.Bad(place, $"an array of NumPy type {name}, not of plain numbers"));
    }

    private static bool TryShape(string text, out long[] shape)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        parts = parts[^1].Length == 0 ? parts[..^1] : parts;
        shape = new long[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!long.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out shape[i]))
            {
                return false;
            }
        }

        return true;
    }

    [GeneratedRegex(@"'descr'\s*:\s*(?:'([^']*)'|\[)")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape'\s*:\s*\(([0-9, ]*)\)")]
    private static partial Regex Sizes();
}
