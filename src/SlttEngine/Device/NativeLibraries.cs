using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using ManagedCuda;
using ManagedCuda.CudaBlas;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Device;

/// <summary>Which native libraries serve the CUDA driver, cuBLAS and cuDNN: NVIDIA's, or the CPU device in their place.</summary>
/// <remarks>Decided once a process, before the first native call; the only place that knows file names.</remarks>
public static partial class NativeLibraries
{
    /// <summary>CUDA_ERROR_NO_DEVICE.</summary>
    private const int NoDevice = 100;
    private const int RtldNow = 2;
    private const int RtldGlobal = 0x100;

    private static readonly Lock Gate = new();
    private static Dictionary<string, nint>? chosen;
    private static bool chosenCpu;

    /// <summary>Makes the native calls go to the CPU device or to NVIDIA's libraries.</summary>
    /// <param name="cpu">True: the CPU device.</param>
    /// <exception cref="SlttException">A library can't be loaded, or the process already uses the other kind.</exception>
    public static void Choose(bool cpu)
    {
        lock (Gate)
        {
            if (chosen is not null)
            {
                if (chosenCpu != cpu)
                {
                    throw new SlttException(
                        ErrorKind.Device, "this process already uses the other kind of device", "use one kind of device a process");
                }

                return;
            }

            chosen = cpu ? LoadCpu() : LoadCuda();
            chosenCpu = cpu;
            foreach (Assembly assembly in new[] { typeof(CudaContext).Assembly, typeof(CudaBlas).Assembly,
                typeof(CudaDNNContext).Assembly, typeof(NativeLibraries).Assembly }.Distinct())
            {
                // The published ManagedCuda sets a resolver of its own, of which an assembly can have only one: it falls
                // through to the load context's event below.
                if (IsOurs(assembly))
                {
                    NativeLibrary.SetDllImportResolver(assembly, (name, _, _) => Resolve(name));
                }
            }

            AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => Resolve(name);
        }
    }

    /// <summary>Why no NVIDIA GPU can be used, in one line; null if one can.</summary>
    public static string? WhyNoCuda()
    {
        nint driver = TryLoad(DriverNames, []);
        if (driver == 0)
        {
            return "no NVIDIA driver (" + DriverNames[0] + " not found)";
        }

        int status = Call(driver, "cuInit");
        if (status != 0)
        {
            return status == NoDevice ? "the NVIDIA driver finds no GPU" : $"the NVIDIA driver does not start (cuInit: error {status})";
        }

        if (DeviceCount(driver) == 0)
        {
            return "the NVIDIA driver shows no GPU";
        }

        if (TryLoad(BlasNames, []) == 0)
        {
            return $"cuBLAS not found ({string.Join(", ", BlasNames)}; SLTT_CUDA_LIBS can name its folder)";
        }

        if (LoadDnn() == 0)
        {
            return $"cuDNN 9 not found ({string.Join(", ", DnnNames)}; SLTT_CUDA_LIBS can name its folder)";
        }

        return ComputeDevice.HasGpuKernels ? null : "this build holds no GPU kernels (nvcc was not at hand when it was built)";
    }

    private static readonly string[] DriverNames = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    private static readonly string[] BlasNames = OperatingSystem.IsWindows()
        ? ["cublas64_13.dll", "cublas64_12.dll"]
        : ["libcublas.so.13", "libcublas.so.12"];

    /// <summary>
    /// What cuDNN compiles kernels with as it runs, asking the loader for it by name: in a folder that the loader doesn't search it must be
    /// there already.
    /// </summary>
    private static readonly string[] CompilerNames = OperatingSystem.IsWindows() ? [] : ["libnvrtc.so.13", "libnvrtc.so.12"];

    /// <summary>NVRTC, for a user's own kernels, the newest first. 11.2 is the name of all 11.x from there on.</summary>
    private static readonly (int Major, string Name)[] RuntimeCompilers = OperatingSystem.IsWindows()
        ? [(13, "nvrtc64_130_0.dll"), (12, "nvrtc64_120_0.dll"), (11, "nvrtc64_112_0.dll")]
        : [(13, "libnvrtc.so.13"), (12, "libnvrtc.so.12"), (11, "libnvrtc.so.11.2")];

