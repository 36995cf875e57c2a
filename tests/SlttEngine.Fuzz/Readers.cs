using System.Buffers;
using System.IO.Compression;
using System.Text;
using Google.FlatBuffers;
using K4os.Compression.LZ4.Streams;
using SkiaSharp;
using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.IO;
using SlttEngine.Reports;
using SlttEngine.Training;

namespace SlttEngine.Fuzz;

/// <summary>A reader of files that may come from anywhere.</summary>
/// <param name="Name">Names its corpus.</param>
/// <param name="Seeds">Sound files to begin with.</param>
/// <param name="Prepare">For the path that inputs will have: reads the input that is there now.</param>
/// <param name="BytesPerByte">What it may allocate for each byte of a file.</param>
/// <param name="BaseBytes">What it may allocate for any file.</param>
internal sealed record Reader(
    string Name, Func<IEnumerable<byte[]>> Seeds, Func<string, Action> Prepare, long BytesPerByte = 200, long BaseBytes = 32 << 20);

/// <summary>All readers.</summary>
internal static class Readers
{
    private static readonly NamedTensor[] Tensors =
    [
        NamedTensor.Float32("net.conv1.weight", [2, 1, 1, 1], [1, 2]),
        NamedTensor.Int64("net.bn1.num_batches_tracked", [], [3]),
        NamedTensor.Float32("optimizer.state.0.momentum_buffer", [2, 1, 1, 1], [3, 4]),
    ];

    private static readonly Dictionary<string, string> Metadata = new()
    {
        ["epoch"] = "3",
        ["max_test_acc"] = "0.5",
        ["param_groups"] = """[{"lr":0.1,"momentum":0.9,"dampening":0,"weight_decay":0,"nesterov":false,"initial_lr":0.1,"params":[0]}]""",
        ["lr_scheduler"] = """{"T_max":300,"eta_min":0,"base_lrs":[0.1],"last_epoch":4,"_step_count":5,"_last_lr":[0.1]}""",
        ["scalars"] = """{"0.step":3}""",
        ["sltt_description"] = """
            {"format":1,"program":"SlttEngine","method":"SLTT","T":2,"neuron":"LIF, soft reset","tau":1.1,"threshold":1,
            "surrogate":"triangle","loss_lambda":0.05,"loss_one_hot":false,"loss_means":1,"model":"spiking_resnet18",
            "model_settings":{"width_divisor":"16","drop_rate":"0","batch_norm":"Sltt"},"input":[3,32,32],"classes":2,
            "class_names":["cat","dog"],"data_set":"cifar10","transform":"none","mean":[0.4,0.4,0.4],"std":[0.2,0.2,0.2],
            "train_samples":200,"dtype":"float32","fast_math":false,"batch_size":32,"drop_last":false,"seed":2022,"epochs":1}
            """,
    };

