namespace SlttEngine.Tests.Packages;

/// <summary>The packages as a user gets them. ./build.sh test-all runs these after ./build.sh pack; they build projects, so they take long.</summary>
[NonParallelizable]
public sealed class PackageTests
{
    // The line of a program that tells which libraries were loaded, from where.
    private const string LoadedFrom = """
        foreach (string path in File.ReadLines("/proc/self/maps").Select(l => l[(l.LastIndexOf(' ') + 1)..]).Distinct()
            .Where(p => p.Contains("libsltt_cpu") || p.Contains("libdnnl") || p.Contains("libgomp") || p.Contains("libOpenCL")))
        {
            Console.WriteLine("loaded " + path);
        }

        """;

    private PackageFeed feed = null!;
    private string version = null!;

    [OneTimeSetUp]
    public void Feed()
    {
        string? packages = Environment.GetEnvironmentVariable("SLTT_PACKAGES");
        if (packages is null)
        {
            Assert.Ignore("./build.sh test-packages runs the tests of packages");
        }

        feed = new PackageFeed(packages);
        string library = Directory.GetFiles(packages, "SlttEngine.?.*.nupkg").Single();
        version = Path.GetFileNameWithoutExtension(library)["SlttEngine.".Length..];
    }

    [OneTimeTearDown]
    public void RemoveFeed() => feed?.Dispose();

    /// <summary>The command from its package: devices, and a training run of the demo's data set.</summary>
    [Test]
    public void The_command_installs_as_a_tool_and_trains()
    {
        string folder = feed.Folder("tool");
        feed.Dotnet(folder, "tool", "install", "SlttEngine.Cli", "--version", version, "--tool-path", "bin");
        string sltt = Path.Combine(folder, "bin", "sltt");
        Assert.That(feed.Run(0, folder, sltt, "devices"), Does.Contain("cpu"));
        string output = feed.Run(0, folder, sltt, "demo", "-data_dir", "data", "-out_dir", "logs", "--device", "cpu", "-epochs", "1");
        Assert.That(output, Does.Contain("test"));
    }

    /// <summary>Scripts and notebooks load the assembly from the cache of packages: the native libraries are found there.</summary>
    [Test]
    public void Native_libraries_are_found_in_the_cache_of_packages()
    {
        string folder = feed.Folder("cache-load");
        feed.Dotnet(folder, "new", "console", "--no-restore");
        feed.Dotnet(folder, "add", "package", "SlttEngine", "--version", version);
        feed.Dotnet(folder, "remove", "package", "SlttEngine");
        string assembly = Path.Combine(feed.Cache, "slttengine", version, "lib", "net10.0", "SlttEngine.dll");
        File.WriteAllText(Path.Combine(folder, "Program.cs"), $$"""
            Type device = System.Reflection.Assembly.LoadFrom("{{assembly}}").GetType("SlttEngine.Device.ComputeDevice")!;
            Type kind = device.Assembly.GetType("SlttEngine.Device.DeviceKind")!;
            ((IDisposable)device.GetMethod("Open", [kind])!.Invoke(null, [Enum.Parse(kind, "Cpu")])!).Dispose();
            {{LoadedFrom}}
            """);
        AssertLoadedFrom(feed.Dotnet(folder, "run"), Path.Combine(feed.Cache, "slttengine", version, "runtimes", "linux-x64", "native"));
    }

    private static void AssertLoadedFrom(string output, string folder)
    {
        string[] libraries = ["libsltt_cpu.so", "libdnnl.so.2", "libgomp.so.1", "libOpenCL.so.1"];
        Assert.That(
            output.Split('\n').Where(line => line.StartsWith("loaded ", StringComparison.Ordinal)).Select(line => line["loaded ".Length..]),
            Is.EquivalentTo(libraries.Select(library => Path.Combine(folder, library))), output);
    }
}
