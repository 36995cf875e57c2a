using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda.CudaDNN;

/// <summary>Owns a cuDNN handle and destroys it in the context that it was made in, even on the finalizer's thread.</summary>
internal sealed class DnnHandle : SafeHandle
{
    private readonly CUcontext context;

    /// <summary>Owns a handle that was made in the calling thread's current context.</summary>
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
        // A destroyed context has already destroyed its handles.
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