    internal static IReadOnlyList<Reader> All { get; } =
    [
        // A zip file's members may be packed a thousandfold.
        new("checkpoint-pth", () => [Made(p => Checkpoint.WritePth(p), ".pth")], path => () => ReadCheckpoint(path), 1200),
        new("checkpoint-safetensors", () => [Made(p => Checkpoint.WriteSafeTensors(p), ".safetensors")],
            path => () => ReadCheckpoint(path)),
        new("aedat2", () => [Aedat2Recording()], path => () => EventFrames.Integrate(Aedat2.Read(path), 3, path)),
        new("aedat31", () => [Aedat31Recording()], path => () => EventFrames.Integrate(Aedat31.Read(path), 3, path)),
        new("aedat4", () => [Aedat4Recording(0), Aedat4Recording(1), Aedat4Recording(3)], path => () => Aedat4.Read(path), 3000),

        // A zip file's members may be packed a thousandfold; an event of four bytes takes 13 in memory.
        new("npz-events", () => [Npz(("t", Npy("<i8", "(2,)", 16)), ("x", Npy("|u1", "(2,)", 2)), ("y", Npy(">u4", "(2,)", 8)),
            ("p", Npy("<i8", "(2,)", 16)))], path => () => EventArrays.ReadNpz(path), 5000),
        new("npz-frames", () => [Npz(("frames", Npy("<f8", "(1, 2, 128, 128)", 8 * 2 * 128 * 128)))],
            path => () => EventArrays.ReadFrames(path, "frames", 2, anyCount: true), 1200),
        new("npy-tonic", () => [Npy("<f4", "(3, 4)", 48), Npy("<i8", "(1, 4)", 32)], path => () => EventArrays.ReadTonic(path)),
        new("gesture-labels", () => ["class,startTime_usec,endTime_usec\n3,0,1000\n5,500,2000\n"u8.ToArray()],
            path => Renamed(
                path, "user_labels.csv", p => DvsGesture.ReadLabels(p.Replace("_labels.csv", ".aedat", StringComparison.Ordinal)))),
        new("cifar-pickle", () => [CifarPickle()], path => Renamed(
            path, "test_batch", p => CifarImages.Load(Path.GetDirectoryName(p)!, 10, train: false, allowIncomplete: true))),
        new("cifar-binary", () => [new byte[2 * 3073]], path => Renamed(
            path, "test_batch.bin", p => CifarImages.Load(Path.GetDirectoryName(p)!, 10, train: false, allowIncomplete: true))),
        new("netpbm",
            () =>
            [
                [.. "P6\n2 2\n255\n"u8, .. new byte[12]], [.. "P5 # grey\n2 2 255\n"u8, .. new byte[4]], [.. "P3\n1 1\n255\n9 8 7\n"u8],
                [.. "P2\n1 1\n9\n3\n"u8],
            ],
            path => () => ImageFile.Decode(path, out _)?.Dispose()),
        new("image", () => [.. Formats.Select(Picture)], path => () => ImageFile.Decode(path, out _)?.Dispose(), 20000, 128 << 20),
        new("args", () => [Encoding.UTF8.GetBytes(new TrainOptions { Name = "it's", Resume = "x\\n" }.ToArgsText())],
            path => () => TrainOptions.FromArgsFile(path)),
        new("history", () => [History()], path => Renamed(
            path, RunHistory.FileName, p => RunHistory.Read(Path.GetDirectoryName(p)!)), 1000),
    ];

    private static SKEncodedImageFormat[] Formats => [SKEncodedImageFormat.Png, SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Webp];

    private static CheckpointFile Checkpoint => new(Tensors, Metadata);

    /// <summary>A history of one epoch.</summary>
    private static byte[] History()
    {
        string folder = Directory.CreateTempSubdirectory("sltt-fuzz-").FullName;
        RunBegin begin = new()
        {
            Time = DateTimeOffset.UnixEpoch,
            Program = "p",
            Device = "d",
            Versions = new Dictionary<string, string> { [".NET"] = "10" },
            Options = new Dictionary<string, string> { ["T"] = "2" },
            Model = "m",
            Method = "SLTT",
            Steps = 2,
            BatchSize = 1,
            Type = "float32",
            Parameters = 1,
            ClassNames = ["a"],
            TrainSamples = 1,
            TestSamples = 1,
            Epochs = 1,
            FirstEpoch = 0,
            Memory = new Dictionary<string, long> { ["weights"] = 4 },
        };
        EpochRecord epoch = new()
        {
            Epoch = 0,
            Time = DateTimeOffset.UnixEpoch,
            LearningRate = 0.1,
            TrainLoss = double.NaN,
            TrainAccuracy = 0,
            TestLoss = 1,
            TestAccuracy = 0,
            MaxTestAccuracy = 0,
            TrainSeconds = 1,
            TotalSeconds = 1,
            DataSeconds = 0,
            ImagesPerSecond = 1,
            PeakDeviceBytes = 1,
            SkippedSteps = 0,
            Layers = [new LayerFiring("n", 0.5, 0, 0)],
        };
        RunHistory.Start(folder, begin, null);
        RunHistory.Append(folder, epoch);
        RunHistory.Append(folder, new RunEnd(DateTimeOffset.UnixEpoch, RunEnd.Done));
        byte[] bytes = File.ReadAllBytes(Path.Combine(folder, RunHistory.FileName));
        Directory.Delete(folder, recursive: true);
        return bytes;
    }

    /// <summary>Where a reader's inputs are written, one after the other: in memory where that can be.</summary>
    internal static string InputPath(string work, string reader) =>
        Path.Combine(Directory.Exists("/dev/shm") ? Path.Combine("/dev/shm", "sltt-fuzz") : work, reader, "input");

    /// <summary>All that a resumed run reads of a checkpoint before it has a network.</summary>
    private static void ReadCheckpoint(string path)
    {
        CheckpointFile checkpoint = CheckpointFile.Read(path);
        RunDescription.Read(checkpoint);
        _ = SavedOptimizer.ReadEpoch(checkpoint);
        _ = SavedOptimizer.Doubts(checkpoint, SavedOptimizer.Read(checkpoint).LearningRate).Count();
    }

