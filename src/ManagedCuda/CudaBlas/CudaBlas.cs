using System.Diagnostics.CodeAnalysis;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaBlas;

/// <summary>cuBLAS on the current context. Matrices are column-major; leading dimensions are in elements.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The published class has Dispose() but is not IDisposable.")]
public class CudaBlas
{
    private readonly BlasHandle owner;
    private readonly CudaBlasHandle handle;

    /// <summary>Creates a handle that works in a stream, with alpha and beta on the host.</summary>
    public CudaBlas(CUstream stream)
    {
        CudaBlasException.Check(CudaBlasNativeMethods.cublasCreate_v2(ref handle), nameof(CudaBlasNativeMethods.cublasCreate_v2));
        owner = new BlasHandle(handle);
        CudaBlasException.Check(
            CudaBlasNativeMethods.cublasSetStream_v2(handle, stream), nameof(CudaBlasNativeMethods.cublasSetStream_v2));
    }

    /// <summary>Gives the library device memory to work in, so that it allocates none. A graph that is captured needs this.</summary>
    public void SetWorkspace(CudaDeviceVariable<byte> workspace)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        CudaBlasException.Check(
            CudaBlasNativeMethods.cublasSetWorkspace_v2(handle, workspace.DevicePointer, workspace.SizeInBytes),
            nameof(CudaBlasNativeMethods.cublasSetWorkspace_v2));
    }

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C, computed in float (cublasSgemmEx).</summary>
    public void GemmEx(
        Operation transa, Operation transb, int m, int n, int k,
        float alpha, CUdeviceptr A, DataType Atype, int lda, CUdeviceptr B, DataType Btype, int ldb,
        float beta, CUdeviceptr C, DataType Ctype, int ldc)
    {
        CublasStatus status = CudaBlasNativeMethods.cublasSgemmEx(
            handle, transa, transb, m, n, k, ref alpha, A, Atype, lda, B, Btype, ldb, ref beta, C, Ctype, ldc);
        if (status != CublasStatus.Success)
        {
            string shape = $"{transa} {m} x {k} by {transb} {k} x {n}, {Atype} x {Btype} to {Ctype}";
            throw CudaBlasException.Failure(status, nameof(CudaBlasNativeMethods.cublasSgemmEx), shape);
        }
    }

    /// <summary>Destroys the handle.</summary>
    public void Dispose() => owner.Dispose();
}
