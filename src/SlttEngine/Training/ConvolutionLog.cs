using System.Globalization;
using System.Text;
using SlttEngine.Device;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>convolutions.jsonl in the run folder: for each epoch a line that says which way the CPU device did its convolutions.</summary>
internal static class ConvolutionLog
{
    /// <summary>The file's name.</summary>
    public const string FileName = "convolutions.jsonl";

    /// <summary>Forgets what was done before the run.</summary>
    public static void Start() => CpuConvolutions.Drain();

    /// <summary>Writes an epoch's line, and removes older lines of this epoch and later ones. Writes nothing on a GPU.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="epoch">From 0.</param>
    /// <exception cref="SlttException">The file can't be written.</exception>
    public static void Write(string folder, int epoch)
    {
        if (CpuConvolutions.Drain() is not { } convolutions)
        {
            return;
        }

        string path = Path.Combine(folder, FileName);
        IEnumerable<string> before = epoch > 0 && File.Exists(path) ? File.ReadLines(path).Take(epoch) : [];
        string text = string.Concat(
            before.Append(string.Create(CultureInfo.InvariantCulture, $"{{\"epoch\":{epoch},\"convolutions\":{convolutions}}}")).Select(
            l => l + "\n"));
        AtomicFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(text)), durable: false);
    }
}
