using System.Runtime.InteropServices;

namespace SlttEngine.Device;

/// <content>What a user is told of the libraries: found where, which version, what to do about one that is missing.</content>
public static partial class NativeLibraries
{
    private const string Wheels = "or name its folder in SLTT_CUDA_LIBS";

    private static readonly string[] CollectiveNames = OperatingSystem.IsWindows() ? [] : ["libnccl.so.2"];

    /// <summary>NVIDIA's libraries on this machine. It loads what it finds, so the process should use no device but a GPU.</summary>
    internal static IReadOnlyList<FoundLibrary> FindCuda()
    {
        nint driver = TryLoad(DriverNames, []);
        return
        [
            new FoundLibrary(
                "driver", "the GPU itself", null, null,
                "install NVIDIA's driver 525 or newer; in a container, start it with --gpus all; in WSL, install it on Windows", true)
                .With(driver, "cuDriverGetVersion", f => FoundLibrary.Thousands(f) is { } cuda ? $"CUDA {cuda}{DriverRelease()}" : null),
            new FoundLibrary(
                "cuBLAS", "linear layers, 1×1 convolutions", null, null,
                $"pip install nvidia-cublas-cu12 (CUDA 13: nvidia-cublas), {Wheels}", true)
                .With(TryLoad(BlasNames, []), "cublasGetProperty", FoundLibrary.Properties),
            new FoundLibrary(
                "cuDNN", "convolutions", null, null, $"pip install nvidia-cudnn-cu12 (CUDA 13: nvidia-cudnn-cu13), {Wheels}", true)
                .With(LoadDnn(), "cudnnGetVersion", FoundLibrary.Returned),
            new FoundLibrary(
                "NVRTC", "kernels of your own, some of cuDNN's", null, null,
                $"pip install nvidia-cuda-nvrtc-cu12 (CUDA 13: nvidia-cuda-nvrtc), {Wheels}", false)
                .With(TryLoad([.. RuntimeCompilers.Select(c => c.Name)], []), "nvrtcVersion", FoundLibrary.Pair),
            new FoundLibrary(
                "CUPTI", "sltt profile's times of single kernels", null, null,
                $"pip install nvidia-cuda-cupti-cu12 (CUDA 13: nvidia-cuda-cupti), {Wheels}", false)
                .With(
                    TryLoad([.. Recorders.Select(r => r.Name)], [], Folders().Concat(RecorderFolders())), "cuptiGetVersion",
                    FoundLibrary.Plain),
            new FoundLibrary("NCCL", "nothing yet: a run takes one GPU", null, null, "not needed", false)
                .With(TryLoad(CollectiveNames, []), "ncclGetVersion", FoundLibrary.TenThousands),
        ];
    }

    /// <summary>The CPU device's libraries. It loads them, so the process should use no other device.</summary>
    /// <exception cref="SlttException">The CPU device is missing or does not load.</exception>
    internal static IReadOnlyList<FoundLibrary> FindCpu()
    {
        Choose(cpu: true);
        nint library = chosen!["nvcuda"];
        return
        [
            new FoundLibrary("CPU device", "all kernels, as C++", null, null, "run ./build.sh", true)
                .With(library, "sltt_cpu_instruction_set", FoundLibrary.Text),
            new FoundLibrary("oneDNN", "convolutions of real numbers", null, null, "Debian and Ubuntu: apt install libdnnl2", true)
                .With(library, "dnnl_version", FoundLibrary.Pointed),
            new FoundLibrary(
                "g++", "kernels of your own", FindProgram("g++"), null, "Debian and Ubuntu: apt install g++", false),
        ];
    }

    /// <summary>True if the driver is there and says that no GPU is.</summary>
    internal static bool FindsNoGpu()
    {
        nint driver = TryLoad(DriverNames, []);
        return driver != 0 && (Call(driver, "cuInit") == NoDevice || DeviceCount(driver) == 0);
    }

    private static nint LoadDnn()
    {
        foreach (string name in CompilerNames)
        {
            TryLoad([name], []); // either may be the one that this cuDNN was built with
        }

        return TryLoad(DnnNames, []);
    }

    private static string? FindProgram(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>The driver's release, such as 580.65.06, as Linux tells it.</summary>
    private static string DriverRelease()
    {
        try
        {
            string[] words = File.ReadLines("/proc/driver/nvidia/version").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return words.FirstOrDefault(w => char.IsAsciiDigit(w[0]) && w.Contains('.', StringComparison.Ordinal)) is { } release
                ? $", release {release}" : string.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return string.Empty; // WSL and Windows have no such file
        }
    }
}
