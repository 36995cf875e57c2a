using System.Buffers.Binary;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>Reads events, and frames of event counts, from the NumPy files that other programs leave.</summary>
internal static class EventArrays
{
    private const double MaxExact = 1L << 53;

    /// <summary>SpikingJelly's events_np: an .npz file with t (µs), x, y and p, each of shape (N,) and of an integer type.</summary>
    /// <exception cref="SlttException">The file cannot be read or holds what cannot be meant.</exception>
    internal static EventList ReadNpz(string path)
    {
        string[] names = ["t", "x", "y", "p"];
        NpyArray[] arrays = NpzFile.Read(path, names);
        for (int i = 0; i < names.Length; i++)
        {
            NpyArray array = arrays[i];
            if (array.Shape.Count != 1 || array.Count != arrays[0].Count)
            {
                throw FileErrors.Bad(
                    path, $"{names[i]} has shape {array.ShapeText}; t, x, y and p have one number for each event, t has {arrays[0].Count}");
            }

            if (array.Type is TensorType.Bool or TensorType.F16 or TensorType.F32 or TensorType.F64)
            {
                throw FileErrors.Bad(
                    path, $"{names[i]} is of type {TensorTypes.Name(array.Type)}; t, x, y and p are whole numbers",
                    $"save it as integers: {names[i]}.astype(np.int64)");
            }
        }

        CheckedEvents events = new(path, arrays[0].Count);
        for (int i = 0; i < arrays[0].Count; i++)
        {
            events.Add(Whole(arrays[0], i), Whole(arrays[1], i), Whole(arrays[2], i), Whole(arrays[3], i));
        }

        return events.List;
    }

    /// <summary>tonic's DVS-Gesture: an .npy file of shape (N, 4) with the columns x, y, p and t (ms).</summary>
    /// <exception cref="SlttException">The file cannot be read or holds what cannot be meant.</exception>
    internal static EventList ReadTonic(string path)
    {
        NpyArray array = NpyArray.Read(path);
        if (array.Shape.Count != 2 || array.Shape[1] != 4)
        {
            throw FileErrors.Bad(path, $"has shape {array.ShapeText}, not (events, 4): x, y, p, t in ms");
        }

        RequireNumbers(path, "the array", array);
        CheckedEvents events = new(path, array.Count / 4);
        for (int i = 0; i < array.Count; i += 4)
        {
            // tonic multiplies in the array's own type, then drops what is behind the point.
            double ms = Number(array, i + 3);
            double t = array.Type == TensorType.F32 ? (float)ms * 1000f : ms * 1000;
            if (!(Math.Abs(t) < MaxExact))
            {
                throw FileErrors.Bad(path, $"event {i / 4} has time {ms} ms");
            }

            events.Add((long)t, Column(path, array, i), Column(path, array, i + 1), Column(path, array, i + 2));
        }

        return events.List;
    }

    /// <summary>Frames of counts: an .npz file with an array of shape (T, 2, 128, 128).</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The array's name.</param>
    /// <param name="steps">T.</param>
    /// <param name="anyCount">
    /// The file may hold another number of frames than T: the first T count; those that are missing at the end are empty.
    /// </param>
    /// <returns>(T, 2, 128, 128).</returns>
    /// <exception cref="SlttException">The file cannot be read or holds what cannot be meant.</exception>
    internal static ushort[] ReadFrames(string path, string name, int steps, bool anyCount)
    {
        NpyArray array = NpzFile.Read(path, name)[0];
        if (array.Shape is not [_, 2, EventFrames.Sensor, EventFrames.Sensor])
        {
            throw FileErrors.Bad(path, $"{name} has shape {array.ShapeText}, not (T, 2, {EventFrames.Sensor}, {EventFrames.Sensor})");
        }

        if (!anyCount && array.Shape[0] != steps)
        {
            throw FileErrors.Bad(
                path, $"holds {array.Shape[0]} frames, not T = {steps}",
                $"train with T = {array.Shape[0]}, or make the frames anew");
        }

        RequireNumbers(path, name, array);
        ushort[] counts = new ushort[steps * EventFrames.FrameLength];
        for (int i = 0; i < array.Count; i++)
        {
            double value = Number(array, i);
            if (!(value >= 0 && value <= ushort.MaxValue && value == Math.Floor(value)))
            {
                throw FileErrors.Bad(
                    path, $"{name} holds {value}, which is no count of events (0 to {ushort.MaxValue})",
                    "make frames without normalisation");
            }

            if (i < counts.Length)
            {
                counts[i] = (ushort)value;
            }
        }

        return counts;
    }

    private static long Column(string path, NpyArray array, int index) =>
        Number(array, index) is double value && value == Math.Floor(value) && Math.Abs(value) < MaxExact ? (long)value
            : throw FileErrors.Bad(path, $"event {index / 4} has {Number(array, index)} for x, y or p, which are whole numbers");

    private static void RequireNumbers(string path, string name, NpyArray array)
    {
        if (array.Type is TensorType.Bool or TensorType.F16)
        {
            throw FileErrors.Bad(
                path, $"{name} is of type {TensorTypes.Name(array.Type)}, not of whole numbers or floats of 4 or 8 bytes");
        }
    }

    /// <summary>An element of an array of floats or integers.</summary>
    private static double Number(NpyArray array, int index) => array.Type switch
    {
        TensorType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(array.Data.Span[(8 * index)..]),
        TensorType.F32 => BinaryPrimitives.ReadSingleLittleEndian(array.Data.Span[(4 * index)..]),
        _ => Whole(array, index),
    };

    /// <summary>An element of an array of integers; long.MaxValue for what is larger.</summary>
    private static long Whole(NpyArray array, int index)
    {
        ReadOnlySpan<byte> data = array.Data.Span[(index * TensorTypes.Size(array.Type))..];
        return array.Type switch
        {
            TensorType.I64 => BinaryPrimitives.ReadInt64LittleEndian(data),
            TensorType.I32 => BinaryPrimitives.ReadInt32LittleEndian(data),
            TensorType.I16 => BinaryPrimitives.ReadInt16LittleEndian(data),
            TensorType.I8 => (sbyte)data[0],
            TensorType.U64 => (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(data), long.MaxValue),
            TensorType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(data),
            TensorType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(data),
            _ => data[0],
        };
    }
}
