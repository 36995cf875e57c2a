using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaBlas;

/// <summary>cuBLAS's C functions, by name. Matrices are column-major. Each returns a status that the caller checks.</summary>
public static partial class CudaBlasNativeMethods
{
    internal const string CUBLAS_API_DLL_NAME = "cublas64_12";

    /// <summary>Creates a handle on the current device.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasCreate_v2(ref CudaBlasHandle handle);

    /// <summary>Destroys a handle.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasDestroy_v2(CudaBlasHandle handle);

    /// <summary>Sets the stream that later calls work in. The handle loses the workspace that it was given.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSetStream_v2(CudaBlasHandle handle, CUstream streamId);

    /// <summary>Gives the library device memory to work in.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSetWorkspace_v2(CudaBlasHandle handle, CUdeviceptr workspace, SizeT workspaceSizeInBytes);

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C in float. alpha and beta are on the host.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSgemmEx(
        CudaBlasHandle handle, Operation transa, Operation transb, int m, int n, int k,
        ref float alpha, CUdeviceptr A, DataType Atype, int lda, CUdeviceptr B, DataType Btype, int ldb,
        ref float beta, CUdeviceptr C, DataType Ctype, int ldc);
}
