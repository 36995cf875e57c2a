using System.Runtime.InteropServices;

namespace ManagedCuda.CudaDNN;

/// <summary>Owns a cuDNN descriptor, which is host memory alone.</summary>
internal sealed class DescriptorHandle : SafeHandle
{
    private readonly Func<IntPtr, cudnnStatus> destroy;

    /// <summary>Owns a descriptor.</summary>
    public DescriptorHandle(IntPtr descriptor, Func<IntPtr, cudnnStatus> destroy)
        : base(0, ownsHandle: true)
    {
        this.destroy = destroy;
        SetHandle(descriptor);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => destroy(handle) == cudnnStatus.Success;
}
