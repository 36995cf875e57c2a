using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Owns a graph.</summary>
internal sealed class GraphHandle(CUgraph graph) : DriverHandle(graph.Pointer)
{
    /// <inheritdoc/>
    protected override CUResult Destroy() => DriverAPINativeMethods.GraphManagment.cuGraphDestroy(new CUgraph { Pointer = handle });
}
