using System.Globalization;
using SlttEngine.Data;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>A batch of training samples on the host: random ones of a data set's shape, or the data set's own.</summary>
/// <param name="Shape">Steps, channels, height, width of a sample.</param>
/// <param name="Classes">Classes of the data.</param>
/// <param name="Format">What makes the network's input of the elements; where images stay on the device, it does not say where yet.</param>
/// <param name="Elements">The samples as raw bytes: frames (steps, N, C, H, W), or images (N, C, H, W) that will stay on the device.</param>
/// <param name="Labels">Classes (N).</param>
public sealed record SampleBatch(FrameShape Shape, int Classes, InputFormat Format, byte[] Elements, int[] Labels)
{
    /// <summary>Draws a batch; always the same one.</summary>
    /// <param name="options">The run's options: data set and batch size; the data set's files are not read.</param>
    public static SampleBatch Random(TrainOptions options)
    {
        (FrameShape shape, int classes) = RunData.Describe(options);
        Random random = new(2022);
        int[] labels = [.. Enumerable.Range(0, options.BatchSize).Select(_ => random.Next(classes))];
        InputFormat format = RunData.Format(options, default, train: true);
        int elementSize = ElementSize(format);
        byte[] elements = new byte[shape.Length * options.BatchSize * elementSize];
        random.NextBytes(elements);
        if (shape.Steps > 1)
        {
            KeepFew(elements, elementSize);
        }

        return new SampleBatch(shape, classes, format, elements, labels);
    }

    /// <summary>Reads the batch that a run with these options begins with.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="preparing">As in <see cref="RunData.Open"/>.</param>
    /// <exception cref="SlttException">The folder doesn't hold the data set, or no whole batch of it.</exception>
    public static SampleBatch First(TrainOptions options, Action<string> preparing)
    {
        IDataSet set = RunData.OpenPart(options, train: true, preparing, preparing);
        using IDisposable? files = set as IDisposable;
        using BatchLoader loader = new(set, RunData.Loading(options, set, train: true, dropLast: false));
        loader.Start(epoch: 0);
        Batch batch = loader.Next()!;
        byte[] elements = set is IImageSet images ? Pixels(images, batch.Indices) : batch.Frames.ToArray();
        return new SampleBatch(RunData.Shape(set), set.ClassNames.Count, RunData.Format(set, default, train: true), elements, batch.Labels.ToArray());
    }

    /// <summary>
    /// Writes the batch as safetensors: <c>samples</c> (steps, N, C, H, W), <c>labels</c> (N), and what the network's input is made by, per channel: frames by
    /// <c>scale</c> and <c>shift</c>; images by <c>mean</c> and <c>std</c>, after the augmentation that the metadata's <c>seed</c> decides.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="SlttException">It can't be written.</exception>
    public void Write(string path, long seed)
    {
        static NamedTensor Channels(string name, float[] values) => NamedTensor.Float32(name, [values.Length], values);
        TensorType type = ElementSize(Format) == 1 ? TensorType.U8 : TensorType.U16;
        long[] shape = [Shape.Steps, Labels.Length, Shape.Channels, Shape.Height, Shape.Width];
        List<NamedTensor> tensors =
        [
            NamedTensor.Raw("samples", type, shape, Elements),
            NamedTensor.Int64("labels", [Labels.Length], [.. Labels.Select(l => (long)l)]),
        ];
        tensors.AddRange(Format switch
        {
            InputFormat.Frames f => [Channels("scale", f.Scale), Channels("shift", f.Shift)],
            InputFormat.ResidentCifar c => [Channels("mean", c.Mean), Channels("std", c.Std)],
            _ => throw new InvalidOperationException($"{Format} is no batch's format"),
        });
        SafeTensorsWriter.Write(path, tensors, new Dictionary<string, string> { ["seed"] = seed.ToString(CultureInfo.InvariantCulture) });
    }

    private static int ElementSize(InputFormat format) => format is InputFormat.Frames frames ? frames.ElementSize : 1;

    private static byte[] Pixels(IImageSet set, ReadOnlySpan<int> indices)
    {
        int length = set.Shape.Length;
        byte[] pixels = new byte[length * indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            set.Images.Span.Slice(indices[i] * length, length).CopyTo(pixels.AsSpan(i * length));
        }

        return pixels;
    }

    // One pixel in eight has events, one to three: frames are sparse.
    private static void KeepFew(byte[] counts, int elementSize)
    {
        for (int i = 0; i < counts.Length; i += elementSize)
        {
            counts[i] = (byte)(counts[i] < 32 ? 1 + (counts[i] % 3) : 0);
            counts.AsSpan(i + 1, elementSize - 1).Clear();
        }
    }
}
