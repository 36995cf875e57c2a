using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Turns a driver call's status into an exception that names the call.</summary>
internal static class Driver
{
    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="result">The call's status.</param>
    /// <param name="detail">What the call was asked for; null if there is nothing to say.</param>
    /// <param name="call">The call as written in the source; filled in by the compiler.</param>
    /// <exception cref="CudaException">The call failed.</exception>
    public static void Check(CUResult result, string? detail = null, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CUResult.Success)
        {
            string request = detail is null ? "" : $" ({detail})";
            throw new CudaException(result, $"{FunctionName(call)}{request}: {CudaErrors.Describe(result)}", null);
        }
    }

    /// <summary>"cuFoo" out of "A.B.cuFoo(ref x)".</summary>
    private static string FunctionName(string call)
    {
        string path = call[..call.IndexOf('(')];
        return path[(path.LastIndexOf('.') + 1)..];
    }
}
