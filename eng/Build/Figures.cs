namespace SlttEngine.Build;

/// <summary>Draws the documents' pictures: of the demo's network, and of a page of results.</summary>
internal static class Figures
{
    private const string Page = "2026-11-26-h200.md";

    // A recording of the demo's test set: its people and its light are not those of the training set.
    private const string Recording = "user20_lab.aedat";

    internal static void Make()
    {
        string demo = Path.Combine(Tree.Out, "demo");
        string logs = Path.Combine(demo, "logs");
        string? checkpoint = Directory.Exists(logs)
            ? Directory.GetFiles(logs, "checkpoint_max.safetensors", SearchOption.AllDirectories).Order().FirstOrDefault()
            : null;
        if (checkpoint is null)
        {
            throw new BuildException("the picture of spikes is of the demo's network: run ./build.sh demo first", 2);
        }

        Native.Build();
        string project = Path.Combine(Tree.Root, "bench", "SlttEngine.Bench");
        Host.Build(Path.Combine(project, "SlttEngine.Bench.csproj"));
        Shell.Require(
            Tree.Dotnet,
            [Path.Combine(project, "bin", "Release", "net10.0", "SlttEngine.Bench.dll"), "figures", checkpoint,
             Path.Combine(demo, "data", "DvsGesture", Recording), Path.Combine(Tree.Root, "bench", "results", Page),
             Path.Combine(Tree.Root, "docs", "figures")],
            "the pictures were not drawn");
    }
}
