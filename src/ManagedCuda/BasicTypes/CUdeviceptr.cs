using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>An address in device memory; arithmetic is in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUdeviceptr
{
    /// <summary>The address.</summary>
    public SizeT Pointer;

    /// <summary>Creates a device pointer from an address.</summary>
    public CUdeviceptr(SizeT pointer) => Pointer = pointer;

    /// <summary>The address as a number.</summary>
    public static implicit operator ulong(CUdeviceptr src) => src.Pointer;

    /// <summary>A number as an address.</summary>
    public static explicit operator CUdeviceptr(SizeT src) => new(src);

    /// <summary>The address <paramref name="value"/> bytes further.</summary>
    public static CUdeviceptr operator +(CUdeviceptr src, SizeT value) => new(src.Pointer + value);

    /// <summary>The address <paramref name="value"/> bytes before.</summary>
    public static CUdeviceptr operator -(CUdeviceptr src, SizeT value) => new(src.Pointer - value);

    /// <summary>True if both are the same address.</summary>
    public static bool operator ==(CUdeviceptr src, CUdeviceptr value) => src.Pointer == value.Pointer;

    /// <summary>True if the addresses differ.</summary>
    public static bool operator !=(CUdeviceptr src, CUdeviceptr value) => src.Pointer != value.Pointer;

    /// <summary>The context in which the memory was allocated.</summary>
    public readonly CUcontext AttributeContext
    {
        get
        {
            CUcontext context = default;
            Driver.Check(DriverAPINativeMethods.MemoryManagement.cuPointerGetAttribute(ref context, CUPointerAttribute.Context, this));
            return context;
        }
    }

    /// <summary>Host or device memory.</summary>
    public readonly CUMemoryType AttributeMemoryType
    {
        get
        {
            CUMemoryType type = default;
            Driver.Check(DriverAPINativeMethods.MemoryManagement.cuPointerGetAttribute(ref type, CUPointerAttribute.MemoryType, this));
            return type;
        }
    }

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is CUdeviceptr other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => Pointer.GetHashCode();

    /// <inheritdoc/>
    public override readonly string ToString() => Pointer.ToString();
}
