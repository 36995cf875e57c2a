using System.Text.RegularExpressions;

namespace SlttEngine.Tests.House;

/// <summary>A page's links lead somewhere.</summary>
public sealed partial class LinkTests
{
    [Test]
    public void Links_between_pages_name_files_that_exist() => SourceTree.AssertNone(
        from path in SourceTree.Files(".md")
        from line in SourceTree.Lines(path).Select((text, i) => (Number: i + 1, Text: text))
        where !line.Text.StartsWith("    ", StringComparison.Ordinal)
        from Match link in Link().Matches(line.Text)
        let target = link.Groups[1].Value
        let file = Path.Combine(SourceTree.Root, Path.GetDirectoryName(path)!, target)
        where !File.Exists(file) && !Directory.Exists(file)
        select $"{path}:{line.Number}: {target}",
        "a link names a file of the tree");

    // [text](path#part), neither a URL nor a part of the same page.
    [GeneratedRegex(@"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")]
    private static partial Regex Link();
}
