using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A driver call failed. The message says which call, its status and what the status means.</summary>
public class CudaException : Exception
{
    /// <summary>Creates an exception without an error.</summary>
    public CudaException()
    {
    }

    /// <summary>Creates the exception for a status; the caller says nothing about the call.</summary>
    public CudaException(CUResult error)
        : this(error, CudaErrors.Describe(error), null)
    {
    }

    /// <summary>Creates an exception with a message of its own.</summary>
    public CudaException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception with a message of its own and a cause.</summary>
    public CudaException(string message, Exception? exception)
        : base(message, exception)
    {
    }

    /// <summary>Creates the exception for a status, with a message of its own.</summary>
    public CudaException(CUResult error, string message, Exception? exception)
        : base(message, exception)
    {
        CudaError = error;
    }

    /// <summary>The status.</summary>
    public CUResult CudaError { get; set; }

    /// <summary>The driver's name of the status, as CUDA_ERROR_INVALID_VALUE; empty if it has none.</summary>
    public string CudaInternalErrorName
    {
        get
        {
            IntPtr name = 0;
            return DriverAPINativeMethods.ErrorHandling.cuGetErrorName(CudaError, ref name) == CUResult.Success ? Marshal.PtrToStringUTF8(name) ?? "" : "";
        }
    }

    /// <summary>The driver's words for the status; empty if it has none.</summary>
    public string CudaInternalErrorDescription
    {
        get
        {
            IntPtr text = 0;
            return DriverAPINativeMethods.ErrorHandling.cuGetErrorString(CudaError, ref text) == CUResult.Success ? Marshal.PtrToStringUTF8(text) ?? "" : "";
        }
    }
}
