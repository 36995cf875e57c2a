// The build, behind build.sh and build.ps1: the native part by cmake, the host by dotnet, and what is made of them.
//
//   build           everything; leaves the command at out/sltt
//   demo [options]  builds what the command needs and runs `sltt demo`
//   test [options]  builds everything and runs the whole suite; options, such as --filter, go to the test runner
//   fuzz [options]  mutates files and reads them, --seconds 60 in all; options are those of tests/SlttEngine.Fuzz/Program.cs
//   generate        writes the files that are made from the kernels' signatures: *.g.cs, and the table of calls in docs
//   bundle          one archive that runs without .NET: out/sltt-<version>-linux-x64.tar.xz
//   clean           removes what the build made
#:property PublishAot=false

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

string root = Path.GetDirectoryName((string)AppContext.GetData("EntryPointFileDirectoryPath")!)!;
string outDir = Path.Combine(root, "out");
string native = Path.Combine(outDir, "native");
string cliProject = Path.Combine(root, "src", "SlttEngine.Cli", "SlttEngine.Cli.csproj");
string cliOutput = Path.Combine(root, "src", "SlttEngine.Cli", "bin", "Release", "net10.0");
string testProject = Path.Combine(root, "tests", "SlttEngine.Tests", "SlttEngine.Tests.csproj");
string benchProject = Path.Combine(root, "bench", "SlttEngine.Bench", "SlttEngine.Bench.csproj");
string testAssembly = Path.Combine(root, "tests", "SlttEngine.Tests", "bin", "Release", "net10.0", "SlttEngine.Tests.dll");
// The .NET that runs this program runs the rest too: <root>/shared/Microsoft.NETCore.App/<version>/ is its runtime's folder.
string dotnetRoot = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
string dotnet = Path.Combine(dotnetRoot, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");

// Namespaces of the suite whose tests take about half of its processor time.
string[] firstHalf = ["Cli", "Data", "Engine", "IO"];

// A child on the same terminal gets Ctrl-C itself; wait for it to end in its own way.
Console.CancelKeyPress += (_, e) => e.Cancel = true;

string command = args.Length > 0 ? args[0] : "build";
string[] rest = args.Skip(1).ToArray();
try
{
    switch (command)
    {
        case "build":
            BuildAll();
            return 0;
        case "demo":
            BuildNative();
            BuildHost(cliProject);
            string demo = Path.Combine(outDir, "demo");
            return Start(
                dotnet,
                [Path.Combine(cliOutput, "sltt.dll"), "demo",
                 "-data_dir", Path.Combine(demo, "data"), "-out_dir", Path.Combine(demo, "logs"), .. rest]);
        case "test":
            BuildAll();
            return rest.Length > 0 ? Test(rest) : TestAll();
        case "fuzz":
            return Fuzz(rest);
        case "generate":
            Generate();
            return 0;
        case "bundle":
            Bundle();
            return 0;
        case "clean":
            Clean();
            return 0;
        default:
            throw new BuildException($"'{command}' is unknown: build (the default), demo, test, fuzz, generate, bundle, clean", 2);
    }
}
catch (BuildException e)
{
    Console.Error.WriteLine($"build: {e.Message}");
    return e.ExitCode;
}

void BuildAll()
{
    BuildNative();
    BuildHost(Path.Combine(root, "SlttEngine.sln"));
}

// The CPU device and, where nvcc is, the GPU kernels: out/native, from where the host's build takes them.
void BuildNative()
{
    if (OperatingSystem.IsLinux())
    {
        RequireTools(["g++", "cmake", "make"], withOneDnn: true);
    }
    else if (Find("cmake") is null || Find("nvcc") is null)
    {
        Console.WriteLine(
            "== native part left out: the CPU device is for Linux (on Windows: wsl ./build.sh), and the GPU kernels need cmake and nvcc");
        return;
    }

    Console.WriteLine("== native part");
    // cmake configures at every build: it takes a moment, and an nvcc installed since the last build is noticed.
    string nativeBuild = Path.Combine(outDir, "native-build");
    (int exitCode, string output) = Capture(
        "cmake", ["-S", Path.Combine(root, "kernels"), "-B", nativeBuild, "-DCMAKE_BUILD_TYPE=Release", "-DSLTT_OUTPUT_DIR=" + native]);
    if (exitCode != 0)
    {
        Console.Error.Write(output);
        throw new BuildException("cmake could not configure kernels/", exitCode);
    }

    string jobs = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
    string[] build = ["--build", nativeBuild, "--config", "Release", "--parallel", jobs];
    (exitCode, output) = Console.IsOutputRedirected ? Capture("cmake", build) : (Start("cmake", build), "");
    if (exitCode != 0)
    {
        Console.Error.Write(output);
        throw new BuildException("the native part does not build", exitCode);
    }

    string fatbin = Path.Combine(native, "sltt_kernels.fatbin");
    Console.WriteLine(File.Exists(fatbin)
        ? "   GPU kernels: compiled"
        : "   GPU kernels: left out, nvcc was not found (the command then runs on the CPU device only)");
}

void BuildHost(string target)
{
    Console.WriteLine("== host");
    Require(dotnet, ["build", target, "-c", "Release", "-v", "quiet", "-nologo", "-clp:NoSummary"], "the host does not build");
    WriteLauncher();
}

// out/sltt: the command where it was built, whatever folder .NET is in.
void WriteLauncher()
{
    Directory.CreateDirectory(outDir);
    if (OperatingSystem.IsWindows())
    {
        File.WriteAllText(Path.Combine(outDir, "sltt.cmd"), $"@\"{Path.Combine(cliOutput, "sltt.exe")}\" %*\r\n");
        return;
    }

    string launcher = Path.Combine(outDir, "sltt");
    File.WriteAllText(launcher, $$"""
        #!/bin/sh
        here=$(dirname "$(readlink -f "$0")")
        DOTNET_ROOT="${DOTNET_ROOT:-{{dotnetRoot}}}" exec "$here/../src/SlttEngine.Cli/bin/Release/net10.0/sltt" "$@"

        """);
    File.SetUnixFileMode(launcher, (UnixFileMode)0b111_101_101);
}

// The whole suite in two processes at once, as a device is a process's own and most tests use one core. Each test runs in
// exactly one of them, because the conditions are each other's opposite. The last line adds up both.
int TestAll()
{
    Console.WriteLine("== tests");
    string folder = Path.Combine(outDir, "tests");
    Directory.CreateDirectory(folder);
    string pattern = $@"'^SlttEngine\.Tests\.({string.Join('|', firstHalf)})$'";
    // Tests of the first half start processes or train. The other half shares launches over all threads, as a run does.
    (string Condition, string? Threads)[] halves = [($"namespace =~ {pattern}", "1"), ($"namespace !~ {pattern}", null)];
    // Most tests run once, and two processes share the cores: profiles to optimise by and threads that spin cost more than they give.
    Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
    Environment.SetEnvironmentVariable("OMP_WAIT_POLICY", "passive");
    object printing = new();
    TestRun[] runs = [.. halves.Select(_ => new TestRun())];
    Thread[] waits = [.. runs.Select((run, i) => new Thread(() =>
    {
        // Above AssemblySelectLimit (2,000 by default) the adapter runs the whole suite and drops results.
        string settings = Path.Combine(folder, $"half-{i + 1}.runsettings");
        const string All = "<AssemblySelectLimit>1000000</AssemblySelectLimit>";
        File.WriteAllText(settings, $"<RunSettings><NUnit>{All}<Where>{halves[i].Condition}</Where></NUnit></RunSettings>\n");
        run.ExitCode = Start(dotnet, [testAssembly, "--settings", settings], run.Read, ("SLTT_CPU_THREADS", halves[i].Threads));
        lock (printing)
        {
            run.Lines.ForEach(Console.WriteLine);
        }
    }))];
    Array.ForEach(waits, wait => wait.Start());
    Array.ForEach(waits, wait => wait.Join());
    return Report(runs);
}

// One process with the runner's own options.
int Test(string[] options)
{
    Console.WriteLine("== tests");
    TestRun run = new();
    run.ExitCode = Start(dotnet, [testAssembly, .. options], line =>
    {
        Console.WriteLine(line);
        run.Read(line);
    });
    return Report([run]);
}

// Readers of files, each over mutated inputs: see the program. Begins with the saved corpus.
int Fuzz(string[] options)
{
    BuildNative();
    string project = Path.Combine(root, "tests", "SlttEngine.Fuzz");
    BuildHost(Path.Combine(project, "SlttEngine.Fuzz.csproj"));
    Console.WriteLine("== fuzz");
    return Start(
        dotnet,
        [Path.Combine(project, "bin", "Release", "net10.0", "SlttEngine.Fuzz.dll"),
         "--corpus", Path.Combine(project, "corpus"), "--work", Path.Combine(outDir, "fuzz"), .. options]);
}

// The runner's own summaries decide; the last line says them again in one line for whoever reads logs.
int Report(TestRun[] runs)
{
    int exitCode = runs.Select(run => run.ExitCode).FirstOrDefault(code => code != 0);
    if (Array.TrueForAll(runs, run => run.HasSummary))
    {
        int skipped = runs.Sum(run => run["skipped"]);
        string tail = skipped > 0 ? $", {skipped} skipped" : "";
        Console.WriteLine($"{runs.Sum(run => run["succeeded"])} passed, {runs.Sum(run => run["failed"])} failed{tail}");
        return exitCode;
    }

    if (exitCode == 0 && runs.Length == 1)
    {
        return 0; // --help, --list-tests and the like run nothing
    }

    throw new BuildException($"the test run ended without a summary, exit code {exitCode}", exitCode == 0 ? 1 : exitCode);
}

// Files that are made from what the CPU device's library lists: committed, so that Windows and an editor need no g++.
void Generate()
{
    BuildNative();
    Console.WriteLine("== generated files");
    string library = Path.Combine(native, "libsltt_cpu.so");
    Require(
        dotnet,
        ["run", "--project", Path.Combine(root, "eng", "Generator"), "-c", "Release", "--",
         library, Path.Combine(root, "kernels"), Path.Combine(root, "src", "SlttEngine", "Device")],
        "the kernels' signatures were not written");
    Require(Path.Combine(root, "tools", "cpu-device-calls.sh"), [library], "the table of calls was not written");
}

// The executables over one runtime in one folder, with the native libraries that the CPU device needs.
void Bundle()
{
    if (!OperatingSystem.IsLinux())
    {
        throw new BuildException("the bundle is made on Linux (on Windows: wsl ./build.sh bundle)", 2);
    }

    RequireTools(["tar", "xz", "ldd"], withOneDnn: false);
    BuildNative();
    Console.WriteLine("== bundle");
    string version = XDocument.Load(Path.Combine(root, "Directory.Build.props")).Descendants("Version").Single().Value;
    string name = $"sltt-{version}-linux-x64";
    string folder = Path.Combine(outDir, "bundle", name);
    string lib = Path.Combine(folder, "lib");
    if (Directory.Exists(folder))
    {
        Directory.Delete(folder, recursive: true);
    }

    foreach (string project in new[] { cliProject, testProject, benchProject })
    {
        Require(dotnet,
            ["publish", project, "-c", "Release", "-r", "linux-x64", "--self-contained", "-o", lib, "-v", "quiet", "-nologo",
             "-p:DebugType=none", "-p:GenerateDocumentationFile=false", "-p:LeaveOutDebuggers=true",
             "--artifacts-path", Path.Combine(outDir, "bundle", "artifacts")],
            $"{Path.GetFileNameWithoutExtension(project)} does not publish");
    }

    string licenses = Path.Combine(folder, "licenses");
    Directory.CreateDirectory(licenses);
    string libraries = Capture("ldd", [Path.Combine(native, "libsltt_cpu.so")]).Output;
    foreach (Match match in Regex.Matches(libraries, @"(\S+) => (/\S+)"))
    {
        string soname = match.Groups[1].Value;
        // The bundle carries every library but glibc, which must be the machine's.
        if (Regex.IsMatch(soname, @"^(libc|libm|libpthread|libdl|librt)\.so"))
        {
            continue;
        }

        File.Copy(match.Groups[2].Value, Path.Combine(lib, soname), overwrite: true);
        CopyCopyright(match.Groups[2].Value, licenses);
    }

    File.CreateSymbolicLink(Path.Combine(folder, "sltt"), "lib/sltt");
    File.CreateSymbolicLink(Path.Combine(folder, "sltt-tests"), "lib/SlttEngine.Tests");
    File.CreateSymbolicLink(Path.Combine(folder, "sltt-bench"), "lib/SlttEngine.Bench");
    foreach (string file in new[] { "README.md", "LICENSE" })
    {
        File.Copy(Path.Combine(root, file), Path.Combine(folder, file));
    }

    // Programs that check a machine with a GPU, and compare it with the official programs.
    foreach (string file in new[] { "tools/gpu-check.sh", "bench/peer/official.py", "bench/peer/compare.py", "bench/peer/samples.py" })
    {
        string copy = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.Copy(Path.Combine(root, file), copy);
    }

    // The bundle must run where nothing is installed: no .NET, no environment variables.
    (int exitCode, string output) = Capture("env", ["-i", Path.Combine(folder, "sltt"), "devices"]);
    Console.Write(output);
    if (exitCode != 0)
    {
        throw new BuildException($"the bundled command does not run, exit code {exitCode}", 1);
    }

    string archive = Path.Combine(outDir, name + ".tar.xz");
    Require(
        "tar",
        ["-C", Path.Combine(outDir, "bundle"), "--owner=0", "--group=0", "--numeric-owner",
         "-I", "xz --x86 --lzma2=preset=6,dict=64MiB", "-cf", archive, name],
        "tar failed");
    Console.WriteLine($"{archive}: {new FileInfo(archive).Length / 1e6:F1} MB");
}

// Debian keeps a package's licence in /usr/share/doc. A library that we pass on must carry its licence.
void CopyCopyright(string library, string licenses)
{
    if (Find("dpkg") is null)
    {
        return;
    }

    // dpkg lists some files under /lib and some under /usr/lib; one of the folders is a link to the other.
    foreach (string path in new[] { library, "/usr" + library })
    {
        Match owner = Regex.Match(Capture("dpkg", ["-S", path]).Output, @"^([^:\s]+)(:\S+)?: /");
        string copyright = $"/usr/share/doc/{owner.Groups[1].Value}/copyright";
        if (owner.Success && File.Exists(copyright))
        {
            File.Copy(copyright, Path.Combine(licenses, owner.Groups[1].Value + ".txt"), overwrite: true);
            return;
        }
    }
}

void Clean()
{
    List<string> outputs = [outDir];
    foreach (string part in new[] { "src", "tests", "bench", "eng" })
    {
        string folder = Path.Combine(root, part);
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

// Installs missing programs where apt may be used; else names the exact command that installs them.
void RequireTools(string[] programs, bool withOneDnn)
{
    List<string> packages = programs.Where(program => Find(program) is null)
        .Select(program => program switch { "xz" => "xz-utils", "ldd" => "libc-bin", _ => program }).ToList();
    if (withOneDnn && !HasOneDnn())
    {
        packages.Add("libdnnl-dev");
    }

    if (packages.Count == 0)
    {
        return;
    }

    string list = string.Join(' ', packages);
    Console.WriteLine($"== missing: {list}");
    if (Find("apt-get") is null)
    {
        throw new BuildException($"install these first (Debian and Ubuntu call them so): {list}", 3);
    }

    string[] prefix = Environment.UserName == "root" ? ["apt-get"] : ["sudo", "-n", "apt-get"];
    string line = $"sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}";
    if (prefix[0] == "sudo" && (Find("sudo") is null || Capture("sudo", ["-n", "true"]).ExitCode != 0))
    {
        throw new BuildException($"this needs an administrator; run: {line}", 3);
    }

    Environment.SetEnvironmentVariable("DEBIAN_FRONTEND", "noninteractive");
    string[] install = [.. prefix.Skip(1), "install", "-y", "--no-install-recommends", .. packages];
    // The package lists of a new machine are empty or old. If the install fails, fetch the lists and try once more.
    if (Capture(prefix[0], install).ExitCode == 0)
    {
        return;
    }

    Start(prefix[0], [.. prefix.Skip(1), "update", "-qq"]);
    (int exitCode, string output) = Capture(prefix[0], install);
    if (exitCode != 0)
    {
        Console.Error.Write(output);
        throw new BuildException($"apt-get could not install them; run: {line}", 3);
    }
}

// True if oneDNN's header is in a usual place, or a variable tells cmake where to search.
static bool HasOneDnn() =>
    Environment.GetEnvironmentVariable("CMAKE_PREFIX_PATH") is not null
    || Environment.GetEnvironmentVariable("dnnl_DIR") is not null
    || File.Exists("/usr/include/dnnl.hpp") || File.Exists("/usr/local/include/dnnl.hpp");

static string? Find(string program) =>
    (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
    .SelectMany(folder => new[] { Path.Combine(folder, program), Path.Combine(folder, program + ".exe") })
    .FirstOrDefault(File.Exists);

// Runs a program on this terminal, or hands its standard output to onLine; returns its exit code.
static int Start(string program, string[] arguments, Action<string>? onLine = null, params (string Name, string? Value)[] defaults)
{
    ProcessStartInfo start = new(program, arguments) { UseShellExecute = false, RedirectStandardOutput = onLine is not null };
    foreach ((string name, string? value) in defaults.Where(variable => variable.Value is not null))
    {
        start.Environment.TryAdd(name, value);
    }

    start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
    start.Environment["DOTNET_NOLOGO"] = "1";
    start.Environment["TESTINGPLATFORM_TELEMETRY_OPTOUT"] = "1";
    start.Environment["TESTINGPLATFORM_NOBANNER"] = "1";
    using Process process = Process.Start(start) ?? throw new BuildException($"{program} did not start", 1);
    if (onLine is not null)
    {
        while (process.StandardOutput.ReadLine() is { } line)
        {
            onLine(line);
        }
    }

    process.WaitForExit();
    return process.ExitCode;
}

static void Require(string program, string[] arguments, string failure)
{
    int exitCode = Start(program, arguments);
    if (exitCode != 0)
    {
        throw new BuildException(failure, exitCode);
    }
}

static (int ExitCode, string Output) Capture(string program, string[] arguments)
{
    StringBuilder output = new();
    ProcessStartInfo start = new(program, arguments)
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
    using Process process = Process.Start(start) ?? throw new BuildException($"{program} did not start", 1);
    void Add(object sender, DataReceivedEventArgs e)
    {
        lock (output)
        {
            if (e.Data is not null)
            {
                output.AppendLine(e.Data);
            }
        }
    }

    process.OutputDataReceived += Add;
    process.ErrorDataReceived += Add;
    process.BeginOutputReadLine();
    process.BeginErrorReadLine();
    process.WaitForExit();
    return (process.ExitCode, output.ToString());
}

// One process of the suite: its output, and the counts of its summary.
internal sealed partial class TestRun
{
    private readonly Dictionary<string, int> counts = [];

    public List<string> Lines { get; } = [];

    public int ExitCode { get; set; }

    public bool HasSummary => counts.ContainsKey("succeeded") && counts.ContainsKey("failed");

    public int this[string name] => counts.GetValueOrDefault(name);

    public void Read(string line)
    {
        Lines.Add(line);
        // Under CI the runner colours its summary, terminal or not.
        Match match = SummaryLine().Match(Colour().Replace(line, ""));
        if (match.Success)
        {
            counts[match.Groups[1].Value] = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        }
    }

    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex Colour();

    [GeneratedRegex(@"^\s+(total|failed|succeeded|skipped): (\d+)\s*$")]
    private static partial Regex SummaryLine();
}

internal sealed class BuildException(string message, int exitCode) : Exception(message)
{
    public int ExitCode => exitCode;
}
