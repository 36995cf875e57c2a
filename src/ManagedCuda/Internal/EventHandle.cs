using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Owns an event.</summary>
internal sealed class EventHandle(CUevent ownedEvent) : DriverHandle(ownedEvent.Pointer)
{
    /// <inheritdoc/>
    protected override CUResult Destroy() => DriverAPINativeMethods.Events.cuEventDestroy_v2(new CUevent { Pointer = handle });
}
