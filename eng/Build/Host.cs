namespace SlttEngine.Build;

/// <summary>The host, by dotnet, and files that are generated.</summary>
internal static class Host
{
    internal static void Build(string target)
    {
        Console.WriteLine("== host");
        Shell.Require(
            Tree.Dotnet, ["build", target, "-c", "Release", "-v", "quiet", "-nologo", "-clp:NoSummary"], "the host does not build");
        WriteLauncher();
    }

    // out/sltt: the command where it was built, whatever folder .NET is in.
    private static void WriteLauncher()
    {
        Directory.CreateDirectory(Tree.Out);
        if (OperatingSystem.IsWindows())
        {
            File.WriteAllText(Path.Combine(Tree.Out, "sltt.cmd"), $"@\"{Path.Combine(Tree.CliOutput, "sltt.exe")}\" %*\r\n");
            return;
        }

        string launcher = Path.Combine(Tree.Out, "sltt");
        File.WriteAllText(launcher, $$"""
            #!/bin/sh
            here=$(dirname "$(readlink -f "$0")")
            DOTNET_ROOT="${DOTNET_ROOT:-{{Tree.DotnetRoot}}}" exec "$here/../src/SlttEngine.Cli/bin/Release/net10.0/sltt" "$@"

            """);
        File.SetUnixFileMode(launcher, (UnixFileMode)0b111_101_101);
    }

    // Files that are made from what the CPU device's library lists: committed, so that Windows and an editor need no g++.
    internal static void Generate()
    {
        Console.WriteLine("== generated files");
        string library = Path.Combine(Tree.Native, "libsltt_cpu.so");
        Shell.Require(
            Tree.Dotnet,
            ["run", "--project", Path.Combine(Tree.Root, "eng", "Generator"), "-c", "Release", "--",
             library, Path.Combine(Tree.Root, "kernels"), Path.Combine(Tree.Root, "src", "SlttEngine", "Device")],
            "the kernels' signatures were not written");
        Shell.Require(Path.Combine(Tree.Root, "tools", "cpu-device-calls.sh"), [library], "the table of calls was not written");
    }

    internal static void Clean()
    {
        List<string> outputs = [Tree.Out];
        foreach (string part in new[] { "src", "tests", "bench", "eng" })
        {
            string folder = Path.Combine(Tree.Root, part);
            if (Directory.Exists(folder))
            {
                outputs.AddRange(Directory.GetDirectories(folder)
                    .SelectMany(project => new[] { Path.Combine(project, "bin"), Path.Combine(project, "obj") }));
            }
        }

        foreach (string folder in outputs.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
