using System.IO.Hashing;
using SlttEngine.IO;

namespace SlttEngine.Data;

/// <summary>
/// CIFAR-10 and CIFAR-100 from the official archives, unpacked: the binary version (cifar-10-batches-bin, cifar-100-binary) or the
/// Python version (cifar-10-batches-py, cifar-100-python).
/// </summary>
/// <remarks>
/// Binary: records of 1 label byte (CIFAR-100: 2, coarse and fine) and 3072 bytes of pixels, (3, 32, 32). Python: pickles of
/// {data: uint8 (n, 3072), labels or fine_labels}, by Python 2 or as people save them again (<see cref="NumpyPickle"/>).
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html.
/// </remarks>
public sealed class CifarImages : IImageSet
{
    /// <summary>One image: 32×32, RGB.</summary>
    public static readonly FrameShape ImageShape = new(1, 3, 32, 32);

    private const int ImageBytes = 3 * 32 * 32;

    private static readonly string[] Names10 =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    private readonly byte[] images;
    private readonly int[] labels;

    private CifarImages(byte[] images, int[] labels, PartContents contents)
    {
        (this.images, this.labels) = (images, labels);
        Contents = contents;
        (Mean, Std) = Normalisation(contents.ClassNames.Count);
    }

    /// <inheritdoc/>
    public int Count => labels.Length;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => Contents.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> Warnings => Contents.Warnings;

    /// <summary>The images by class, and what is missing.</summary>
    internal PartContents Contents { get; }

    /// <inheritdoc/>
    public string Name => $"cifar{Classes}";

    /// <inheritdoc/>
    public string Transform => "train: random crop 32 with padding 4, cutout, random flip; test: none";

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Images => images;

    /// <summary>All labels.</summary>
    public ReadOnlyMemory<int> Labels => labels;

    /// <inheritdoc/>
    public FrameShape Shape => ImageShape;

    /// <inheritdoc/>
    public int Classes => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<float> Mean { get; }

    /// <inheritdoc/>
    public IReadOnlyList<float> Std { get; }

    /// <inheritdoc/>
    public int Label(int index) => labels[index];

    /// <summary>The official mean and standard deviation of each channel.</summary>
    /// <param name="classes">10 or 100.</param>
    public static (float[] Mean, float[] Std) Normalisation(int classes) => classes == 100
        ? ([0.5071f, 0.4867f, 0.4408f], [0.2675f, 0.2565f, 0.2761f])
        : ([0.4914f, 0.4822f, 0.4465f], [0.2023f, 0.1994f, 0.2010f]);

    /// <summary>Loads the training or the test part.</summary>
    /// <param name="folder">The folder of the files, or the one above it.</param>
    /// <param name="classes">10 or 100.</param>
    /// <param name="train">The 50,000 training images, or the 10,000 for testing.</param>
    /// <param name="allowIncomplete">Take what is there of a part that is incomplete.</param>
    /// <exception cref="SlttException">Nothing is found, or a file is damaged: names it. Or the part is incomplete.</exception>
    public static CifarImages Load(string folder, int classes, bool train, bool allowIncomplete = false)
    {
        CifarImages images = Read(folder, classes, train, out _);
        images.Contents.Require(allowIncomplete);
        return images;
    }

