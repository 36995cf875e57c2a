using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaDNN;

/// <summary>Owns a cuDNN handle, which is destroyed in the context it was made in, also when the finalizer's thread does it.</summary>
internal sealed class DnnHandle : SafeHandle
{
    private readonly CUcontext context;

    /// <summary>Takes over a handle that was made in the calling thread's current context.</summary>
    public DnnHandle(cudnnHandle dnn)
        : base(0, ownsHandle: true)
    {
        DriverAPINativeMethods.ContextManagement.cuCtxGetCurrent(ref context);
        SetHandle(dnn.Pointer);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        // A context that is gone took the handle with it.
        if (DriverAPINativeMethods.ContextManagement.cuCtxPushCurrent_v2(context) != CUResult.Success)
        {
            return true;
        }

        cudnnStatus status = CudaDNNNativeMethods.cudnnDestroy(new cudnnHandle { Pointer = handle });
        CUcontext popped = default;
        DriverAPINativeMethods.ContextManagement.cuCtxPopCurrent_v2(ref popped);
        return status == cudnnStatus.Success;
    }
}
