using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>What every driver call goes through: starting the driver, and turning a bad status into an exception.</summary>
internal static class Driver
{
    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="result">The call's status.</param>
    /// <param name="call">The call, as it is written; filled in by the compiler.</param>
    public static void Check(CUResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CUResult.Success)
        {
            throw Failure(result, call, null);
        }
    }

    /// <summary>The exception for a call that failed.</summary>
    /// <param name="result">Its status.</param>
    /// <param name="call">The call, as it is written.</param>
    /// <param name="detail">What it was asked for; null if there is nothing to say.</param>
    public static CudaException Failure(CUResult result, string call, string? detail) =>
        new(result, $"{FunctionName(call)}{(detail is null ? "" : $" ({detail})")}: {CudaErrors.Describe(result)}", null);

    /// <summary>Starts the driver; does nothing if it runs.</summary>
    public static void Start() => Check(DriverAPINativeMethods.cuInit(CUInitializationFlags.None));

    /// <summary>"cuFoo" out of "A.B.cuFoo(ref x)".</summary>
    internal static string FunctionName(string call)
    {
        int end = call.IndexOf('(');
        string path = end < 0 ? call : call[..end];
        return path[(path.LastIndexOf('.') + 1)..];
    }
}
