namespace SlttEngine.Tests.Packages;

/// <summary>The packages as a user gets them. They build projects, so they take long: ./build.sh test-packages runs them.</summary>
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

    // Trains a network on arrays: `start` straight on, and one epoch alone; `resume` goes on with the latter. Both end with logits.
    private const string Trains = """
        using SlttEngine.Data;
        using SlttEngine.Device;
        using SlttEngine.Graph;
        using SlttEngine.Models;
        using SlttEngine.Training;

        Random random = new(1);
        float[] samples = [.. Enumerable.Range(0, 60 * 64).Select(i => random.NextSingle() + ((i / 64 % 2) == (i / 32 % 2) ? 1 : 0))];
        ArrayDataSet set = new(samples, Enumerable.Range(0, 60).Select(i => i % 2).ToArray(), new FrameShape(1, 1, 8, 8), 2);
        Network net = new NetworkBuilder(channels: 1, height: 8, width: 8)
            .Conv(8, 3).BatchNorm().Lif().AvgPool(2).GlobalAvgPool().Linear(2).Build("halves");
        using ComputeDevice device = ComputeDevice.Open(DeviceKind.Cpu);
        TrainingOptions options = new() { Steps = 2, BatchSize = 20, LearningRate = new LearningRate.Cosine(0.1, 3) };
        using Trainer trainer = new(device, net, options);
        if (args[0] == "start")
        {
            trainer.Fit(set, set, epochs: 3, "straight");
            using Trainer stopped = new(device, net, options);
            stopped.Fit(set, set, epochs: 1, "resumed");
        }
        else
        {
            Console.WriteLine($"epochs {trainer.Fit(set, set, epochs: 3, "resumed", resume: true).Count}");
        }

        trainer.Save("saved.safetensors");
        trainer.Load("saved.safetensors");
        Console.WriteLine("logits " + string.Join(' ', trainer.Predict(samples.AsSpan(0, 64)).Logits));

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
        Assert.That(output.TrimEnd(), Does.Match(@"\nreport: \S+/report\.html$"), "the demo ends with its page, which is written");
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

    /// <summary>A user's first project: trains, resumes in another process with the same bits, predicts.</summary>
    [Test]
    public void An_empty_project_trains_resumes_and_predicts()
    {
        string folder = feed.Folder("project");
        feed.Dotnet(folder, "new", "console", "--no-restore");
        feed.Dotnet(folder, "add", "package", "SlttEngine", "--version", version);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), Trains + LoadedFrom);
        feed.Dotnet(folder, "build", "-warnaserror");
        string output = Path.Combine(folder, "bin", "Debug", "net10.0"), program = Path.Combine(output, "project.dll");
        string[] debugFiles = Directory.GetFiles(Path.Combine(output, "runtimes"), "*.pdb", SearchOption.AllDirectories);
        Assert.That(debugFiles, Is.Empty, "290 MB of SkiaSharp's");
        string started = feed.Dotnet(folder, program, "start"), resumed = feed.Dotnet(folder, program, "resume");
        AssertLoadedFrom(resumed, Path.Combine(output, "runtimes", "linux-x64", "native"));
        Assert.That(Line(resumed, "epochs"), Is.EqualTo("epochs 2"));
        Assert.That(Line(resumed, "logits"), Is.EqualTo(Line(started, "logits")));

        // A published program has the libraries beside it. Without them, the message says where they were searched.
        feed.Dotnet(folder, "publish", "-r", "linux-x64", "--no-self-contained", "-o", "published");
        string published = Path.Combine(folder, "published");
        AssertLoadedFrom(feed.Dotnet(folder, Path.Combine(published, "project.dll"), "start"), published);
        File.Delete(Path.Combine(published, "libsltt_cpu.so"));
        string error = feed.Dotnet(134, folder, Path.Combine(published, "project.dll"), "start");
        Assert.That(
            error, Does.Contain($"the CPU device is missing: no libsltt_cpu.so in {published}, {published}/runtimes/linux-x64/native"));
    }

    /// <summary>A program of one file, without a project: the SDK switches the reflection of System.Text.Json off there.</summary>
    [Test]
    public void A_file_based_program_trains()
    {
        string folder = feed.Folder("file");
        string file = Path.Combine(folder, "app.cs");
        File.WriteAllText(file, $"#:package SlttEngine@{version}\n" + Trains);
        Assert.That(Line(feed.Dotnet(folder, "run", file, "start"), "logits"), Does.Match("^logits -?[0-9.]+ -?[0-9.]+$"));
    }

    private static string Line(string output, string start) =>
        output.Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal)).Trim();

    private static void AssertLoadedFrom(string output, string folder)
    {
        string[] libraries = ["libsltt_cpu.so", "libdnnl.so.2", "libgomp.so.1", "libOpenCL.so.1"];
        Assert.That(
            output.Split('\n').Where(line => line.StartsWith("loaded ", StringComparison.Ordinal)).Select(line => line["loaded ".Length..]),
            Is.EquivalentTo(libraries.Select(library => Path.Combine(folder, library))), output);
    }
}
