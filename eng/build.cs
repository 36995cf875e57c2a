// The build, behind build.sh and build.ps1: the native part by cmake, the host by dotnet, and what is made of them.
//
//   build           everything; leaves the command at out/sltt
//   demo [options]  builds what the command needs and runs `sltt demo`
//   test [options]  builds everything and runs the whole suite
//   generate        builds the CPU device and writes the C# side of the kernels' signatures (src/SlttEngine/Device/*.g.cs)
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
            return Start(dotnet, [Path.Combine(cliOutput, "sltt.dll"), "demo", "-data_dir", Path.Combine(demo, "data"), "-out_dir", Path.Combine(demo, "logs"), .. rest]);
        case "test":
            BuildAll();
            return Test(rest);
        case "generate":
            BuildNative();
            return Start(dotnet,
                ["run", "--project", Path.Combine(root, "eng", "Generator"), "-c", "Release", "-v", "quiet", "--",
                 Path.Combine(native, "libsltt_cpu.so"), Path.Combine(root, "kernels"), Path.Combine(root, "src", "SlttEngine", "Device")]);
        case "bundle":
            Bundle();
            return 0;
        case "clean":
            Clean();
            return 0;
        default:
            throw new BuildException($"'{command}' is not something to build: build (the default), demo, test, generate, bundle, clean", 2);
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
        Console.WriteLine("== native part left out: the CPU device is for Linux (on Windows: wsl ./build.sh), and cmake and nvcc were not both found for the GPU kernels");
        return;
    }

    Console.WriteLine("== native part");
    // Configured anew each time: that takes a moment and notices an nvcc installed since.
    var configure = Capture("cmake", ["-S", Path.Combine(root, "kernels"), "-B", Path.Combine(outDir, "native-build"), "-DCMAKE_BUILD_TYPE=Release", "-DSLTT_OUTPUT_DIR=" + native]);
    if (configure.ExitCode != 0)
    {
        Console.Error.Write(configure.Output);
        throw new BuildException("cmake could not configure kernels/", configure.ExitCode);
    }

    Require("cmake", ["--build", Path.Combine(outDir, "native-build"), "--config", "Release", "--parallel", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)],
        "the native part does not build");
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

// The runner's own summary decides; the last line says it again in one line for whoever reads logs.
int Test(string[] options)
{
    Console.WriteLine("== tests");
    var counts = new Dictionary<string, int>();
    int exitCode = Start(dotnet, [testAssembly, .. options], line =>
    {
        Console.WriteLine(line);
        // Under CI the runner colours its summary, terminal or not.
        var match = Regex.Match(Regex.Replace(line, @"\x1b\[[0-9;]*m", ""), @"^\s+(total|failed|succeeded|skipped): (\d+)\s*$");
        if (match.Success)
        {
            counts[match.Groups[1].Value] = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        }
    });
    if (counts.TryGetValue("succeeded", out int passed) && counts.TryGetValue("failed", out int failed))
    {
        string skipped = counts.TryGetValue("skipped", out int n) && n > 0 ? $", {n} skipped" : "";
        Console.WriteLine($"{passed} passed, {failed} failed{skipped}");
        return exitCode;
    }

    if (exitCode == 0)
    {
        return 0; // --help, --list-tests and the like run nothing
    }

    throw new BuildException($"the test run ended without a summary, exit code {exitCode}", exitCode);
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
             "-p:DebugType=none", "-p:GenerateDocumentationFile=false", "-p:LeaveOutDebuggers=true", "--artifacts-path", Path.Combine(outDir, "bundle", "artifacts")],
            $"{Path.GetFileNameWithoutExtension(project)} does not publish");
    }

    string licenses = Path.Combine(folder, "licenses");
    Directory.CreateDirectory(licenses);
    var libraries = Capture("ldd", [Path.Combine(native, "libsltt_cpu.so")]).Output;
    foreach (Match match in Regex.Matches(libraries, @"(\S+) => (/\S+)"))
    {
        string soname = match.Groups[1].Value;
        // glibc must be the machine's own; everything else comes along.
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

    // What a machine with a GPU is checked with, and compared with the official programs.
    foreach (string file in new[] { "tools/gpu-check.sh", "bench/peer/official.py", "bench/peer/compare.py", "bench/peer/samples.py" })
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
        File.Copy(Path.Combine(root, file), Path.Combine(folder, file));
    }

    // It must run where nothing is installed: no .NET, no variables.
    var run = Capture("env", ["-i", Path.Combine(folder, "sltt"), "devices"]);
    Console.Write(run.Output);
    if (run.ExitCode != 0)
    {
        throw new BuildException($"the bundled command does not run, exit code {run.ExitCode}", 1);
    }

    string archive = Path.Combine(outDir, name + ".tar.xz");
    Require("tar", ["-C", Path.Combine(outDir, "bundle"), "--owner=0", "--group=0", "--numeric-owner", "-I", "xz --x86 --lzma2=preset=6,dict=64MiB", "-cf", archive, name], "tar failed");
    Console.WriteLine($"{archive}: {new FileInfo(archive).Length / 1e6:F1} MB");
}

