using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A driver call failed. The message has the call, its status and what the status means.</summary>
public class CudaException : Exception
{
    /// <summary>Creates the exception for a status; the message does not name a call.</summary>
    public CudaException(CUResult error)
        : this(error, CudaErrors.Describe(error), null)
    {
    }

    /// <summary>Creates the exception for a status, with a given message.</summary>
    public CudaException(CUResult error, string message, Exception? exception)
        : base(message, exception)
    {
        CudaError = error;
    }

    /// <summary>The status.</summary>
    public CUResult CudaError { get; }
}