    /// <summary>CUPTI, which records when kernels run, the newest first. The last is whatever a toolkit's folder holds.</summary>
    private static readonly (int Major, string Name)[] Recorders = OperatingSystem.IsWindows()
        ? []
        : [(13, "libcupti.so.13"), (12, "libcupti.so.12"), (11, "libcupti.so.11.8"), (0, "libcupti.so")];

    private static readonly string[] DnnNames = OperatingSystem.IsWindows() ? ["cudnn64_9.dll"] : ["libcudnn.so.9"];

    /// <summary>cuDNN 9 is a dispatcher that loads its parts by name as it runs; a stray system copy must not be mixed in.</summary>
    private static readonly string[] DnnParts =
    [
        "libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9", "libcudnn_adv.so.9", "libcudnn_heuristic.so.9",
        "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9",
    ];

    private static bool IsOurs(Assembly assembly) =>
        assembly == typeof(CudaDNNContext).Assembly || assembly == typeof(NativeLibraries).Assembly
            || assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Any(a => a.Key == "SlttEngine");

    /// <summary>A function of the CPU device's own; 0 where NVIDIA's libraries serve the calls, or none was chosen yet.</summary>
    internal static nint CpuFunction(string name)
    {
        lock (Gate)
        {
            return chosen is not null && chosenCpu ? NativeLibrary.GetExport(chosen["nvcuda"], name) : 0;
        }
    }

    /// <summary>A function of a library that serves the calls; 0 where it has none of this name.</summary>
    /// <param name="library">The library's name in the bindings: nvcuda, cublas, cudnn64_9.</param>
    /// <param name="name">The function's name.</param>
    internal static nint Function(string library, string name)
    {
        lock (Gate)
        {
            return chosen is not null && NativeLibrary.TryGetExport(chosen[library], name, out nint address) ? address : 0;
        }
    }

    /// <summary>A function of the driver that serves the calls: NVIDIA's, or the CPU device's.</summary>
    /// <param name="name">Its name.</param>
    internal static nint DriverFunction(string name)
    {
        lock (Gate)
        {
            return NativeLibrary.GetExport(chosen!["nvcuda"], name);
        }
    }

    /// <summary>Loads NVRTC, of a version whose code the driver can load.</summary>
    /// <param name="tried">Where it was searched.</param>
    /// <returns>The library; 0 where there is none.</returns>
    internal static nint LoadRuntimeCompiler(out IReadOnlyList<string> tried)
    {
        int newest;
        lock (Gate)
        {
            newest = chosen is null || chosenCpu ? int.MaxValue : DriverMajor(chosen["nvcuda"]);
        }

        List<string> paths = [];
        tried = paths;
        return TryLoad([.. RuntimeCompilers.Where(c => c.Major <= newest).Select(c => c.Name)], paths);
    }

    /// <summary>Loads CUPTI, of a version that the driver can serve.</summary>
    /// <returns>The library; 0 where there is none.</returns>
    internal static nint LoadRecorder()
    {
        int newest;
        lock (Gate)
        {
            if (chosen is null || chosenCpu)
            {
                return 0;
            }

            newest = DriverMajor(chosen["nvcuda"]);
        }

        // The newest first, wherever it lies: an old one on the loader's path may not know the GPU.
        return Recorders.Where(r => r.Major <= newest)
            .Select(r => TryLoad([r.Name], [], Folders().Concat(RecorderFolders())))
            .FirstOrDefault(handle => handle != 0);
    }

    private static nint Resolve(string name) => chosen is not null && chosen.TryGetValue(name, out nint handle) ? handle : 0;

