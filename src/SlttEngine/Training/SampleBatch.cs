using System.Globalization;
using SlttEngine.Data;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>A batch of training samples on the host: random ones of a data set's shape, or the data set's own.</summary>
/// <param name="Shape">Steps, channels, height, width of a sample.</param>
/// <param name="Classes">Classes of the data.</param>
/// <param name="Format">What makes the network's input of the elements; where images stay on the device, it does not say where yet.</param>
/// <param name="Elements">The samples as raw bytes: frames (steps, N, C, H, W), or images (N, C, H, W) that will stay on the
/// device.</param>
/// <param name="Labels">Classes (N).</param>
public sealed record SampleBatch(FrameShape Shape, int Classes, InputFormat Format, byte[] Elements, int[] Labels)
{
    /// <summary>Checks what was given.</summary>
    /// <exception cref="SlttException">A label is no class.</exception>
    internal void Validate()
    {
        for (int i = 0; i < Labels.Length; i++)
        {
            int index = i;
            ClassLabels.Check(Labels[i], Classes, () => $"sample {index} of the batch");
        }
    }

    /// <summary>Draws a batch; always the same one.</summary>
    /// <param name="format">The samples' sizes, classes and elements. Static images get a scale and a shift that suit uniform
    /// bytes.</param>
    /// <param name="count">Samples.</param>
    public static SampleBatch Random(SampleFormat format, int count)
    {
        (FrameShape shape, int classes) = (format.Shape, format.Classes);
        Random random = new(2022);
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(classes))];
        InputFormat input = ForUniformBytes(format).Input(default, train: true);
        int elementSize = ElementSize(input);
        byte[] elements = new byte[shape.Length * count * elementSize];
        random.NextBytes(elements);
        if (shape.Steps > 1)
        {
            MakeSparse(elements, elementSize);
        }

        return new SampleBatch(shape, classes, input, elements, labels);
    }

    /// <summary>Reads the batch that a run with these options begins with.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="set">The training set.</param>
    /// <param name="damaged">Receives one line about each sample that is left out, from any thread.</param>
    /// <exception cref="SlttException">The set has no whole batch, or a label is no class.</exception>
    public static SampleBatch First(TrainingOptions options, IDataSet set, Action<string> damaged)
    {
        using BatchLoader loader = new(
            set, TrainingData.Loading(options with { DropLast = false }, set, train: true) with { Damaged = damaged });
        loader.Start(epoch: 0);
        Batch batch = loader.Next()!;
        byte[] elements = set is IImageSet images ? Pixels(images, batch.Indices) : batch.Frames.ToArray();
        return new SampleBatch(set.Shape, set.Classes, SampleFormat.Of(set).Input(default, train: true), elements, batch.Labels.ToArray());
    }

    /// <summary>
    /// Writes the batch as safetensors: <c>samples</c> (steps, N, C, H, W), <c>labels</c> (N), and what the network's input is made by, per
    /// channel: frames by
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

    // Uniform bytes have another mean and deviation than photographs: these make the input −1 to 1 or −2 to 2.
    private static SampleFormat ForUniformBytes(SampleFormat format) => format switch
    {
        SampleFormat.Images i => i with { Mean = [.. i.Mean.Select(_ => 0.5f)], Std = [.. i.Std.Select(_ => 0.5f)] },
        SampleFormat.Frames { Shape.Steps: 1 } f =>
            f with { Scale = [.. f.Scale.Select(_ => 1f / 64)], Shift = [.. f.Shift.Select(_ => -2f)] },
        _ => format,
    };

    // One pixel in eight has events, one to three: frames are sparse.
    private static void MakeSparse(byte[] counts, int elementSize)
    {
        for (int i = 0; i < counts.Length; i += elementSize)
        {
            counts[i] = (byte)(counts[i] < 32 ? 1 + (counts[i] % 3) : 0);
            counts.AsSpan(i + 1, elementSize - 1).Clear();
        }
    }
}
