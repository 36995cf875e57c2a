using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>A device, by the number that cuDeviceGet gave.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUdevice
{
    /// <summary>The number.</summary>
    public int Pointer;
}

/// <summary>A driver context.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUcontext
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>A loaded module: a set of kernels.</summary>
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

/// <summary>A graph ready to be launched.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CUgraphExec
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}
