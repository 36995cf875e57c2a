using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SlttEngine.Device;

/// <summary>Compiles a user's own kernels for the CPU device by g++, as kernels/CMakeLists.txt compiles the engine's.</summary>
/// <param name="compiler">The compiler: a name on the PATH, or a path.</param>
/// <param name="cache">Where compiled kernels are kept; null: the user's cache.</param>
internal sealed class CpuKernelCompiler(string compiler = "g++", KernelCache? cache = null)
{
    /// <summary>The first version that knows -march=x86-64-v3.</summary>
    private const int OldestVersion = 11;

    private readonly KernelCache cache = cache ?? new KernelCache();

    /// <summary>Compiles a source, or finds it in the cache.</summary>
    /// <param name="source">The source.</param>
    /// <param name="faithful">True: for the mode in which every CUDA thread runs.</param>
    /// <returns>The library's path.</returns>
    /// <exception cref="SlttException">There is no compiler, or the source does not compile.</exception>
    public string Compile(KernelSource source, bool faithful)
    {
        string version = Version();
        string[] options =
        [
            .. faithful ? ["-O1", "-Wno-unknown-pragmas", "-Icpu/faithful", "-Igpu"] : (string[])["-O2", .. Machine(), "-Icpu/fast"],
            "-I.", $"-DSLTT_FAITHFUL={(faithful ? 1 : 0)}", "-std=c++17", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off",
            "-fno-math-errno", "-fno-trapping-math", "-fmax-errors=1", "-Wl,-z,defs",
        ];
        string unit = "#include \"cpu/module_tu.h\"\nnamespace {\n#include \"common/sltt.cuh\"\n#include \"cpu/kernel_types.h\"\n"
            + $"using namespace sltt;\n#line 1 \"{source.SafeName}\"\n{source.Text}\n}}\n";
        string key = string.Join('\0', [version, KernelHeaders.Hash, .. options, unit]);
        return cache.FindOrMake(source.SafeName, ".so", key, (folder, made) =>
        {
            File.WriteAllText(Path.Combine(folder, "unit.cpp"), unit);
            (int exitCode, string output) = Run(folder, [.. options, "-o", made, "unit.cpp"]);
            return exitCode == 0 ? string.Empty : throw CompilerMessages.Error(source, $"g++ {version}", output);
        }).Path;
    }

    /// <summary>The instruction set of the compiled-in kernels, so that the rounding is the same.</summary>
    private static string[] Machine()
    {
        nint address = NativeLibraries.DriverFunction("sltt_cpu_instruction_set");
        string level = Marshal.PtrToStringUTF8(Call(address))!;
        return level == "v4" ? ["-march=x86-64-v4", "-mprefer-vector-width=512"] : ["-march=x86-64-" + level];
    }

    private static unsafe nint Call(nint function) => ((delegate* unmanaged<nint>)function)();

    private string Version()
    {
        (int exitCode, string output) = Run(Path.GetTempPath(), ["-dumpfullversion", "-dumpversion"]);
        string version = output.Trim();
        return exitCode == 0 && int.TryParse(version.Split('.')[0], out int major) && major >= OldestVersion
            ? version
            : throw new SlttException(
                ErrorKind.Device,
                $"own kernels need g++ {OldestVersion} or newer for the CPU device; {compiler} is {version.ReplaceLineEndings(" ")}",
                "sudo apt install g++ on a newer system, or use a GPU");
    }

    private (int ExitCode, string Output) Run(string folder, string[] arguments)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new SlttException(
                ErrorKind.Device, "own kernels for the CPU device exist on Linux alone", "use a GPU, or the Windows Subsystem for Linux");
        }

        ProcessStartInfo start = new(compiler, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + errors.Result);
        }
        catch (Win32Exception e)
        {
            throw new SlttException(
                ErrorKind.Device,
                $"own kernels need g++ {OldestVersion} or newer on the PATH for the CPU device; {compiler} does not start",
                "sudo apt install g++",
                e);
        }
    }
}
