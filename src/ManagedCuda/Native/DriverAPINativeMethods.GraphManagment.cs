using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Graphs of recorded work.</summary>
    public static partial class GraphManagment
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphCreate(ref CUgraph phGraph, uint flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphDestroy(CUgraph hGraph);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphGetNodes(CUgraph hGraph, [In, Out] CUgraphNode[]? nodes, ref SizeT numNodes);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphNodeGetType(CUgraphNode hNode, ref CUgraphNodeType type);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, EntryPoint = "cuGraphInstantiateWithFlags")]
        public static partial CUResult cuGraphInstantiate(ref CUgraphExec phGraphExec, CUgraph hGraph, CUgraphInstantiate_flags flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphInstantiateWithParams(ref CUgraphExec phGraphExec, CUgraph hGraph, ref CudaGraphInstantiateParams instantiateParams);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphExecGetFlags(CUgraphExec hGraphExec, ref CUgraphInstantiate_flags flags);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphUpload(CUgraphExec hGraphExec, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuGraphExecDestroy(CUgraphExec hGraphExec);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME, StringMarshalling = StringMarshalling.Utf8)]
        public static partial CUResult cuGraphDebugDotPrint(CUgraph hGraph, string path, CUgraphDebugDot_flags flags);
    }
}
