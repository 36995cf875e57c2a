namespace SlttEngine.Tests.House;

/// <summary>A page that the site's table of contents does not name is found by nobody.</summary>
public sealed class SiteTests
{
    [TestCase("docs/guide")]
    [TestCase("docs/internals")]
    [TestCase("docs/results")]
    public void Pages_are_in_the_table_of_contents(string folder)
    {
        string[] named = [.. SourceTree.Lines(folder + "/toc.yml")
            .Where(line => line.Contains("href: ", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf("href: ", StringComparison.Ordinal) + "href: ".Length)..].Trim())];
        SourceTree.AssertNone(
            from path in SourceTree.Files(".md")
            where path.StartsWith(folder + "/", StringComparison.Ordinal)
            let page = path[(folder.Length + 1)..]
            where !named.Contains(page)
            select $"{path} is not in {folder}/toc.yml",
            "each page is in the toc.yml of its folder");
    }

    /// <summary>What the packages promise is what pack checks (PackageRules).</summary>
    [TestCase("README.md")]
    [TestCase("src/SlttEngine/PACKAGE.md")]
    [TestCase("src/SlttEngine.Cli/PACKAGE.md")]
    [TestCase("src/SlttEngine/SlttEngine.csproj")]
    [TestCase("src/SlttEngine.Cli/SlttEngine.Cli.csproj")]
    public void The_lowest_glibc_is_stated(string path) => Assert.That(
        File.ReadAllText(Path.Combine(SourceTree.Root, path)), Does.Contain($"glibc {Build.PackageRules.Lowest["GLIBC"]}"));
}
