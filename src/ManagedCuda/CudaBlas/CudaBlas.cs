using System.Diagnostics.CodeAnalysis;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaBlas;

/// <summary>cuBLAS on the current context; matrices are column-major, leading dimensions in elements.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The published class has Dispose() but is not IDisposable; code must compile against both.")]
public class CudaBlas
{
    private readonly BlasHandle owned;
    private readonly CudaBlasHandle handle;

    /// <summary>Creates a handle that works in the default stream, with alpha and beta on the host.</summary>
    public CudaBlas()
    {
        CudaBlasException.Check(CudaBlasNativeMethods.cublasCreate_v2(ref handle), nameof(CudaBlasNativeMethods.cublasCreate_v2));
        owned = new BlasHandle(handle);
    }

    /// <summary>Creates a handle that works in a stream.</summary>
    public CudaBlas(CUstream stream)
        : this() => Stream = stream;

    /// <summary>Creates a handle.</summary>
    public CudaBlas(PointerMode pointermode)
        : this() => PointerMode = pointermode;

    /// <summary>Creates a handle.</summary>
    public CudaBlas(AtomicsMode atomicsmode)
        : this() => AtomicsMode = atomicsmode;

    /// <summary>Creates a handle.</summary>
    public CudaBlas(PointerMode pointermode, AtomicsMode atomicsmode)
        : this(pointermode) => AtomicsMode = atomicsmode;

    /// <summary>Creates a handle that works in a stream.</summary>
    public CudaBlas(CUstream stream, PointerMode pointermode)
        : this(stream) => PointerMode = pointermode;

    /// <summary>Creates a handle that works in a stream.</summary>
    public CudaBlas(CUstream stream, AtomicsMode atomicsmode)
        : this(stream) => AtomicsMode = atomicsmode;

    /// <summary>Creates a handle that works in a stream.</summary>
    public CudaBlas(CUstream stream, PointerMode pointermode, AtomicsMode atomicsmode)
        : this(stream, pointermode) => AtomicsMode = atomicsmode;

    /// <summary>The native handle.</summary>
    public CudaBlasHandle CublasHandle => handle;

    /// <summary>The stream that calls work in.</summary>
    public CUstream Stream
    {
        get
        {
            CUstream stream = default;
            CudaBlasException.Check(CudaBlasNativeMethods.cublasGetStream_v2(handle, ref stream), nameof(CudaBlasNativeMethods.cublasGetStream_v2));
            return stream;
        }
        set => CudaBlasException.Check(CudaBlasNativeMethods.cublasSetStream_v2(handle, value), nameof(CudaBlasNativeMethods.cublasSetStream_v2));
    }

    /// <summary>Where alpha and beta are.</summary>
    public PointerMode PointerMode
    {
        get
        {
            PointerMode mode = default;
            CudaBlasException.Check(CudaBlasNativeMethods.cublasGetPointerMode_v2(handle, ref mode), nameof(CudaBlasNativeMethods.cublasGetPointerMode_v2));
            return mode;
        }
        set => CudaBlasException.Check(CudaBlasNativeMethods.cublasSetPointerMode_v2(handle, value), nameof(CudaBlasNativeMethods.cublasSetPointerMode_v2));
    }

    /// <summary>Whether routines may use atomics, and so differ from run to run.</summary>
    public AtomicsMode AtomicsMode
    {
        get
        {
            AtomicsMode mode = default;
            CudaBlasException.Check(CudaBlasNativeMethods.cublasGetAtomicsMode(handle, ref mode), nameof(CudaBlasNativeMethods.cublasGetAtomicsMode));
            return mode;
        }
        set => CudaBlasException.Check(CudaBlasNativeMethods.cublasSetAtomicsMode(handle, value), nameof(CudaBlasNativeMethods.cublasSetAtomicsMode));
    }

    /// <summary>Which arithmetic routines may use.</summary>
    public Math MathMode
    {
        get
        {
            Math mode = default;
            CudaBlasException.Check(CudaBlasNativeMethods.cublasGetMathMode(handle, ref mode), nameof(CudaBlasNativeMethods.cublasGetMathMode));
            return mode;
        }
        set => CudaBlasException.Check(CudaBlasNativeMethods.cublasSetMathMode(handle, value), nameof(CudaBlasNativeMethods.cublasSetMathMode));
    }

    /// <summary>The library's version number, split before its last three digits as the published package does (120.803).</summary>
    public Version GetVersion()
    {
        int version = 0;
        CudaBlasException.Check(CudaBlasNativeMethods.cublasGetVersion_v2(handle, ref version), nameof(CudaBlasNativeMethods.cublasGetVersion_v2));
        return new Version(version / 1000, version % 1000);
    }

    /// <summary>Gives the library device memory to work in, instead of allocating some; a graph that is captured needs it.</summary>
    public void SetWorkspace(CudaDeviceVariable<byte> workspace)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        CudaBlasException.Check(CudaBlasNativeMethods.cublasSetWorkspace_v2(handle, workspace.DevicePointer, workspace.SizeInBytes), nameof(CudaBlasNativeMethods.cublasSetWorkspace_v2));
    }

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C (cublasSgemm).</summary>
    public void Gemm(
        Operation transa, Operation transb, int m, int n, int k, float alpha, CudaDeviceVariable<float> A, int lda, CudaDeviceVariable<float> B, int ldb, float beta, CudaDeviceVariable<float> C, int ldc)
    {
        ArgumentNullException.ThrowIfNull(A);
        ArgumentNullException.ThrowIfNull(B);
        ArgumentNullException.ThrowIfNull(C);
        CublasStatus status = CudaBlasNativeMethods.cublasSgemm_v2(
            handle, transa, transb, m, n, k, ref alpha, A.DevicePointer, lda, B.DevicePointer, ldb, ref beta, C.DevicePointer, ldc);
        if (status != CublasStatus.Success)
        {
            throw CudaBlasException.Failure(status, nameof(CudaBlasNativeMethods.cublasSgemm_v2), Shape(transa, transb, m, n, k));
        }
    }

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C, computed in float (cublasSgemmEx).</summary>
    public void GemmEx(
        Operation transa, Operation transb, int m, int n, int k, float alpha, CUdeviceptr A, DataType Atype, int lda, CUdeviceptr B, DataType Btype, int ldb, float beta, CUdeviceptr C, DataType Ctype, int ldc)
    {
        CublasStatus status = CudaBlasNativeMethods.cublasSgemmEx(
            handle, transa, transb, m, n, k, ref alpha, A, Atype, lda, B, Btype, ldb, ref beta, C, Ctype, ldc);
        if (status != CublasStatus.Success)
        {
            throw CudaBlasException.Failure(status, nameof(CudaBlasNativeMethods.cublasSgemmEx), $"{Shape(transa, transb, m, n, k)}, {Atype} x {Btype} to {Ctype}");
        }
    }

    /// <summary>Destroys the handle.</summary>
    public void Dispose() => owned.Dispose();

    private static string Shape(Operation transa, Operation transb, int m, int n, int k) => $"{transa} {m} x {k} by {transb} {k} x {n}";
}
