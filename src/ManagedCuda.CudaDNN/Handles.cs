using System.Runtime.InteropServices;

namespace ManagedCuda.CudaDNN;

/// <summary>cuDNN's handle.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnHandle
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>Shape, type and layout of a tensor.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnTensorDescriptor
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>Shape, type and layout of a filter.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnFilterDescriptor
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>Padding, stride, dilation and arithmetic of a convolution.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnConvolutionDescriptor
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}

/// <summary>Mode, window, padding and stride of a pool.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct cudnnPoolingDescriptor
{
    /// <summary>The native handle.</summary>
    public IntPtr Pointer;
}
