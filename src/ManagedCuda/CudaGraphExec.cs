using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A graph ready to be launched.</summary>
public class CudaGraphExec : IDisposable
{
    private readonly GraphExecHandle owned;

    internal CudaGraphExec(CUgraphExec exec)
    {
        owned = new GraphExecHandle(exec);
        Graph = exec;
    }

    /// <summary>The native handle.</summary>
    public CUgraphExec Graph { get; }

    /// <summary>The flags that it was instantiated with.</summary>
    public CUgraphInstantiate_flags Flags
    {
        get
        {
            CUgraphInstantiate_flags flags = default;
            Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphExecGetFlags(Graph, ref flags));
            return flags;
        }
    }

    /// <summary>Does the graph's work in a stream.</summary>
    public void Launch(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphLaunch(Graph, stream.Stream));
    }

    /// <summary>Brings the graph to the device, so that the first launch is as fast as the others.</summary>
    public void Upload(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Driver.Check(DriverAPINativeMethods.GraphManagment.cuGraphUpload(Graph, stream.Stream));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the graph.</summary>
    protected virtual void Dispose(bool fDisposing) => owned.Dispose();
}
