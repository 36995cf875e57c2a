using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A native handle that is destroyed in the context that it was made in, even on the finalizer's thread.</summary>
internal abstract class DriverHandle : SafeHandle
{
    private readonly CUcontext context;

    /// <summary>Owns a handle that was made in the calling thread's current context.</summary>
    protected DriverHandle(nint handle)
        : base(0, ownsHandle: true)
    {
        DriverAPINativeMethods.ContextManagement.cuCtxGetCurrent(ref context);
        SetHandle(handle);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        CUcontext current = default;
        DriverAPINativeMethods.ContextManagement.cuCtxGetCurrent(ref current);
        if (current.Pointer == context.Pointer)
        {
            return Destroy();
        }

        // A destroyed context has already destroyed its handles.
        if (DriverAPINativeMethods.ContextManagement.cuCtxPushCurrent_v2(context) != CUResult.Success)
        {
            return true;
        }

        bool destroyed = Destroy();
        DriverAPINativeMethods.ContextManagement.cuCtxPopCurrent_v2(ref current);
        return destroyed;
    }

    /// <summary>Destroys <see cref="SafeHandle.handle"/> while its context is current; false if the driver refuses.</summary>
    protected abstract bool Destroy();
}

/// <summary>Owns a stream.</summary>
internal sealed class StreamHandle(CUstream stream) : DriverHandle(stream.Pointer)
{
    /// <inheritdoc/>
    protected override bool Destroy() =>
        DriverAPINativeMethods.Streams.cuStreamDestroy_v2(new CUstream { Pointer = handle }) == CUResult.Success;
}

/// <summary>Owns an event.</summary>
internal sealed class EventHandle(CUevent nativeEvent) : DriverHandle(nativeEvent.Pointer)
{
    /// <inheritdoc/>
    protected override bool Destroy() =>
        DriverAPINativeMethods.Events.cuEventDestroy_v2(new CUevent { Pointer = handle }) == CUResult.Success;
}
