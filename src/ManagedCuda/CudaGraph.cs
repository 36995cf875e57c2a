using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A graph of work, built node by node; what a stream captures comes as <see cref="CUgraph"/> from cuStreamEndCapture.</summary>
public class CudaGraph : IDisposable
{
    private readonly GraphHandle owned;

    /// <summary>Creates an empty graph.</summary>
    public CudaGraph()
    {
        CUgraph graph = default;
        Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphCreate(ref graph, 0));
        owned = new GraphHandle(graph);
        Graph = graph;
    }

    /// <summary>The native handle.</summary>
    public CUgraph Graph { get; }

    /// <summary>All nodes, in no particular order.</summary>
    public CUgraphNode[] GetNodes()
    {
        SizeT count = 0;
        Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphGetNodes(Graph, null, ref count));
        CUgraphNode[] nodes = new CUgraphNode[(long)count];
        if (nodes.Length > 0)
        {
            Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphGetNodes(Graph, nodes, ref count));
        }

        return nodes;
    }

    /// <summary>Makes the graph ready to be launched.</summary>
    public CudaGraphExec Instantiate(CUgraphInstantiate_flags flags)
    {
        CUgraphExec exec = default;
        Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphInstantiate(ref exec, Graph, flags));
        return new CudaGraphExec(exec);
    }

    /// <summary>Makes the graph ready to be launched.</summary>
    public CudaGraphExec Instantiate(ref CudaGraphInstantiateParams parameters)
    {
        CUgraphExec exec = default;
        Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphInstantiateWithParams(ref exec, Graph, ref parameters));
        return new CudaGraphExec(exec);
    }

    /// <summary>Writes the graph as a Graphviz file.</summary>
    public void DebugDotPrint(string path, CUgraphDebugDot_flags flags) =>
        Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphDebugDotPrint(Graph, path, flags));

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the graph.</summary>
    protected virtual void Dispose(bool fDisposing) => owned.Dispose();
}
