using System.Runtime.InteropServices;

namespace ManagedCuda.CudaBlas;

/// <summary>cuBLAS's handle.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CudaBlasHandle
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>Owns a cuBLAS handle.</summary>
internal sealed class BlasHandle(CudaBlasHandle blas) : DriverHandle(blas.Pointer)
{
    /// <inheritdoc/>
    protected override bool Destroy() =>
        CudaBlasNativeMethods.cublasDestroy_v2(new CudaBlasHandle { Pointer = handle }) == CublasStatus.Success;
}