    /// <summary>Loads what is there of a part, complete or not.</summary>
    /// <param name="folder">The folder of the files, or the one above it.</param>
    /// <param name="classes">10 or 100.</param>
    /// <param name="train">The training part, else the test part.</param>
    /// <param name="read">Receives the number of files that were read.</param>
    /// <exception cref="SlttException">Nothing is found, or a file is damaged: names it.</exception>
    internal static CifarImages Read(string folder, int classes, bool train, out int read)
    {
        if (classes is not (10 or 100))
        {
            throw new ArgumentOutOfRangeException(nameof(classes), "CIFAR has 10 or 100 classes");
        }

        CifarLayout layout = CifarLayout.Find(folder, classes);
        PartContents contents = new(layout.Folder, $"CIFAR-{classes}", train, "images", layout.ClassNames())
        {
            Expected = [.. Enumerable.Repeat((train ? 50_000 : 10_000) / classes, classes)],
        };
        string[] files = layout.Files(train);
        string[] there = [.. files.Where(File.Exists)];
        contents.AddFault("files that are not there", [.. files.Except(there).Select(file => Path.GetFileName(file)!)]);
        List<ArraySegment<byte>> images = new List<ArraySegment<byte>>();
        List<int> labels = new List<int>();
        Dictionary<ulong, string> contentOf = [];
        List<string> otherSizes = [];
        foreach (string file in there)
        {
            (int firstImage, int firstLabel) = (images.Count, labels.Count);
            if (layout.Binary)
            {
                ReadBinary(file, classes, images, labels);
            }
            else
            {
                ReadPickle(file, classes, images, labels);
            }

            XxHash3 hash = new();
            images.Skip(firstImage).ToList().ForEach(part => hash.Append(part));
            if (!contentOf.TryAdd(hash.GetCurrentHashAsUInt64(), Path.GetFileName(file)))
            {
                contents.AddFault($"{Path.GetFileName(file)} has the images of {contentOf[hash.GetCurrentHashAsUInt64()]}");
            }

            int count = labels.Count - firstLabel, whole = (train ? 50_000 : 10_000) / files.Length;
            if (count != whole && files.Length > 1)
            {
                otherSizes.Add($"{Path.GetFileName(file)} {PartContents.Number(count)} of {PartContents.Number(whole)}");
            }
        }

        contents.AddFault("files of another size", otherSizes);
        if (!train && there is [string test])
        {
            // A test file that is a training file would score what was learnt by heart.
            foreach (string same in layout.Files(train: true).Where(f => HasSameBytes(f, test)))
            {
                contents.AddFault($"{Path.GetFileName(test)} has the images of {Path.GetFileName(same)}");
            }
        }

        byte[] pixels = GC.AllocateUninitializedArray<byte>(labels.Count * ImageBytes);
        int offset = 0;
        foreach (ArraySegment<byte> part in images)
        {
            part.AsSpan().CopyTo(pixels.AsSpan(offset));
            offset += part.Count;
        }

        labels.ForEach(contents.Add);
        read = there.Length;
        return new CifarImages(pixels, [.. labels], contents);
    }

    private static bool HasSameBytes(string path, string other) =>
        File.Exists(path) && new FileInfo(path).Length == new FileInfo(other).Length
            && FileErrors.ReadAll(path).AsSpan().SequenceEqual(FileErrors.ReadAll(other));

    private static void ReadBinary(string file, int classes, List<ArraySegment<byte>> images, List<int> labels)
    {
        byte[] bytes = FileErrors.ReadAll(file);
        int head = classes == 100 ? 2 : 1;
        int record = head + ImageBytes;
        if (bytes.Length == 0 || bytes.Length % record != 0)
        {
            throw FileErrors.Bad(
                file, $"{bytes.Length} bytes are not a whole number of {record}-byte CIFAR-{classes} records: truncated, or another file?",
                "unpack the archive again");
        }

        for (int offset = 0; offset < bytes.Length; offset += record)
        {
            Check(file, bytes[offset + head - 1], classes, offset / record);
            labels.Add(bytes[offset + head - 1]);
            images.Add(new ArraySegment<byte>(bytes, offset + head, ImageBytes));
        }
    }

    private static void ReadPickle(string file, int classes, List<ArraySegment<byte>> images, List<int> labels)
    {
        string key = classes == 100 ? "fine_labels" : "labels";
        object? root;
        try
        {
            using FileStream stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            root = Unpickler.Load(file, stream, NumpyPickle.Globals);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", file, e);
        }

        if (root is not PickleDict dict || !dict.TryGet("data", out object? data) || !dict.TryGet(key, out object? list))
        {
            throw FileErrors.Bad(
                file, $"not a CIFAR-{classes} batch: a dictionary with data and {key} is expected", "unpack the archive again");
        }

        if (NumpyPickle.Integers(list) is not { Length: > 0 } values)
        {
            throw FileErrors.Bad(file, $"{key} is not a list of whole numbers", "unpack the archive again");
        }

        byte[] pixels = data switch
        {
            NumpyArray { Type: "u1" } array => Rows(file, array),
            byte[] raw => raw,
            _ => throw FileErrors.Bad(file, "the pixels are not an array of bytes", "unpack the archive again"),
        };
        if (pixels.LongLength != values.LongLength * ImageBytes)
        {
            throw FileErrors.Bad(file, $"{pixels.Length} bytes of pixels do not fit {values.Length} labels", "unpack the archive again");
        }

        for (int i = 0; i < values.Length; i++)
        {
            Check(file, values[i], classes, i);
            labels.Add((int)values[i]);
        }

        images.Add(pixels);
    }

