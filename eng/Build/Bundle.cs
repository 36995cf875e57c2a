namespace SlttEngine.Build;

/// <summary>One archive that runs without .NET.</summary>
internal static class Bundle
{
    // The executables over one runtime in one folder, with the native libraries that the CPU device needs.
    internal static void Make()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new BuildException("the bundle is made on Linux (on Windows: wsl ./build.sh bundle)", 2);
        }

        Native.RequireTools(["tar", "xz", "ldd"], withOneDnn: false);
        Native.Build();
        Console.WriteLine("== bundle");
        string name = $"sltt-{Tree.Version}-linux-x64";
        string folder = Path.Combine(Tree.Out, "bundle", name);
        string lib = Path.Combine(folder, "lib");
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (string project in new[] { Tree.CliProject, Tree.TestProject, Tree.BenchProject })
        {
            Shell.Require(Tree.Dotnet,
                ["publish", project, "-c", "Release", "-r", "linux-x64", "--self-contained", "-o", lib, "-v", "quiet", "-nologo",
                 "-p:DebugType=none", "-p:GenerateDocumentationFile=false", "-p:LeaveOutDebuggers=true",
                 "--artifacts-path", Path.Combine(Tree.Out, "bundle", "artifacts")],
                $"{Path.GetFileNameWithoutExtension(project)} does not publish");
        }

        string licenses = Path.Combine(folder, "licenses");
        Directory.CreateDirectory(licenses);
        // The bundle carries every library but glibc, which must be the machine's.
        foreach ((string soname, string path) in SharedLibraries.NeededBy(Path.Combine(Tree.Native, "libsltt_cpu.so")))
        {
            if (!MachineLibraries.IsGlibc(soname))
            {
                File.Copy(path, Path.Combine(lib, soname), overwrite: true);
                SharedLibraries.CopyLicence(path, licenses);
            }
        }

        File.CreateSymbolicLink(Path.Combine(folder, "sltt"), "lib/sltt");
        File.CreateSymbolicLink(Path.Combine(folder, "sltt-tests"), "lib/SlttEngine.Tests");
        File.CreateSymbolicLink(Path.Combine(folder, "sltt-bench"), "lib/SlttEngine.Bench");
        foreach (string file in new[] { "README.md", "LICENSE" })
        {
            File.Copy(Path.Combine(Tree.Root, file), Path.Combine(folder, file));
        }

        // Programs that check a machine with a GPU, and compare it with the official programs.
        string[] programs =
        [
            "tools/gpu-check.sh", "bench/peer/official.py", "bench/peer/compare.py", "bench/peer/spikingjelly2.py", "bench/peer/samples.py",
        ];
        foreach (string file in programs)
        {
            string copy = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(Tree.Root, file), copy);
        }

        // The bundle must run where nothing is installed: no .NET, no environment variables.
        (int exitCode, string output) = Shell.Capture("env", ["-i", Path.Combine(folder, "sltt"), "devices"]);
        Console.Write(output);
        if (exitCode != 0)
        {
            throw new BuildException($"the bundled command does not run, exit code {exitCode}", 1);
        }

        string archive = Path.Combine(Tree.Out, name + ".tar.xz");
        Shell.Require(
            "tar",
            ["-C", Path.Combine(Tree.Out, "bundle"), "--owner=0", "--group=0", "--numeric-owner",
             "-I", "xz --x86 --lzma2=preset=6,dict=64MiB", "-cf", archive, name],
            "tar failed");
        Console.WriteLine($"{archive}: {new FileInfo(archive).Length / 1e6:F1} MB");
    }
}
