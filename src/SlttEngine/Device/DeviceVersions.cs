using System.Globalization;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Device;

/// <summary>Versions of what computes.</summary>
internal static unsafe class DeviceVersions
{
    private const int Major = 0, Minor = 1, Patch = 2; // of libraryPropertyType

    /// <summary>Versions by name: of a GPU the CUDA driver, cuDNN and cuBLAS; of the CPU device oneDNN; of both .NET.</summary>
    /// <param name="device">The device, which is open.</param>
    internal static IReadOnlyDictionary<string, string> Of(ComputeDevice device)
    {
        Dictionary<string, string> versions = [];
        void Add(string name, string? version)
        {
            if (version is not null)
            {
                versions[name] = version;
            }
        }

        if (device.IsCpu)
        {
            Add("oneDNN", OneDnn());
        }
        else
        {
            Add("CUDA driver", Driver());
            Add("cuDNN", CudaDNNContext.GetVersion().ToString());
            Add("cuBLAS", Blas());
        }

        Add(".NET", Environment.Version.ToString());
        return versions;
    }

    private static string? Driver()
    {
        delegate* unmanaged<int*, int> get = (delegate* unmanaged<int*, int>)NativeLibraries.Function("nvcuda", "cuDriverGetVersion");
        int version = 0;
        return get is not null && get(&version) == 0 ? Text(version / 1000, version % 1000 / 10) : null;
    }

    private static string? Blas()
    {
        delegate* unmanaged<int, int*, int> get =
            (delegate* unmanaged<int, int*, int>)NativeLibraries.Function("cublas", "cublasGetProperty");
        int major = 0, minor = 0, patch = 0;
        return get is not null && get(Major, &major) == 0 && get(Minor, &minor) == 0 && get(Patch, &patch) == 0
            ? Text(major, minor, patch) : null;
    }

    /// <summary>The CPU device's library is linked to oneDNN, so the loader finds oneDNN's functions through it.</summary>
    private static string? OneDnn()
    {
        delegate* unmanaged<int*> get = (delegate* unmanaged<int*>)NativeLibraries.Function("nvcuda", "dnnl_version");
        if (get is null)
        {
            return null;
        }

        int* version = get();
        return Text(version[0], version[1], version[2]);
    }

    private static string Text(params ReadOnlySpan<int> numbers) =>
        string.Join('.', numbers.ToArray().Select(n => n.ToString(CultureInfo.InvariantCulture)));
}
