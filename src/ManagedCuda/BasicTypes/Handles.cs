using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>A device, by the number that cuDeviceGet gave.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUdevice
{
    /// <summary>The number.</summary>
    public int Pointer;

    /// <summary>Creates the handle from its number.</summary>
    public CUdevice(int pointer) => Pointer = pointer;

    /// <summary>True if both are the same device.</summary>
    public static bool operator ==(CUdevice src, CUdevice value) => src.Pointer == value.Pointer;

    /// <summary>True if they are different devices.</summary>
    public static bool operator !=(CUdevice src, CUdevice value) => src.Pointer != value.Pointer;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is CUdevice other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => Pointer;

    /// <inheritdoc/>
    public override readonly string ToString() => Pointer.ToString();
}

/// <summary>A driver context.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUcontext
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>A loaded module: kernels and their global variables.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUmodule
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>A kernel in a module.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUfunction
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>A stream: work that is done in order.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUstream
{
    /// <summary>The native handle; null is the default stream.</summary>
    public IntPtr Pointer;

    /// <summary>The default stream.</summary>
    public static CUstream NullStream => default;

    /// <summary>The default stream that waits for all blocking streams.</summary>
    public static CUstream LegacyStream => new() { Pointer = 1 };

    /// <summary>The default stream that each host thread has for itself.</summary>
    public static CUstream StreamPerThread => new() { Pointer = 2 };
}

/// <summary>A point in a stream that can be waited for.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUevent
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>A graph of recorded work.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUgraph
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>One piece of work in a graph.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUgraphNode
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;

    /// <summary>What the node does.</summary>
    public readonly CUgraphNodeType Type
    {
        get
        {
            CUgraphNodeType type = default;
            Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphNodeGetType(this, ref type));
            return type;
        }
    }
}

/// <summary>A graph ready to be launched.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUgraphExec
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}