    private static byte[] Picture(SKEncodedImageFormat format)
    {
        using SKBitmap bitmap = new(5, 4);
        bitmap.Erase(SKColors.Coral);
        bitmap.SetPixel(2, 2, SKColors.Navy);
        using SKData data = bitmap.Encode(format, 80);
        return data.ToArray();
    }

    /// <summary>For a reader that looks for a file by its name: the input gets that name too.</summary>
    private static Action Renamed(string path, string name, Action<string> read)
    {
        string link = Path.Combine(Path.GetDirectoryName(path)!, name);
        File.Delete(link);
        File.CreateSymbolicLink(link, path);
        return () => read(link);
    }

    private static byte[] Made(Action<string> write, string ending)
    {
        string path = Path.GetTempFileName() + ending;
        try
        {
            write(path);
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] Aedat2Recording() =>
        [.. "#!AER-DAT2.0\r\n# comment\r\n"u8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 3, 1, 0, 0, 1, 2];

    private static byte[] Aedat31Recording()
    {
        EventList events = new();
        for (int i = 0; i < 20; i++)
        {
            events.Add(5 * i, i, i * 7 % 128, i % 2);
        }

        using MemoryStream stream = new();
        Aedat31.Write(stream, events);
        return stream.ToArray();
    }

    /// <summary>Two events, compressed as the header's number says.</summary>
    private static byte[] Aedat4Recording(int compression)
    {
        FlatBufferBuilder packet = new(256);
        packet.StartVector(16, 2, 8);
        for (int i = 2; i > 0; i--)
        {
            packet.Prep(8, 16);
            packet.Pad(3);
            packet.PutByte(1);
            packet.PutShort((short)i);
            packet.PutShort((short)i);
            packet.PutLong(i);
        }

        VectorOffset vector = packet.EndVector();
        packet.StartTable(1);
        packet.AddOffset(0, vector.Value, 0);
        packet.FinishSizePrefixed(packet.EndTable(), "EVTS");
        byte[] plain = packet.SizedByteArray();
        using ZstdSharp.Compressor zstd = new();
        byte[] packed = compression switch
        {
            0 => plain,
            1 => LZ4Frame.Encode(plain.AsSpan(), new ArrayBufferWriter<byte>()).WrittenSpan.ToArray(),
            _ => zstd.Wrap(plain).ToArray(),
        };
        FlatBufferBuilder header = new(256);
        StringOffset xml = header.CreateString(
            "<dv><node name='outInfo'><node name='0'><attr key='typeIdentifier'>EVTS</attr></node></node></dv>");
        header.StartTable(3);
        header.AddInt(0, compression, 0);
        header.AddLong(1, -1, 0);
        header.AddOffset(2, xml.Value, 0);
        header.FinishSizePrefixed(header.EndTable(), "IOHE");
        return
        [
            .. "#!AER-DAT4.0\r\n"u8, .. header.SizedByteArray(), 0, 0, 0, 0, .. BitConverter.GetBytes(packed.Length), .. packed,
        ];
    }

    /// <summary>An array of zeros.</summary>
    private static byte[] Npy(string type, string shape, int bytes)
    {
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}".PadRight(117) + "\n";
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.Latin1.GetBytes(header), .. new byte[bytes]];
    }

    private static byte[] Npz(params (string Name, byte[] Npy)[] arrays)
    {
        using MemoryStream file = new();
        using (ZipArchive zip = new(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] npy) in arrays)
            {
                using Stream entry = zip.CreateEntry(name + ".npy").Open();
                entry.Write(npy);
            }
        }

        return file.ToArray();
    }

    /// <summary>One image, as Python 2 pickled the original batches.</summary>
    private static byte[] CifarPickle()
    {
        static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
        const string Array = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\u0085U\u0001btR(K\u0001K\u0001M\0\u000c\u0086";
        const string Bytes8 = "cnumpy\ndtype\n(U\u0002u1K\0K\u0001tR("
            + "K\u0003U\u0001|NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\0tb\u0089";
        return
        [
            0x80, 2, .. Bytes("}(U\u0004data" + Array + Bytes8 + "T\0\u000c\0\0"), .. new byte[3072],
            .. Bytes("tbU\u0006labels]K\u0003au."),
        ];
    }
}
