using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes;

/// <summary>What cuGraphInstantiateWithParams is given and gives back: cuda.h's CUDA_GRAPH_INSTANTIATE_PARAMS.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CudaGraphInstantiateParams
{
    /// <summary>Bits of <see cref="CUgraphInstantiate_flags"/>.</summary>
    public ulong flags;

    /// <summary>The stream to upload on, with <see cref="CUgraphInstantiate_flags.Upload"/>.</summary>
    public CUstream hUploadStream;

    /// <summary>Out: the node that the instantiation failed at, if there is one.</summary>
    public CUgraphNode hErrNode_out;

    /// <summary>Out: why it failed.</summary>
    public CUgraphInstantiateResult result_out;
}
