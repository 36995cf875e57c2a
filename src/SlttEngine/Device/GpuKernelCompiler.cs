using System.Text;

namespace SlttEngine.Device;

/// <summary>Compiles a user's own kernels for a GPU by NVRTC, as kernels/CMakeLists.txt compiles the engine's by nvcc.</summary>
internal sealed class GpuKernelCompiler
{
    private static readonly string[] IncludeFolders = ["gpu/nvrtc", "gpu", "."];

    private readonly Nvrtc compiler;
    private readonly KernelCache cache;

    /// <summary>Uses a library.</summary>
    /// <param name="compiler">NVRTC.</param>
    /// <param name="cache">Where compiled kernels are kept.</param>
    public GpuKernelCompiler(Nvrtc compiler, KernelCache cache) => (this.compiler, this.cache) = (compiler, cache);

    /// <summary>Finds NVRTC.</summary>
    /// <exception cref="SlttException">It is nowhere.</exception>
    public static GpuKernelCompiler Open()
    {
        nint library = NativeLibraries.LoadRuntimeCompiler(out IReadOnlyList<string> tried);
        return library == 0 ? throw Missing(tried) : new GpuKernelCompiler(new Nvrtc(library), new KernelCache());
    }

    /// <summary>The error where NVRTC is missing.</summary>
    /// <param name="tried">Where it was searched.</param>
    public static SlttException Missing(IReadOnlyList<string> tried)
    {
        // The loader's own path comes first, as names alone; of the folders it is enough to say which.
        string[] names = [.. tried.Where(t => Path.GetFileName(t) == t).Distinct()];
        string[] folders = [.. tried.Select(Path.GetDirectoryName).OfType<string>().Where(f => f.Length > 0).Distinct()];
        return new SlttException(
            ErrorKind.Device,
            $"own kernels need NVRTC for a GPU; not found: {string.Join(", ", names)} (loader's path, {string.Join(", ", folders)})",
            "install CUDA's NVRTC (pip install nvidia-cuda-nvrtc-cu12, or the CUDA toolkit), or name its folder in SLTT_CUDA_LIBS");
    }

    /// <summary>Compiles a source, or finds it in the cache.</summary>
    /// <param name="source">The source.</param>
    /// <param name="capability">The GPU's compute capability: 90 for 9.0.</param>
    /// <returns>The code's file; the kernels' declarations as notes.</returns>
    /// <exception cref="SlttException">The source does not compile.</exception>
    public CachedKernels Compile(KernelSource source, int capability)
    {
        // A GPU that is newer than NVRTC gets PTX, which its driver compiles.
        int[] known = compiler.Architectures;
        string architecture = known.Contains(capability)
            ? $"sm_{capability}"
            : $"compute_{known.Where(a => a < capability).DefaultIfEmpty(known.Min()).Max()}";
        string[] options = ["--gpu-architecture=" + architecture, "-fmad=false", "--std=c++17", "-default-device"];
        string unit = $"#include \"common/sltt.cuh\"\nusing namespace sltt;\n#line 1 \"{source.SafeName}\"\n{source.Text}\n";
        string version = compiler.Version;
        string key = string.Join('\0', ["NVRTC", version, KernelHeaders.Hash, .. options, unit]);
        return cache.FindOrMake(source.SafeName, $"-{architecture}.bin", key, (folder, made) =>
        {
            string[] includes = [.. IncludeFolders.Select(f => "--include-path=" + Path.Combine(folder, f))];
            (string? ptx, byte[] code, string log) = compiler.Compile(unit, source.SafeName, [.. options, .. includes]);
            if (ptx is null)
            {
                throw CompilerMessages.Error(source, $"NVRTC {version}", log.Replace(folder + Path.DirectorySeparatorChar, ""));
            }

            File.WriteAllBytes(made, code.Length > 0 ? code : Encoding.UTF8.GetBytes(ptx + '\0'));
            return PtxSignatures.Declarations(ptx);
        });
    }
}
