using System.Diagnostics;
using System.Text.Json.Nodes;

namespace SlttEngine.Tests.Cli;

/// <summary>A file-based or trimmed program has the reflection of System.Text.Json switched off: the library does without.</summary>
public sealed class JsonReflectionTests
{
    [Test]
    public void Training_resuming_and_converting_need_no_reflection()
    {
        using SmallCifar data = new();
        string configuration = Path.Combine(data.Folder, "runtimeconfig.json");
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "sltt.runtimeconfig.json")))!;
        json["runtimeOptions"]!["configProperties"]!["System.Text.Json.JsonSerializer.IsReflectionEnabledByDefault"] = false;
        File.WriteAllText(configuration, json.ToJsonString());

        Run(data.Train("-epochs", "1"));
        string latest = Directory.GetFiles(data.OutDir, "checkpoint_latest.safetensors", SearchOption.AllDirectories).Single();
        string pth = Path.Combine(data.Folder, "latest.pth");
        Run(data.Train("-epochs", "2", "-resume", latest));
        Run("convert", latest, pth);
        Run("convert", pth, Path.Combine(data.Folder, "again.safetensors"));

        void Run(params string[] arguments)
        {
            ProcessStartInfo start = SlttProcess.StartInfo(arguments);
            if (start.ArgumentList is not [string command, ..] || !command.EndsWith(".dll", StringComparison.Ordinal))
            {
                Assert.Ignore("the bundle's command reads its own runtimeconfig.json alone");
            }

            foreach (string argument in new[] { configuration, "--runtimeconfig", "exec" })
            {
                start.ArgumentList.Insert(0, argument);
            }

            start.Environment["SLTT_CPU_CONV"] = "measure";
            SlttProcess.Result result = SlttProcess.Run(start);
            Assert.That(result.ExitCode, Is.Zero, result.Error);
        }
    }
}
