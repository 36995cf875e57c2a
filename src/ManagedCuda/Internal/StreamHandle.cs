using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Owns a stream.</summary>
internal sealed class StreamHandle(CUstream stream) : DriverHandle(stream.Pointer)
{
    /// <inheritdoc/>
    protected override CUResult Destroy() => DriverAPINativeMethods.Streams.cuStreamDestroy_v2(new CUstream { Pointer = handle });
}
