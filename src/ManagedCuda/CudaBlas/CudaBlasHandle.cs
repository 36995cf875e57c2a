using System.Runtime.InteropServices;

namespace ManagedCuda.CudaBlas;

/// <summary>cuBLAS's handle.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CudaBlasHandle
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}
