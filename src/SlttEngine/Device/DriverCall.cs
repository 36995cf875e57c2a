using System.Runtime.CompilerServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>Checks the status of driver calls that the engine makes itself.</summary>
internal static class DriverCall
{
    /// <summary>Throws if a call failed; the message names the call.</summary>
    /// <param name="result">What it returned.</param>
    /// <param name="call">The call, as written.</param>
    /// <exception cref="CudaException">It failed.</exception>
    public static void Check(CUResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CUResult.Success)
        {
            string path = call.Split('(')[0];
            throw new CudaException(result, $"{path[(path.LastIndexOf('.') + 1)..]}: {new CudaException(result).Message}", null);
        }
    }
}
