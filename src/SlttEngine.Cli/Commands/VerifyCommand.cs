using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Cli.Verification;
using SlttEngine.Device;
using SlttEngine.IO;

namespace SlttEngine.Cli.Commands;

/// <summary>Replays recorded vectors and says of each group of tensors how near the engine comes.</summary>
internal sealed class VerifyCommand : Command
{
    private const int Differs = 1;

    private static readonly string[] Taken = ["device", "batch_norm", "fast_math", "split_tf32", "steps_at_once", "recompute"];

    private TrainOptions options = new();
    private string? checksums;
    private string? choices;

    internal VerifyCommand()
    {
        Options = [.. Taken.Select(name => TrainOptionTable.Find(name)!)
            .Select(o => new CliOption(o.Name, o.ValueName, o.Help, value => options = o.Apply(options, o.IsSwitch ? "True" : value))),
            new CliOption(
                "checksums", "FILE", "write a checksum of every tensor that was computed, to compare builds bit by bit",
                value => checksums = value),
            new CliOption(
                "convolution_choices", "FILE", "CPU: do convolutions as a convolution_choices.json says", value => choices = value)];
    }

    /// <inheritdoc/>
    internal override string? Positionals => "FILE...";

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        if (positionals.Count == 0)
        {
            throw new SlttException(ErrorKind.Usage, "no file to verify", "sltt verify FILE...: recorded vectors, .safetensors");
        }

        using ComputeDevice device = ComputeDevice.Open(options.Device, out string reason);
        context.WriteLine($"device: {device.Name} ({reason})");
        if (choices is not null)
        {
            device.ConvolutionChoices?.Read(choices);
        }

        ReplayOptions replay = new(options.BatchNorm, options.FastMath, options.SplitTf32, options.Recompute, options.StepsAtOnce);
        List<string> lines = [];
        int exitCode = 0;
        int passed = 0;
        foreach (string file in positionals)
        {
            context.Stop.ThrowIfCancellationRequested();
            try
            {
                VerificationReport report = Verifier.Replay(device, file, replay);
                Show(context, report);
                lines.AddRange(report.Checksums.Select(c => $"{c.Hash}  {Path.GetFileName(file)}  {c.Tensor}"));
                passed += report.Passed ? 1 : 0;
                exitCode = report.Passed || exitCode != 0 ? exitCode : Differs;
            }
            catch (SlttException e) when (e.Kind == ErrorKind.Data)
            {
                // One file that can't be read says nothing of the others.
                context.Error.WriteLine("sltt: " + e.Message);
                exitCode = (int)ErrorKind.Data;
            }
        }

        if (checksums is not null)
        {
            AtomicFile.Write(
                checksums, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n")), durable: false);
        }

        context.WriteLine($"{passed} of {positionals.Count} {(positionals.Count == 1 ? "file" : "files")} passed");
        return exitCode;
    }

    private static void Show(CliContext context, VerificationReport report)
    {
        context.WriteLine($"{report.File}: {report.Summary}");
        int width = report.Groups.Count == 0 ? 0 : report.Groups.Max(g => g.Group.Length);
        foreach (GroupResult g in report.Groups)
        {
            string error = g.Tolerance == 0
                ? string.Create(CultureInfo.InvariantCulture, $"{g.Worst:0} elements differ")
                : string.Create(CultureInfo.InvariantCulture, $"worst {g.Worst:0.0e+00} of {g.Tolerance:0e+00} allowed");
            context.WriteLine(
                $"  {(g.Passed ? "PASS" : "FAIL")}  {g.Group.PadRight(width)}  {g.Tensors,4} {(g.Tensors == 1 ? "tensor " : "tensors")}  "
                    + $"{error}  ({g.WorstTensor})");
        }
    }
}
