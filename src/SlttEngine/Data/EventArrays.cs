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
        long[][] columns = new long[names.Length][];
        for (int i = 0; i < names.Length; i++)
        {
            NpyArray array = arrays[i];
            if (array.Shape.Count != 1 || array.Count != arrays[0].Count)
            {
                throw FileErrors.Bad(
                    path, $"{names[i]} has shape {array.ShapeText}; t, x, y and p have one number for each event, t has {arrays[0].Count}");
            }

            columns[i] = new long[array.Count];
            if (array.Type == TensorType.Bool || !TensorTypes.TryToInt64(array.Type, array.Data.Span, columns[i]))
            {
                throw FileErrors.Bad(
                    path, $"{names[i]} is of type {TensorTypes.Name(array.Type)}; t, x, y and p are whole numbers",
                    $"save it as integers: {names[i]}.astype(np.int64)");
            }
        }

        CheckedEvents events = new(path, arrays[0].Count);
        for (int i = 0; i < arrays[0].Count; i++)
        {
            events.Add(columns[0][i], columns[1][i], columns[2][i], columns[3][i]);
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

        double[] values = Values(path, "the array", array);
        CheckedEvents events = new(path, values.Length / 4);
        for (int i = 0; i < values.Length; i += 4)
        {
            // tonic multiplies in the array's own type, then drops what is behind the point.
            double t = array.Type == TensorType.F32 ? (float)values[i + 3] * 1000f : values[i + 3] * 1000;
            if (!(Math.Abs(t) < MaxExact))
            {
                throw FileErrors.Bad(path, $"event {i / 4} has time {values[i + 3]} ms");
            }

            events.Add((long)t, Whole(path, values[i], i), Whole(path, values[i + 1], i), Whole(path, values[i + 2], i));
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

        double[] values = Values(path, name, array);
        ushort[] counts = new ushort[steps * EventFrames.FrameLength];
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
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

    /// <summary>All elements of an array of floats or integers.</summary>
    private static double[] Values(string path, string name, NpyArray array)
    {
        double[] values = new double[array.Count];
        if (array.Type is TensorType.F64)
        {
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(array.Data.Span).CopyTo(values);
            return values;
        }

        if (array.Type is TensorType.F32)
        {
            float[] single = new float[array.Count];
            TensorTypes.TryToFloat32(array.Type, array.Data.Span, single);
            return Array.ConvertAll(single, v => (double)v);
        }

        long[] whole = new long[array.Count];
        return array.Type is not (TensorType.Bool or TensorType.F16) && TensorTypes.TryToInt64(array.Type, array.Data.Span, whole)
            && whole.All(v => v is > (long)-MaxExact and < (long)MaxExact)
            ? Array.ConvertAll(whole, v => (double)v)
            : throw FileErrors.Bad(
                path, $"{name} is of type {TensorTypes.Name(array.Type)}, not of whole numbers or floats of 4 or 8 bytes");
    }

    private static long Whole(string path, double value, int index) =>
        value == Math.Floor(value) && Math.Abs(value) < MaxExact ? (long)value
            : throw FileErrors.Bad(path, $"event {index / 4} has {value} for x, y or p, which are whole numbers");
}
