using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>The CUDA driver's C functions, by name; cuda.h says what each does. All return a status that the caller checks.</summary>
/// <remarks>
/// The library is named as on Windows; what the name stands for is decided by the host
/// (<see cref="NativeLibrary.SetDllImportResolver"/>), not here.
/// </remarks>
public static partial class DriverAPINativeMethods
{
    internal const string CUDA_DRIVER_API_DLL_NAME = "nvcuda";

    /// <summary>Starts the driver; before any other call, as often as one likes.</summary>
    [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
    public static partial CUResult cuInit(CUInitializationFlags Flags);

    /// <summary>The newest CUDA version that the driver supports: 1000 major + 10 minor.</summary>
    [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
    public static partial CUResult cuDriverGetVersion(ref int driverVersion);
}