    /// <summary>Pixels in rows of a red, a green and a blue plane. Any other order would train on scrambled images.</summary>
    private static byte[] Rows(string file, NumpyArray array) => array.Shape is [_, ImageBytes] or [_, 3, 32, 32] ? array.Data
        : throw FileErrors.Bad(
            file, $"pixels of shape ({string.Join(", ", array.Shape)}), where (n, {ImageBytes}) or (n, 3, 32, 32) is expected",
            array.Shape is [_, 32, 32, 3] ? "save them as data.transpose(0, 3, 1, 2).reshape(-1, 3072)" : "unpack the archive again");

    private static void Check(string file, long label, int classes, int index) =>
        ClassLabels.Check(label, classes, () => $"{file}: image {index}", "unpack the archive again");

    /// <summary>Which of the official layouts a folder holds.</summary>
    private sealed record CifarLayout(string Folder, int Classes, bool Binary)
    {
        internal static CifarLayout Find(string folder, int classes)
        {
            string binary = classes == 10 ? "cifar-10-batches-bin" : "cifar-100-binary";
            string python = classes == 10 ? "cifar-10-batches-py" : "cifar-100-python";
            (string Place, bool Binary)[] places = [(binary, true), (python, false), ("", true), ("", false)];
            CifarLayout[] layouts = [.. places.Select(p => new CifarLayout(Path.Combine(folder, p.Place), classes, p.Binary))];

            // A whole layout before one of which files are missing.
            CifarLayout? found = layouts.FirstOrDefault(l => l.AllFiles.All(File.Exists))
                ?? layouts.FirstOrDefault(l => l.AllFiles.Any(File.Exists));
            if (found is not null)
            {
                return found;
            }

            string archive = classes == 10 ? "cifar-10-binary.tar.gz or cifar-10-python.tar.gz"
                : "cifar-100-binary.tar.gz or cifar-100-python.tar.gz";
            throw new SlttException(ErrorKind.Data,
                $"no CIFAR-{classes} in {folder}: neither {binary} nor {python} is there"
                    + (Directory.Exists(folder) ? "" : " (there is no such folder)"),
                $"unpack {archive} from https://www.cs.toronto.edu/~kriz/cifar.html there");
        }

        internal string[] Files(bool train)
        {
            string end = Binary ? ".bin" : "";
            IEnumerable<string> names = (Classes, train) switch
            {
                (10, true) => Enumerable.Range(1, 5).Select(i => $"data_batch_{i}{end}"),
                (10, false) => [$"test_batch{end}"],
                (_, true) => [$"train{end}"],
                _ => [$"test{end}"],
            };
            return [.. names.Select(FindFile)];
        }

        private IEnumerable<string> AllFiles => Files(train: true).Concat(Files(train: false));

        /// <summary>The path of a file, whose name may be in capitals.</summary>
        private string FindFile(string name)
        {
            string path = Path.Combine(Folder, name);
            return File.Exists(path) || !Directory.Exists(Folder) ? path
                : DataFolder.Files(Folder).FirstOrDefault(f => Path.GetFileName(f).Equals(name, StringComparison.OrdinalIgnoreCase))
                    ?? path;
        }

        /// <summary>The names file of the archive, where it is there and complete; else numbers for CIFAR-100.</summary>
        internal string[] ClassNames()
        {
            if (Classes == 10)
            {
                return Names10;
            }

            string file = Path.Combine(Folder, "fine_label_names.txt");
            string[] names = [];
            try
            {
                names = File.Exists(file) ? [.. File.ReadLines(file).Select(l => l.Trim()).Where(l => l.Length > 0).Take(101)] : [];
            }
            catch (Exception e) when (FileErrors.IsFileError(e))
            {
                // Names are only for display.
            }

            return names.Length == 100 ? names : [.. Enumerable.Range(0, 100).Select(i => $"class {i}")];
        }
    }
}
