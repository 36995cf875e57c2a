using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaBlas;

/// <summary>Owns a cuBLAS handle.</summary>
internal sealed class BlasHandle(CudaBlasHandle blas) : DriverHandle(blas.Pointer)
{
    /// <inheritdoc/>
    protected override CUResult Destroy() =>
        CudaBlasNativeMethods.cublasDestroy_v2(new CudaBlasHandle { Pointer = handle }) == CublasStatus.Success ? CUResult.Success : CUResult.ErrorInvalidHandle;
}
