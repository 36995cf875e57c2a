using System.Globalization;

namespace SlttEngine.IO;

/// <summary>The number that a pickled value is: an int, a float, a NumPy number, or a tensor or array of one element.</summary>
internal static class PickleNumber
{
    /// <summary>Gives the value's number.</summary>
    /// <param name="value">What the pickle holds.</param>
    /// <param name="path">The file, for errors.</param>
    /// <param name="number">long, double or bool.</param>
    /// <returns>False if the value is not one number.</returns>
    /// <exception cref="SlttException">A tensor reaches outside its storage.</exception>
    internal static bool TryRead(object? value, string path, out object? number)
    {
        number = value switch
        {
            long or double => value,
            NumpyArray { Shape: [] or [1] } array when TensorTypes.OfNumpy(array.Type) is { } type => Element(type, array.Data),
            PthTensor { Shape: [] or [1] } tensor => Element(tensor.Storage.Type, tensor.ToDense("number", path).Bytes),
            _ => null,
        };
        return number is not null;
    }

    /// <summary>A NumPy scalar: its type and its bytes.</summary>
    internal static object? FromNumpy(object?[] arguments) =>
        arguments is [NumpyType type, byte[] bytes] && TensorTypes.OfNumpy(type.Name) is { } element && bytes.Length == type.Size
            ? Element(element, bytes) : new PickleOpaque("numpy.core.multiarray.scalar");

    private static object? Element(TensorType type, ReadOnlySpan<byte> bytes)
    {
        if (type == TensorType.F64)
        {
            return BitConverter.ToDouble(bytes);
        }

        // A float's own digits: 0.1 in single precision is 0.1, not 0.10000000149011612.
        float[] single = new float[1];
        if (TensorTypes.TryToFloat32(type, bytes, single))
        {
            return double.Parse(single[0].ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        }

        long[] integer = new long[1];
        return !TensorTypes.TryToInt64(type, bytes, integer) ? null : type == TensorType.Bool ? integer[0] != 0 : integer[0];
    }
}
