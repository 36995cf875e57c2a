using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A native handle that is destroyed in the context it was made in, also when the finalizer's thread does it.</summary>
internal abstract class DriverHandle : SafeHandle
{
    private readonly CUcontext context;

    /// <summary>Takes over a handle that was made in the calling thread's current context.</summary>
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
            return Destroy() == CUResult.Success;
        }

        // A context that is gone took the handle with it.
        if (DriverAPINativeMethods.ContextManagement.cuCtxPushCurrent_v2(context) != CUResult.Success)
        {
            return true;
        }

        CUResult result = Destroy();
        DriverAPINativeMethods.ContextManagement.cuCtxPopCurrent_v2(ref current);
        return result == CUResult.Success;
    }

    /// <summary>Destroys <see cref="SafeHandle.handle"/>; its context is current.</summary>
    protected abstract CUResult Destroy();
}
