namespace SlttEngine.Build;

/// <summary>The documentation's site, by docfx.</summary>
internal static class Docs
{
    internal static int Make()
    {
        Console.WriteLine("== docs");
        Shell.Require(Tree.Dotnet, ["tool", "restore", "--tool-manifest", Path.Combine(Tree.Root, ".config", "dotnet-tools.json")], "docfx was not restored");
        return Shell.StartIn(
            Tree.Root, Tree.Dotnet,
            ["docfx", Path.Combine(Tree.Root, "docs", "docfx.json"), "--warningsAsErrors", "--logLevel", "Warning"]);
    }
}
