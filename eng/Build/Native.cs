using System.Globalization;

namespace SlttEngine.Build;

/// <summary>The native part, by cmake, and the programs that it needs.</summary>
internal static class Native
{
    // .ci/run sets it, for its own nvcc: another version may spill registers where that one does not.
    private static bool FailOnSpills => Environment.GetEnvironmentVariable("SLTT_FAIL_ON_SPILLS") == "1";

    // The CPU device and, where nvcc is, the GPU kernels: out/native, from where the host's build takes them.
    internal static void Build()
    {
        if (OperatingSystem.IsLinux())
        {
            RequireTools(["g++", "cmake", "make"], withOneDnn: true);
        }
        else if (Shell.Find("cmake") is null || Shell.Find("nvcc") is null)
        {
            Console.WriteLine(
                "== native part left out: the CPU device is for Linux (on Windows: wsl ./build.sh), and the GPU kernels need cmake "
                    + "and nvcc");
            return;
        }

        Console.WriteLine("== native part");
        // cmake configures at every build: it takes a moment, and an nvcc installed since the last build is noticed.
        string nativeBuild = Path.Combine(Tree.Out, "native-build");
        (int exitCode, string output) = Shell.Capture(
            "cmake",
            ["-S", Path.Combine(Tree.Root, "kernels"), "-B", nativeBuild, "-DCMAKE_BUILD_TYPE=Release",
             "-DSLTT_OUTPUT_DIR=" + Tree.Native, "-DSLTT_FAIL_ON_SPILLS=" + (FailOnSpills ? "ON" : "OFF")]);
        if (exitCode != 0)
        {
            Console.Error.Write(output);
            throw new BuildException("cmake could not configure kernels/", exitCode);
        }

        string jobs = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
        string[] build = ["--build", nativeBuild, "--config", "Release", "--parallel", jobs];
        (exitCode, output) = Console.IsOutputRedirected ? Shell.Capture("cmake", build) : (Shell.Start("cmake", build), "");
        if (exitCode != 0)
        {
            Console.Error.Write(output);
            throw new BuildException("the native part does not build", exitCode);
        }

        string fatbin = Path.Combine(Tree.Native, "sltt_kernels.fatbin");
        Console.WriteLine(File.Exists(fatbin)
            ? "   GPU kernels: compiled"
            : "   GPU kernels: left out, nvcc was not found (the command then runs on the CPU device only)");
    }

    // Installs missing programs where apt may be used; else names the exact command that installs them.
    internal static void RequireTools(string[] programs, bool withOneDnn)
    {
        List<string> packages = programs.Where(program => Shell.Find(program) is null)
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
        if (Shell.Find("apt-get") is null)
        {
            throw new BuildException($"install these first (Debian and Ubuntu call them so): {list}", 3);
        }

        string[] prefix = Environment.UserName == "Tree.Root" ? ["apt-get"] : ["sudo", "-n", "apt-get"];
        string line = $"sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}";
        if (prefix[0] == "sudo" && (Shell.Find("sudo") is null || Shell.Capture("sudo", ["-n", "true"]).ExitCode != 0))
        {
            throw new BuildException($"this needs an administrator; run: {line}", 3);
        }

        Environment.SetEnvironmentVariable("DEBIAN_FRONTEND", "noninteractive");
        string[] install = [.. prefix.Skip(1), "install", "-y", "--no-install-recommends", .. packages];
        // The package lists of a new machine are empty or old. If the install fails, fetch the lists and try once more.
        if (Shell.Capture(prefix[0], install).ExitCode == 0)
        {
            return;
        }

        Shell.Start(prefix[0], [.. prefix.Skip(1), "update", "-qq"]);
        (int exitCode, string output) = Shell.Capture(prefix[0], install);
        if (exitCode != 0)
        {
            Console.Error.Write(output);
            throw new BuildException($"apt-get could not install them; run: {line}", 3);
        }
    }

    // True if oneDNN's header is in a usual place, or a variable tells cmake where to search.
    private static bool HasOneDnn() =>
        Environment.GetEnvironmentVariable("CMAKE_PREFIX_PATH") is not null
        || Environment.GetEnvironmentVariable("dnnl_DIR") is not null
        || File.Exists("/usr/include/dnnl.hpp") || File.Exists("/usr/local/include/dnnl.hpp");
}
