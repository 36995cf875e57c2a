using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SlttEngine.Device;

/// <summary>A native library that the engine uses, as it is found on this machine.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Use">What it is needed for.</param>
/// <param name="Path">The file; null if it isn't found.</param>
/// <param name="Version">Its version as it says it; null if it isn't found or can't say.</param>
/// <param name="Remedy">What to do where it is missing.</param>
/// <param name="IsNeeded">False: the device works without it.</param>
internal sealed record FoundLibrary(string Name, string Use, string? Path, string? Version, string Remedy, bool IsNeeded)
{
    /// <summary>Looks a library up.</summary>
    /// <param name="library">Its handle; 0: not found.</param>
    /// <param name="function">One of its functions, by whose address its file is found.</param>
    /// <param name="version">Asks it for its version, given the function's address.</param>
    internal FoundLibrary With(nint library, string function, Func<nint, string?> version) =>
        library == 0 || !NativeLibrary.TryGetExport(library, function, out nint address) ? this
            : this with { Path = FileOf(address) ?? "found", Version = version(address) };

    /// <summary>CUDA's way: 13000 is 13.0.</summary>
    internal static unsafe string? Thousands(nint function)
    {
        int version = 0;
        return ((delegate* unmanaged<int*, int>)function)(&version) == 0 ? $"{version / 1000}.{version % 1000 / 10}" : null;
    }

    /// <summary>NCCL's way: 22703 is 2.27.3.</summary>
    internal static unsafe string? TenThousands(nint function)
    {
        int version = 0;
        return ((delegate* unmanaged<int*, int>)function)(&version) == 0 ? Triple(version) : null;
    }

    /// <summary>cuDNN's way: the number itself is returned.</summary>
    internal static unsafe string? Returned(nint function) => Triple((long)((delegate* unmanaged<nuint>)function)());

    /// <summary>CUPTI's way: a number of its interface.</summary>
    internal static unsafe string? Plain(nint function)
    {
        uint version = 0;
        return ((delegate* unmanaged<uint*, int>)function)(&version) == 0
            ? "interface " + version.ToString(CultureInfo.InvariantCulture) : null;
    }

    /// <summary>NVRTC's way: major and minor.</summary>
    internal static unsafe string? Pair(nint function)
    {
        int major = 0, minor = 0;
        return ((delegate* unmanaged<int*, int*, int>)function)(&major, &minor) == 0 ? $"{major}.{minor}" : null;
    }

    /// <summary>cuBLAS's way: property 0 is the major version, 1 the minor, 2 the patch.</summary>
    internal static unsafe string? Properties(nint function)
    {
        int[] numbers = new int[3];
        for (int i = 0; i < numbers.Length; i++)
        {
            fixed (int* number = &numbers[i])
            {
                if (((delegate* unmanaged<int, int*, int>)function)(i, number) != 0)
                {
                    return null;
                }
            }
        }

        return string.Join('.', numbers);
    }

    /// <summary>oneDNN's way: a pointer to three numbers.</summary>
    internal static unsafe string? Pointed(nint function)
    {
        int* numbers = (int*)((delegate* unmanaged<nint>)function)();
        return numbers is null ? null : $"{numbers[0]}.{numbers[1]}.{numbers[2]}";
    }

    /// <summary>Our own way: a text.</summary>
    internal static unsafe string? Text(nint function) => Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)function)());

    private static string Triple(long version) => $"{version / 10000}.{version / 100 % 100}.{version % 100}";

    private static string? FileOf(nint address)
    {
        using Process process = Process.GetCurrentProcess();
        return process.Modules.Cast<ProcessModule>().FirstOrDefault(
            module => address >= module.BaseAddress && address < module.BaseAddress + module.ModuleMemorySize)?.FileName;
    }
}
