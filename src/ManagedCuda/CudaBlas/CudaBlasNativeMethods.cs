using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaBlas;

/// <summary>cuBLAS's C functions, by name; matrices are column-major. All return a status that the caller checks.</summary>
public static partial class CudaBlasNativeMethods
{
    internal const string CUBLAS_API_DLL_NAME = "cublas64_12";

    /// <summary>Creates a handle on the current device.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasCreate_v2(ref CudaBlasHandle handle);

    /// <summary>Destroys a handle.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasDestroy_v2(CudaBlasHandle handle);

    /// <summary>The library's version.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasGetVersion_v2(CudaBlasHandle handle, ref int version);

    /// <summary>Gives the library device memory to work in.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSetWorkspace_v2(CudaBlasHandle handle, CUdeviceptr workspace, SizeT workspaceSizeInBytes);

    /// <summary>The stream that calls from now on work in.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSetStream_v2(CudaBlasHandle handle, CUstream streamId);

    /// <summary>The stream that calls work in.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasGetStream_v2(CudaBlasHandle handle, ref CUstream streamId);

    /// <summary>Where alpha and beta are.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasGetPointerMode_v2(CudaBlasHandle handle, ref PointerMode mode);

    /// <summary>Where alpha and beta are, from now on.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSetPointerMode_v2(CudaBlasHandle handle, PointerMode mode);

    /// <summary>Whether routines may use atomics.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasGetAtomicsMode(CudaBlasHandle handle, ref AtomicsMode mode);

    /// <summary>Whether routines may use atomics, from now on.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSetAtomicsMode(CudaBlasHandle handle, AtomicsMode mode);

    /// <summary>Which arithmetic routines may use.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasGetMathMode(CudaBlasHandle handle, ref Math mode);

    /// <summary>Which arithmetic routines may use, from now on.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSetMathMode(CudaBlasHandle handle, Math mode);

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C, float; alpha and beta on the host.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSgemm_v2(
        CudaBlasHandle handle, Operation transa, Operation transb, int m, int n, int k, ref float alpha, CUdeviceptr A, int lda, CUdeviceptr B, int ldb, ref float beta, CUdeviceptr C, int ldc);

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C, computed in float; alpha and beta on the host.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasSgemmEx(
        CudaBlasHandle handle, Operation transa, Operation transb, int m, int n, int k, ref float alpha, CUdeviceptr A, DataType Atype, int lda, CUdeviceptr B, DataType Btype, int ldb, ref float beta, CUdeviceptr C, DataType Ctype, int ldc);

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C in the arithmetic named; alpha and beta point to its type.</summary>
    [LibraryImport(CUBLAS_API_DLL_NAME)]
    public static partial CublasStatus cublasGemmEx(
        CudaBlasHandle handle, Operation transa, Operation transb, int m, int n, int k, IntPtr alpha, CUdeviceptr A, cudaDataType Atype, int lda, CUdeviceptr B, cudaDataType Btype, int ldb, IntPtr beta, CUdeviceptr C, cudaDataType Ctype, int ldc, ComputeType computeType, GemmAlgo algo);
}