    private static Dictionary<string, nint> LoadCpu()
    {
        string file = OperatingSystem.IsWindows() ? "sltt_cpu.dll" : "libsltt_cpu.so";
        string[] folders = [.. CpuFolders(
            AppContext.BaseDirectory, typeof(NativeLibraries).Assembly.Location,
            AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string)];
        string? path = folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
        if (path is null)
        {
            throw new SlttException(
                ErrorKind.Device, $"the CPU device is missing: no {file} in {string.Join(", ", folders)}",
                "run ./build.sh, or use the package SlttEngine on x86-64 Linux");
        }

        // OpenMP's threads wait for each other by spinning, long by default: beside any other work on the machine that
        // costs many times what sleeping does. Its library reads this as it loads; what the user has set counts.
        if (!OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
        {
            SetEnvironment("GOMP_SPINCOUNT", "3000", overwrite: 0);
        }

        try
        {
            nint handle = NativeLibrary.Load(path);
            return new() { ["nvcuda"] = handle, ["cublas64_12"] = handle, ["cublas"] = handle, ["cudnn64_9"] = handle };
        }
        catch (DllNotFoundException e)
        {
            throw new SlttException(
                ErrorKind.Device, $"the CPU device does not load: {e.Message.ReplaceLineEndings(" ")}",
                "install oneDNN (Debian: libdnnl2), or run ./build.sh", e);
        }
    }

    /// <summary>Folders that may hold the CPU device: where a build, a package or the cache of packages puts it.</summary>
    /// <param name="program">The program's folder.</param>
    /// <param name="assembly">This assembly's file; empty inside a single-file program.</param>
    /// <param name="native">The runtime's own list of folders, separated as in PATH.</param>
    internal static IEnumerable<string> CpuFolders(string program, string assembly, string? native)
    {
        string runtimes = Path.Combine("runtimes", OperatingSystem.IsWindows() ? "win-x64" : "linux-x64", "native");
        List<string> folders = [program, Path.Combine(program, runtimes)];
        if (Path.GetDirectoryName(assembly) is { Length: > 0 } library)
        {
            // In the cache of packages the assembly is in lib/net10.0 and the library in runtimes, both of one package.
            folders.AddRange([library, Path.Combine(library, runtimes), Path.Combine(library, "..", "..", runtimes)]);
        }

        folders.AddRange((native ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        return folders.Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))).Distinct();
    }

    private static Dictionary<string, nint> LoadCuda()
    {
        if (WhyNoCuda() is { } why)
        {
            throw new SlttException(ErrorKind.Device, "no NVIDIA GPU can be used: " + why, "use --device cpu");
        }

        List<string> tried = [];
        nint blas = TryLoad(BlasNames, tried);
        return new()
        {
            ["nvcuda"] = TryLoad(DriverNames, tried),
            ["cublas64_12"] = blas,
            ["cublas"] = blas,
            ["cudnn64_9"] = TryLoad(DnnNames, tried)
        };
    }

    private static nint TryLoad(string[] names, List<string> tried, IEnumerable<string>? folders = null)
    {
        foreach (string folder in folders ?? Folders())
        {
            foreach (string name in names)
            {
                string path = folder.Length == 0 ? name : Path.Combine(folder, name);
                tried.Add(path);
                if (folder.Length != 0 && !File.Exists(path))
                {
                    continue;
                }

                if (folder.Length != 0 && name.StartsWith("libcublas.", StringComparison.Ordinal))
                {
                    OpenGlobal(Path.Combine(folder, name.Replace("libcublas", "libcublasLt", StringComparison.Ordinal)));
                }

                nint handle = OpenGlobal(path);
                if (handle == 0)
                {
                    continue;
                }

                if (name.Contains("cudnn", StringComparison.Ordinal) && folder.Length != 0)
                {
                    foreach (string part in DnnParts.Select(p => Path.Combine(folder, p)).Where(File.Exists))
                    {
                        OpenGlobal(part);
                    }
                }

                return handle;
            }
        }

        return 0;
    }

