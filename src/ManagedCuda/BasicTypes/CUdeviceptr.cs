using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>An address in device memory. Arithmetic is in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUdeviceptr
{
    /// <summary>The address.</summary>
    public SizeT Pointer;

    /// <summary>Creates a device pointer from an address.</summary>
    public CUdeviceptr(SizeT pointer) => Pointer = pointer;

    /// <summary>The address <paramref name="value"/> bytes further.</summary>
    public static CUdeviceptr operator +(CUdeviceptr src, SizeT value) => new((ulong)src.Pointer + (ulong)value);

    /// <summary>True if both are the same address.</summary>
    public static bool operator ==(CUdeviceptr src, CUdeviceptr value) => src.Pointer == value.Pointer;

    /// <summary>True if the addresses differ.</summary>
    public static bool operator !=(CUdeviceptr src, CUdeviceptr value) => src.Pointer != value.Pointer;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is CUdeviceptr other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => Pointer.GetHashCode();

    /// <inheritdoc/>
    public override readonly string ToString() => Pointer.ToString();
}
