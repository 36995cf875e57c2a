namespace SlttEngine.Tests.House;

/// <summary>The source tree that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>The folder of SlttEngine.sln; the test is ignored where only binaries are, as in the bundle.</summary>
    public static string Root
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "SlttEngine.sln")))
            {
                folder = folder.Parent;
            }

            if (folder is null)
            {
                Assert.Ignore("the source tree is not here");
            }

            return folder!.FullName;
        }
    }

    /// <summary>The C# files of a folder, generated ones in obj and bin left out.</summary>
    /// <param name="folder">Relative to <see cref="Root"/>.</param>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !f.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
}
