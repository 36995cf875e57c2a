namespace ManagedCuda.CudaBlas;

/// <summary>A cuBLAS call failed. The message has the call, its status and what the status means.</summary>
public class CudaBlasException : Exception
{
    /// <summary>Creates the exception for a status, with a given message.</summary>
    public CudaBlasException(CublasStatus error, string message, Exception? exception)
        : base(message, exception)
    {
        CudaBlasError = error;
    }

    /// <summary>The status.</summary>
    public CublasStatus CudaBlasError { get; }

    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="status">The call's status.</param>
    /// <param name="call">The function.</param>
    /// <exception cref="CudaBlasException">The call failed.</exception>
    internal static void Check(CublasStatus status, string call)
    {
        if (status != CublasStatus.Success)
        {
            throw Failure(status, call, null);
        }
    }

    /// <summary>The exception for a call that failed.</summary>
    /// <param name="status">The call's status.</param>
    /// <param name="call">The function.</param>
    /// <param name="detail">What it was asked for; null if there is nothing to say.</param>
    internal static CudaBlasException Failure(CublasStatus status, string call, string? detail) =>
        new(status, $"{call}{(detail is null ? "" : $" ({detail})")}: {Describe(status)}", null);

    private static string Describe(CublasStatus status)
    {
        string? meaning = status switch
        {
            CublasStatus.NotInitialized => "the handle was not created, or the CUDA driver failed",
            CublasStatus.AllocFailed => "not enough memory",
            CublasStatus.InvalidValue => "an argument is out of its range",
            CublasStatus.ArchMismatch => "the GPU lacks what the call needs",
            CublasStatus.MappingError => "device memory can't be accessed",
            CublasStatus.ExecutionFailed => "a kernel failed",
            CublasStatus.InternalError => "an internal operation failed",
            CublasStatus.NotSupported => "these types or this operation are not supported",
            CublasStatus.LicenseError => "licence check failed",
            _ => null,
        };
        string name = Enum.IsDefined(status) ? $"{status} ({(int)status})" : $"error {(int)status}";
        return meaning is null ? name : $"{name}, {meaning}";
    }
}
