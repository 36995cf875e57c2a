using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Export;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Training;

namespace SlttEngine.Cli.Commands;

/// <summary>Writes a checkpoint's network for other programs: NIR, ONNX, or PyTorch.</summary>
internal sealed class ExportCommand : Command
{
    // What a checkpoint without a description does not say of its network.
    private static readonly string[] OfTheNetwork = ["T", "tau", "dataset", "model", "width_divisor", "from"];

    private readonly TrainOptionSet set = new(new TrainOptions());
    private string? format;
    private string? output;
    private int? unrolled;
    private bool singleNode;

    internal ExportCommand() => Options =
    [
        new CliOption("to", "FORMAT", "nir, onnx, or torch (a state dict with a Python file that needs torch alone)", v => format = v),
        new CliOption("o", "OUT", "the file (default: the model's name, in the checkpoint's folder)", v => output = v),
        new CliOption("unrolled", "T", "onnx: T time steps in one graph; else one step, with its state as input and output", v =>
            unrolled = int.TryParse(v, out int steps) ? steps : throw new SlttException(
                ErrorKind.Usage, $"--unrolled {v}: must be a whole number of time steps")),
        new CliOption("lif", null, "nir: one LIF node a layer, which readers reset each in their own way; else nodes that are exactly ours",
            _ => singleNode = true),
        .. set.Options.Where(o => OfTheNetwork.Contains(o.Name)),
    ];

    /// <inheritdoc/>
    internal override string? Positionals => "RUN";

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        const string Usage = "sltt export RUN --to nir|onnx|torch [-o OUT]: RUN is a run's folder or a checkpoint";
        if (positionals.Count != 1)
        {
            throw new SlttException(ErrorKind.Usage, $"export takes one run or checkpoint, not {positionals.Count}", Usage);
        }

        ExportFormat target = format switch
        {
            "nir" => ExportFormat.Nir,
            "onnx" => ExportFormat.Onnx,
            "torch" => ExportFormat.Torch,
            null => throw new SlttException(ErrorKind.Usage, "--to does not say what to write", Usage),
            _ => throw NearestName.Unknown("format", format, ["nir", "onnx", "torch"]),
        };
        string checkpoint = CheckpointPlace.Find(positionals[0]);
        TrainOptions options = set.ReadForCheckpoint(checkpoint, out _, out CheckpointFile read);
        bool framePerStep = RunFactory.Format(options).Shape.Steps > 1;
        string path = output ?? Path.Combine(
            Path.GetDirectoryName(checkpoint) ?? string.Empty, options.Model + target switch
            {
                ExportFormat.Nir => ".nir",
                ExportFormat.Onnx => ".onnx",
                _ => ".py",
            });
        (string source, string state) = TorchWriter.Files(path);
        foreach (string file in target == ExportFormat.Torch ? [source, state] : (string[])[path])
        {
            if (Path.GetFullPath(file) == Path.GetFullPath(checkpoint))
            {
                throw new SlttException(
                    ErrorKind.Usage, $"{checkpoint}: the export would replace the checkpoint", "give another file with -o");
            }

            RunFiles.RequireNone(file);
        }

        ExportOptions more = new()
        {
            Unrolled = unrolled,
            FramePerStep = unrolled is not null && framePerStep,
            SingleNodeNeurons = singleNode,
        };

        using ComputeDevice device = ComputeDevice.Open(DeviceKind.Cpu);
        TrainingOptions training = RunFactory.Training(options) with { Network = null, Resume = null, StartFrom = null };
        using Trainer trainer = new(device, Network(options, read), training);
        foreach (string note in trainer.Load(checkpoint))
        {
            context.WriteLine("note: " + note);
        }

        ExportSummary summary = trainer.Export(path, target, more);
        foreach (string file in summary.Files)
        {
            context.WriteLine($"{file}: {Size(new FileInfo(file).Length)}");
        }

        context.WriteLine(summary.Content);
        foreach (string note in summary.Notes)
        {
            context.WriteLine("  " + note);
        }

        return 0;
    }

    /// <summary>The network for the checkpoint's input and classes, or for the data set's where the checkpoint does not say.</summary>
    private static Network Network(TrainOptions options, CheckpointFile checkpoint)
    {
        if (RunDescription.Read(checkpoint) is { Input: [int channels, int height, int width] } run)
        {
            return RunFactory.Network(options, new FrameShape(1, channels, height, width), run.Classes);
        }

        SampleFormat format = RunFactory.Format(options);
        return RunFactory.Network(options, format.Shape, format.Classes);
    }

    private static string Size(long bytes) =>
        bytes >= 1 << 20 ? Units.Bytes(bytes) : bytes.ToString("#,##0", CultureInfo.InvariantCulture) + " bytes";
}
