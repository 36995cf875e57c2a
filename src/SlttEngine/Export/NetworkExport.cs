namespace SlttEngine.Export;

/// <summary>Writes a network in one of the forms.</summary>
internal static class NetworkExport
{
    /// <summary>Checks the options and writes.</summary>
    /// <param name="subject">What to write.</param>
    /// <param name="path">The file.</param>
    /// <param name="format">The form.</param>
    /// <param name="options">More about it.</param>
    /// <exception cref="SlttException">The form can't express the network, an option is of another form, or a file can't be
    /// written.</exception>
    internal static ExportSummary Write(ExportSubject subject, string path, ExportFormat format, ExportOptions options)
    {
        if (options.Unrolled is < 1)
        {
            throw new SlttException(
                ErrorKind.Usage, FormattableString.Invariant($"{options.Unrolled} unrolled time steps: there must be at least 1"));
        }

        if (options.Unrolled is not null && format != ExportFormat.Onnx)
        {
            throw new SlttException(
                ErrorKind.Usage, $"only ONNX has time steps in one graph: a {format} export is of the step that its reader repeats",
                "leave the number of steps out");
        }

        if (options.FramePerStep && options.Unrolled is null)
        {
            throw new SlttException(
                ErrorKind.Usage, "a frame for each step is a matter of several steps in one graph", "say how many steps it is to have");
        }

        if (options.SingleNodeNeurons && format != ExportFormat.Nir)
        {
            throw new SlttException(ErrorKind.Usage, "only NIR has LIF nodes", "leave the option out: the neurons are exact");
        }

        ExportSummary summary = format switch
        {
            ExportFormat.Onnx => OnnxWriter.Write(subject, path, options),
            ExportFormat.Torch => TorchWriter.Write(subject, path),
            _ => NirWriter.Write(subject, path, options),
        };
        string normalised = subject.Normalisation?.Text ?? "how, the checkpoint does not say";
        return summary with { Notes = [.. summary.Notes, "the input is normalised outside of it: " + normalised] };
    }
}
