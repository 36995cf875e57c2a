using SlttEngine.IO;

namespace SlttEngine.Data.Sets;

/// <summary>A sample that a file holds.</summary>
/// <param name="File">The file.</param>
/// <param name="Gesture">Which part of a recording it is, where a labels file beside it names parts; null: all of the file.</param>
/// <param name="Elements">Elements (steps, channels, height, width) as raw bytes, as the data set's samples have them.</param>
internal sealed record FileSample(string File, GestureLabel? Gesture, byte[] Elements);

/// <summary>Reads files that belong to no data folder as a data set's network takes its input.</summary>
/// <param name="format">What the network takes.</param>
internal abstract class SampleFiles(SampleFormat format)
{
    /// <summary>What the network takes.</summary>
    internal SampleFormat Format { get; } = format;

    /// <summary>What the files are, in the plural.</summary>
    internal abstract string Kind { get; }

    /// <summary>What becomes of a file's content before it is normalised, in words.</summary>
    internal abstract string Preprocessing { get; }

    /// <summary>The endings of the files that are read of a folder.</summary>
    internal abstract IReadOnlyList<string> Endings { get; }

    /// <summary>Reads the samples of a file.</summary>
    /// <param name="path">The file, whatever its ending.</param>
    /// <exception cref="SlttException">It can't be read, is damaged or of another kind.</exception>
    internal IEnumerable<FileSample> Read(string path)
    {
        // Pipes and devices have no length either, and opening one may wait for ever.
        FileInfo file = new(path);
        return file.Exists && file.Length == 0 ? throw FileErrors.Bad(path, "empty, or no plain file") : Decode(path);
    }

    /// <summary>Reads the samples of a file that is not empty.</summary>
    /// <param name="path">The file.</param>
    private protected abstract IEnumerable<FileSample> Decode(string path);

    /// <summary>The files that paths name: a file itself, and of a folder, and of the folders in it, those with <see cref="Endings"/>.
    /// </summary>
    /// <param name="paths">Files and folders.</param>
    /// <exception cref="SlttException">A path is neither, or a folder holds no such file.</exception>
    internal IReadOnlyList<string> Find(IReadOnlyList<string> paths)
    {
        List<string> files = [];
        foreach (string path in paths)
        {
            if (!Directory.Exists(path))
            {
                files.Add(File.Exists(path) ? path : throw new SlttException(ErrorKind.Data, $"{path}: no such file or folder"));
                continue;
            }

            int before = files.Count;
            files.AddRange(DataFolder.AllFiles(path).Where(file => Endings.Any(ending => DataFolder.HasEnding(file, ending))));
            if (files.Count == before)
            {
                throw new SlttException(
                    ErrorKind.Data, $"{path}: holds no {Kind} ({string.Join(", ", Endings)})",
                    "name the files themselves if they have other endings");
            }
        }

        return files;
    }
}

/// <summary>Images of any size, resized and cropped as a data set's test images are.</summary>
/// <param name="format">What the network takes.</param>
/// <param name="shortSide">Pixels that the shorter side is resized to.</param>
internal sealed class SampleImages(SampleFormat format, int shortSide) : SampleFiles(format)
{
    private int Crop => Format.Shape.Height;

    /// <inheritdoc/>
    internal override string Kind => "images";

    /// <inheritdoc/>
    internal override string Preprocessing =>
        $"RGB as stored, short side resized to {shortSide} (bilinear, antialiased), centre crop {Crop}x{Crop}";

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Endings => ImageFile.Endings;

    /// <inheritdoc/>
    private protected override IEnumerable<FileSample> Decode(string path)
    {
        using PixelImage image = ImageFile.Decode(path, out string? problem)
            ?? throw new SlttException(ErrorKind.Data, problem!.Contains(path, StringComparison.Ordinal) ? problem : $"{path}: {problem}");
        byte[] elements = new byte[Format.Shape.Length];
        ImageFolder.CentreCrop(image, shortSide, Crop, elements);
        return [new FileSample(path, null, elements)];
    }
}

/// <summary>Recordings of an event camera, in any of the forms that data sets are read in.</summary>
/// <param name="format">What the network takes.</param>
/// <param name="transform">What is done to the counts.</param>
/// <param name="split">Which events make a frame.</param>
internal sealed class SampleRecordings(SampleFormat format, EventTransform transform, EventSplit split) : SampleFiles(format)
{
    private int Steps => Format.Shape.Steps;

    /// <inheritdoc/>
    internal override string Kind => "recordings";

    /// <inheritdoc/>
    internal override string Preprocessing => $"{Steps} frames, {EventTransformer.Describe(transform, split)}";

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Endings { get; } = [".aedat", ".aedat4", ".npz", ".npy"];

    /// <inheritdoc/>
    private protected override IEnumerable<FileSample> Decode(string path)
    {
        Span<byte> start = stackalloc byte[12];
        FileErrors.ReadStart(path, start);
        if (start.StartsWith("PK"u8))
        {
            return [Sample(path, null, NpzFile.Holds(path, "frames")
                ? new EventSample(0, path, null, EventArrays.ReadFrames(path, "frames", Steps, anyCount: split.Duration > 0))
                : new EventSample(0, path, EventArrays.ReadNpz(path)))];
        }

        if (start[0] == 0x93)
        {
            return [Sample(path, null, new EventSample(0, path, EventArrays.ReadTonic(path)))];
        }

        if (!start.StartsWith("#!AER-DAT"u8))
        {
            throw FileErrors.Bad(path, "no recording: neither AEDAT 2, 3.1 or 4 nor NumPy's .npz or .npy");
        }

        EventList events = Aedat4.ReadOr(path, start[9] == (byte)'2' ? Aedat2.Read : Aedat31.Read);
        return File.Exists(DvsGesture.LabelsPath(path))
            ? [.. DvsGesture.ReadLabels(path).Select(label => Sample(
                path, label, new EventSample(0, $"{path}, {DvsGesture.Describe(label)}", events.Between(label.Start, label.End))))]
            : [Sample(path, null, new EventSample(0, path, events))];
    }

    private FileSample Sample(string path, GestureLabel? gesture, EventSample sample)
    {
        if (!sample.HasEvents)
        {
            throw FileErrors.Bad(sample.Name, "no event");
        }

        ushort[] counts = new ushort[Steps * EventFrames.FrameLength];
        byte[] elements = new byte[Format.SampleBytes];
        sample.Integrate(Steps, split, counts);
        new EventTransformer(transform).Apply(counts, elements);
        return new FileSample(path, gesture, elements);
    }
}
