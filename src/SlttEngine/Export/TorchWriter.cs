using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Export;

/// <summary>Writes a state dict (.pth) and a Python file with the model, which needs torch alone.</summary>
internal static class TorchWriter
{
    /// <summary>Writes NAME.py and NAME.pth.</summary>
    /// <param name="subject">What to write.</param>
    /// <param name="path">One of the two files, or NAME alone.</param>
    internal static ExportSummary Write(ExportSubject subject, string path)
    {
        string start = Path.GetExtension(path).ToUpperInvariant() is ".PY" or ".PTH" or ".PT"
            ? Path.Combine(Path.GetDirectoryName(path) ?? string.Empty, Path.GetFileNameWithoutExtension(path)) : path;
        (string source, string state) = (start + ".py", start + ".pth");
        string text = new TorchSource(subject).Text(Path.GetFileName(source), Path.GetFileName(state));
        PickleDict tensors = new() { Ordered = true };
        foreach (NamedTensor tensor in subject.State)
        {
            tensors.Set(tensor.Name, tensor);
        }

        PthWriter.Write(state, tensors);
        AtomicFile.Write(source, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        return new ExportSummary(
            [source, state],
            $"PyTorch: {text.Count(c => c == '\n')} lines of Python, a state dict of {subject.State.Count} tensors, "
                + $"{subject.State.Sum(t => t.Count)} numbers",
            [$"python {source} loads the state dict beside it and answers; from {Path.GetFileNameWithoutExtension(source)} import load"]);
    }
}
