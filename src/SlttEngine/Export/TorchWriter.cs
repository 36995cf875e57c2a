using System.Text;
using SlttEngine.IO;

namespace SlttEngine.Export;

/// <summary>Writes a state dict (.pth) and a Python file with the model, which needs torch alone.</summary>
internal static class TorchWriter
{
    /// <summary>The files that are written.</summary>
    /// <param name="path">One of the two files, or NAME alone.</param>
    internal static (string Source, string State) Files(string path)
    {
        bool isNamed = Path.GetExtension(path).ToUpperInvariant() is ".PY" or ".PTH" or ".PT";
        string name = isNamed ? Path.ChangeExtension(path, null) : path;
        return (name + ".py", name + ".pth");
    }

    /// <summary>Writes NAME.py and NAME.pth.</summary>
    /// <param name="subject">What to write.</param>
    /// <param name="path">One of the two files, or NAME alone.</param>
    internal static ExportSummary Write(ExportSubject subject, string path)
    {
        (string source, string state) = Files(path);
        string text = new TorchSource(subject).Text(Path.GetFileName(source), Path.GetFileName(state));
        PickleDict tensors = new() { Ordered = true };
        foreach (NamedTensor tensor in subject.State)
        {
            tensors.Set(tensor.Name, tensor);
        }

        PthWriter.Write(state, tensors);
        if (!CheckpointFile.Read(state).Tensors.Zip(subject.State).All(pair => pair.First.Bytes.SequenceEqual(pair.Second.Bytes)))
        {
            throw FileErrors.Bad(state, "does not read back as it was written", "export again; report it if it happens again");
        }

        AtomicFile.Write(source, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        return new ExportSummary(
            [source, state],
            $"PyTorch: {text.Count(c => c == '\n')} lines of Python, a state dict of {subject.State.Count} tensors, "
                + $"{subject.State.Sum(t => t.Count)} numbers",
            [$"python {source} loads the state dict beside it, and answers for a tensor"]);
    }
}
