using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Owns a graph ready to be launched.</summary>
internal sealed class GraphExecHandle(CUgraphExec exec) : DriverHandle(exec.Pointer)
{
    /// <inheritdoc/>
    protected override CUResult Destroy() => DriverAPINativeMethods.GraphManagment.cuGraphExecDestroy(new CUgraphExec { Pointer = handle });
}
