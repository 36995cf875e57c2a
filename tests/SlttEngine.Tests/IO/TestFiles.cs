namespace SlttEngine.Tests.IO;

/// <summary>Where the recorded vectors are, and folders that vanish after a test.</summary>
internal static class TestFiles
{
    /// <summary>The vectors that travel with the tests.</summary>
    internal static string Shipped(string relative) => Path.Combine(AppContext.BaseDirectory, "Golden", relative);

    /// <summary>
    /// All the recorded vectors, where they are at hand: the folder that SLTT_GOLDEN names, or shared/golden beside the repository.
    /// </summary>
    internal static string? AllGolden()
    {
        string? named = Environment.GetEnvironmentVariable("SLTT_GOLDEN");
        if (!string.IsNullOrEmpty(named))
        {
            return named;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "golden");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>The files of a kind of vector: all of them if they are at hand, else those that travel with the tests.</summary>
    internal static string[] Golden(string folder, string pattern)
    {
        string root = AllGolden() ?? Path.Combine(AppContext.BaseDirectory, "Golden");
        string[] files = Directory.GetFiles(Path.Combine(root, folder), pattern);
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }
}

/// <summary>An empty folder, removed when disposed of.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("sltt-test-");

    internal string FullName => folder.FullName;

    /// <summary>A path inside.</summary>
    internal string this[params string[] parts] => Path.Combine([folder.FullName, .. parts]);

    /// <summary>Writes a file inside, making its folders, and returns its path.</summary>
    internal string Write(string relative, ReadOnlySpan<byte> content)
    {
        string path = Path.Combine(folder.FullName, relative);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => folder.Delete(recursive: true);
}
