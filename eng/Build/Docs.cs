namespace SlttEngine.Build;

/// <summary>The documentation's site: the pages of docs/ and bench/results, and the library's API from its XML comments.</summary>
internal static class Docs
{
    // docfx resolves links between pages within its own folder only, and writes the API's pages into it: it gets a copy of the pages.
    internal static int Make()
    {
        Console.WriteLine("== docs");
        string copy = Path.Combine(Tree.Out, "docs-build"), site = Path.Combine(Tree.Out, "docs");
        foreach (string folder in new[] { copy, site }.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (string folder in new[] { "docs", "bench/results" })
        {
            foreach (string file in Directory.GetFiles(Path.Combine(Tree.Root, folder), "*", SearchOption.AllDirectories))
            {
                Copy(Path.GetRelativePath(Tree.Root, file), copy);
            }
        }

        foreach (string file in new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "bench/README.md" })
        {
            Copy(file, copy);
        }

        string examples = Path.Combine(Tree.Root, "examples");
        foreach (string example in Directory.Exists(examples) ? Directory.GetDirectories(examples) : [])
        {
            Copy(Path.GetRelativePath(Tree.Root, Path.Combine(example, "Program.cs")), copy);
        }

        string config = Path.Combine(copy, "docfx.json");
        File.Move(Path.Combine(copy, "docs", "docfx.json"), config);
        Shell.RequireIn(Tree.Root, Tree.Dotnet, ["tool", "restore", "--verbosity", "quiet"], "docfx was not restored");
        Shell.RequireIn(
            Tree.Root, Tree.Dotnet, ["docfx", config, "--warningsAsErrors", "--logLevel", "warning"],
            "the site was not made: each warning above is an error");
        return CheckPaths(site);
    }

    private static void Copy(string file, string folder)
    {
        string copy = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.Copy(Path.Combine(Tree.Root, file), copy);
    }

    // A page for everybody must not hold a path of this machine.
    private static int CheckPaths(string site)
    {
        string[] pages = Directory.GetFiles(site, "*.*ml", SearchOption.AllDirectories);
        string[] found = [.. pages.Where(page => File.ReadAllText(page).Contains(Tree.Root, StringComparison.Ordinal))];
        Array.ForEach(found, page => Console.Error.WriteLine($"{page} holds this folder's path"));
        Console.WriteLine($"{site}: {pages.Length} pages");
        return found.Length == 0 ? 0 : 1;
    }
}
