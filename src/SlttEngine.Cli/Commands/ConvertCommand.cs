using System.Globalization;
using SlttEngine.IO;

namespace SlttEngine.Cli.Commands;

/// <summary>Writes a checkpoint in the other form, safetensors or a .pth file that PyTorch loads; or says what it holds.</summary>
internal sealed class ConvertCommand : Command
{
    private bool describe;

    internal ConvertCommand() => Options =
    [
        new CliOption(
            "describe", null, "say what IN holds: its run, optimizer, schedule and tensors; nothing is written", _ => describe = true),
    ];

    /// <inheritdoc/>
    internal override string? Positionals => "IN OUT";

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        const string Usage = "sltt convert IN OUT: OUT ends in .safetensors, .pth or .pt; what IN is, its first bytes say";
        if (describe)
        {
            if (positionals.Count != 1)
            {
                throw new SlttException(
                    ErrorKind.Usage, $"convert --describe reads one file, not {positionals.Count}", "sltt convert --describe FILE");
            }

            new CheckpointText(CheckpointFile.Read(positionals[0]).WithPlainNames()).Write(context.WriteLine);
            return 0;
        }

        if (positionals.Count != 2)
        {
            throw new SlttException(ErrorKind.Usage, $"convert takes two files, not {positionals.Count}", Usage);
        }

        (string source, string target) = (positionals[0], positionals[1]);
        string extension = Path.GetExtension(target).ToUpperInvariant();
        if (extension is not (".SAFETENSORS" or ".PTH" or ".PT"))
        {
            throw new SlttException(ErrorKind.Usage, $"{target}: its ending does not say what to write", Usage);
        }

        CheckpointFile checkpoint = CheckpointFile.Read(source).WithPlainNames();
        if (extension == ".SAFETENSORS")
        {
            checkpoint.WriteSafeTensors(target);
        }
        else
        {
            checkpoint.WritePth(target);
        }

        foreach (string line in CheckpointText.Notes(checkpoint))
        {
            context.WriteLine("note: " + line);
        }

        int optimizer = checkpoint.Tensors.Count(t => t.Name.StartsWith("optimizer.", StringComparison.Ordinal));
        string epoch = checkpoint.Metadata.TryGetValue("epoch", out string? last) ? $", epoch {last}" : string.Empty;
        context.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{target}: {checkpoint.Tensors.Count - optimizer} tensors of the network, {optimizer} of the optimizer{epoch}, "
                + $"{Units.Bytes(new FileInfo(target).Length)}"));
        return 0;
    }
}
