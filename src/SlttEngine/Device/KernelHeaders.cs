using System.Reflection;
using System.Security.Cryptography;

namespace SlttEngine.Device;

/// <summary>The kernels' headers, which travel inside the assembly for users' own kernels.</summary>
internal static class KernelHeaders
{
    private const string Prefix = "kernels/";

    private static readonly Lazy<List<(string Path, byte[] Bytes)>> Files = new(Read);
    private static readonly Lazy<string> ContentHash = new(() => KernelCache.HashOf(
        string.Join("\n", Files.Value.Select(f => f.Path + Convert.ToHexString(SHA256.HashData(f.Bytes))))));

    /// <summary>A hash of all of them.</summary>
    public static string Hash => ContentHash.Value;

    /// <summary>Writes them, with their folders.</summary>
    /// <param name="folder">Where; an include path of the compilers.</param>
    public static void WriteTo(string folder)
    {
        foreach ((string path, byte[] bytes) in Files.Value)
        {
            string file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, bytes);
        }
    }

    private static List<(string Path, byte[] Bytes)> Read()
    {
        Assembly assembly = typeof(KernelHeaders).Assembly;
        List<(string, byte[])> files = [];
        foreach (string name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal))
        {
            using Stream stream = assembly.GetManifestResourceStream(name)!;
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            files.Add((name[Prefix.Length..].Replace('\\', '/'), bytes));
        }

        return files;
    }
}