// Debian keeps a package's licence in /usr/share/doc; what is passed on must keep it.
void CopyCopyright(string library, string licenses)
{
    if (Find("dpkg") is null)
    {
        return;
    }

    // The packages know some files as /lib/…, some as /usr/lib/…: one is a link to the other.
    foreach (string path in new[] { library, "/usr" + library })
    {
        var owner = Regex.Match(Capture("dpkg", ["-S", path]).Output, @"^([^:\s]+)(:\S+)?: /");
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
    var made = new List<string> { outDir };
    foreach (string part in new[] { "src", "tests", "bench", "eng" })
    {
        string folder = Path.Combine(root, part);
        if (Directory.Exists(folder))
        {
            made.AddRange(Directory.GetDirectories(folder).SelectMany(project => new[] { Path.Combine(project, "bin"), Path.Combine(project, "obj") }));
        }
    }

    foreach (string folder in made.Where(Directory.Exists))
    {
        Directory.Delete(folder, recursive: true);
    }
}

// Installs what is missing where apt may be used, or says the exact line that will.
void RequireTools(string[] programs, bool withOneDnn)
{
    var packages = programs.Where(program => Find(program) is null)
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
    // The package lists of a new machine are empty or old: then they are fetched and the install tried again.
    if (Capture(prefix[0], install).ExitCode == 0)
    {
        return;
    }

    Start(prefix[0], [.. prefix.Skip(1), "update", "-qq"]);
    var second = Capture(prefix[0], install);
    if (second.ExitCode != 0)
    {
        Console.Error.Write(second.Output);
        throw new BuildException($"apt-get could not install them; run: {line}", 3);
    }
}

// Where a variable says where cmake is to look, its word is taken.
static bool HasOneDnn() =>
    Environment.GetEnvironmentVariable("CMAKE_PREFIX_PATH") is not null
    || Environment.GetEnvironmentVariable("dnnl_DIR") is not null
    || File.Exists("/usr/include/dnnl.hpp") || File.Exists("/usr/local/include/dnnl.hpp");

static string? Find(string program) =>
    (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
    .SelectMany(folder => new[] { Path.Combine(folder, program), Path.Combine(folder, program + ".exe") })
    .FirstOrDefault(File.Exists);

// Runs a program on this terminal, or with its standard output handed over line by line; returns its exit code.
static int Start(string program, string[] arguments, Action<string>? onLine = null)
{
    var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = onLine is not null };
    start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
    start.Environment["DOTNET_NOLOGO"] = "1";
    start.Environment["TESTINGPLATFORM_TELEMETRY_OPTOUT"] = "1";
    start.Environment["TESTINGPLATFORM_NOBANNER"] = "1";
    using var process = Process.Start(start) ?? throw new BuildException($"{program} did not start", 1);
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
    var output = new StringBuilder();
    var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
    using var process = Process.Start(start) ?? throw new BuildException($"{program} did not start", 1);
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

internal sealed class BuildException(string message, int exitCode) : Exception(message)
{
    public int ExitCode => exitCode;
}
