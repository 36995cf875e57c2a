using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Modules: kernels and their global variables.</summary>
    public static partial class ModuleManagement
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, StringMarshalling = StringMarshalling.Utf8)]
        public static partial CUResult cuModuleLoad(ref CUmodule module, string fname);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuModuleLoadData(ref CUmodule module, byte[] image);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuModuleLoadFatBinary(ref CUmodule module, byte[] fatCubin);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuModuleUnload(CUmodule hmod);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, StringMarshalling = StringMarshalling.Utf8)]
        public static partial CUResult cuModuleGetFunction(ref CUfunction hfunc, CUmodule hmod, string name);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, StringMarshalling = StringMarshalling.Utf8)]
        public static partial CUResult cuModuleGetGlobal_v2(ref CUdeviceptr dptr, ref SizeT bytes, CUmodule hmod, string name);
    }
}