    /// <summary>Folders searched, in order; "" is the loader's own path.</summary>
    private static IEnumerable<string> Folders()
    {
        string? given = Environment.GetEnvironmentVariable("SLTT_CUDA_LIBS");
        if (!string.IsNullOrEmpty(given))
        {
            foreach (string folder in given.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            {
                yield return folder;
            }
        }

        yield return string.Empty;

        // /usr/local/nvidia: where a container may find the driver.
        string?[] roots = [
            Environment.GetEnvironmentVariable("CUDA_PATH"), Environment.GetEnvironmentVariable("CUDA_HOME"), "/usr/local/cuda",
            "/usr/local/nvidia"];
        foreach (string root in roots.OfType<string>())
        {
            foreach (string sub in new[] { "lib64", "lib", "bin", "targets/x86_64-linux/lib" })
            {
                yield return Path.Combine(root, sub);
            }
        }

        if (Environment.GetEnvironmentVariable("CONDA_PREFIX") is { Length: > 0 } conda)
        {
            yield return Path.Combine(conda, "lib");
        }

        foreach (string site in PythonSites(Environment.GetEnvironmentVariable("PATH")))
        {
            string nvidia = Path.Combine(site, "nvidia");
            if (Directory.Exists(nvidia))
            {
                foreach (string folder in Directory.EnumerateDirectories(nvidia).Order(StringComparer.Ordinal))
                {
                    yield return Path.Combine(folder, "lib");
                }
            }
        }
    }

    /// <summary>Where CUPTI lies besides: a toolkit's folder of extras, and Triton's package, which brings it along.</summary>
    private static IEnumerable<string> RecorderFolders()
    {
        string?[] roots = [
            Environment.GetEnvironmentVariable("CUDA_PATH"), Environment.GetEnvironmentVariable("CUDA_HOME"), "/usr/local/cuda"];
        return roots.OfType<string>().Select(root => Path.Combine(root, "extras", "CUPTI", "lib64")).Concat(
            PythonSites(Environment.GetEnvironmentVariable("PATH")).Select(
                site => Path.Combine(site, "triton", "backends", "nvidia", "lib", "cupti")));
    }

    /// <summary>site-packages folders, where pip puts NVIDIA's wheels (nvidia/cudnn/lib and so on).</summary>
    /// <param name="path">PATH: the packages of a python3 on it are found wherever it lies, an environment's too that is not
    /// activated.</param>
    internal static IEnumerable<string> PythonSites(string? path)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        IEnumerable<string?> onPath = (path ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(folder => File.Exists(Path.Combine(folder, "python3")))
            .Select(folder => Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(folder)));
        IEnumerable<string?> roots =
        [
            Environment.GetEnvironmentVariable("VIRTUAL_ENV"), Environment.GetEnvironmentVariable("CONDA_PREFIX"), .. onPath,
            "/usr/local", "/usr", Path.Combine(home, ".local"), "/opt/conda",
        ];
        foreach (string lib in roots.OfType<string>().Select(r => Path.Combine(r, "lib")).Distinct().Where(Directory.Exists))
        {
            foreach (string python in Directory.EnumerateDirectories(lib, "python3*").Order(StringComparer.Ordinal))
            {
                yield return Path.Combine(python, "site-packages");
                yield return Path.Combine(python, "dist-packages");
            }
        }
    }

    private static nint OpenGlobal(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return NativeLibrary.TryLoad(path, out nint handle) ? handle : 0;
        }

        try
        {
            return DlOpen(path, RtldNow | RtldGlobal);
        }
        catch (EntryPointNotFoundException)
        {
            return DlOpenOld(path, RtldNow | RtldGlobal);
        }
    }

    private static unsafe int Call(nint library, string function) =>
        NativeLibrary.TryGetExport(library, function, out nint address) ? ((delegate* unmanaged<uint, int>)address)(0) : -1;

    private static unsafe int DeviceCount(nint library)
    {
        int count = 0;
        return NativeLibrary.TryGetExport(library, "cuDeviceGetCount", out nint address)
            && ((delegate* unmanaged<int*, int>)address)(&count) == 0 ? count : 0;
    }

    /// <summary>The CUDA version that a driver is for.</summary>
    private static unsafe int DriverMajor(nint library)
    {
        int version = 0;
        return NativeLibrary.TryGetExport(library, "cuDriverGetVersion", out nint address)
            && ((delegate* unmanaged<int*, int>)address)(&version) == 0 ? version / 1000 : int.MaxValue;
    }

    /// <summary>The C library's setenv: what .NET sets, native code does not see.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint DlOpen(string path, int flags);

    /// <summary>The same where the C library is older than 2.34 and leaves it to another one.</summary>
    [LibraryImport("libdl.so.2", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint DlOpenOld(string path, int flags);
}
