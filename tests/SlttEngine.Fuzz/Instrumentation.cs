using SharpFuzz;

namespace SlttEngine.Fuzz;

/// <summary>A copy of this program whose readers count the branches that they take.</summary>
internal static class Instrumentation
{
    private static readonly string[] Instrumented = ["SlttEngine.dll", "sltt.dll"];

    /// <summary>Copies a folder of assemblies and instruments ours.</summary>
    /// <param name="from">The program's folder.</param>
    /// <param name="to">Where the copy goes; an older one is replaced.</param>
    internal static void Copy(string from, string to)
    {
        if (Directory.Exists(to))
        {
            Directory.Delete(to, recursive: true);
        }

        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        foreach (string name in Instrumented)
        {
            string path = Path.Combine(to, name);
            _ = Fuzzer.Instrument(path, IsReader, Options.Value).Count();
            File.Delete(Path.ChangeExtension(path, ".pdb"));
        }
    }

    private static bool IsReader(string type) =>
        type.StartsWith("SlttEngine.IO.", StringComparison.Ordinal)
        || type.StartsWith("SlttEngine.Data.", StringComparison.Ordinal)
        || type.StartsWith("SlttEngine.Cli.Options.", StringComparison.Ordinal);
}
