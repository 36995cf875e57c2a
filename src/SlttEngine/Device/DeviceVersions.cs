using ManagedCuda.CudaDNN;

namespace SlttEngine.Device;

/// <summary>Versions of what computes.</summary>
internal static class DeviceVersions
{
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
            // The CPU device's library is linked to oneDNN, so the loader finds oneDNN's functions through it.
            Add("oneDNN", Ask("nvcuda", "dnnl_version", FoundLibrary.Pointed));
        }
        else
        {
            Add("CUDA driver", Ask("nvcuda", "cuDriverGetVersion", FoundLibrary.Thousands));
            Add("cuDNN", CudaDNNContext.GetVersion().ToString());
            Add("cuBLAS", Ask("cublas", "cublasGetProperty", FoundLibrary.Properties));
        }

        Add(".NET", Environment.Version.ToString());
        return versions;
    }

    private static string? Ask(string library, string function, Func<nint, string?> version) =>
        NativeLibraries.Function(library, function) is not 0 and nint address ? version(address) : null;
}
