using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>A fixed list of launches recorded once and replayed by the device without the host.</summary>
public sealed class CapturedGraph : IDisposable
{
    private readonly ComputeDevice device;
    private CUgraph graph;
    private CUgraphExec exec;

    private CapturedGraph(ComputeDevice device) => this.device = device;

    /// <summary>Records what <paramref name="work"/> launches on the device's stream; nothing of it runs yet.</summary>
    /// <param name="device">The device.</param>
    /// <param name="work">Launches; must not allocate device memory or wait.</param>
    public static CapturedGraph Capture(ComputeDevice device, Action work)
    {
        CapturedGraph captured = new(device);
        CUstream stream = device.Stream.Stream;
        DriverCall.Check(DriverAPINativeMethods.Streams.cuStreamBeginCapture(stream, CUstreamCaptureMode.Local));
        try
        {
            work();
        }
        catch
        {
            // The stream must leave capture mode whatever happened; the first error is the one to show.
            DriverAPINativeMethods.Streams.cuStreamEndCapture(stream, ref captured.graph);
            throw;
        }

        DriverCall.Check(DriverAPINativeMethods.Streams.cuStreamEndCapture(stream, ref captured.graph));
        if (device.ClearsAreKernels)
        {
            GraphClears.Replace(device, captured.graph);
        }

        DriverCall.Check(
            DriverAPINativeMethods.GraphManagment.cuGraphInstantiate(ref captured.exec, captured.graph, CUgraphInstantiate_flags.None));
        return captured;
    }

    /// <summary>Replays the launches on the device's stream.</summary>
    public void Launch() => DriverCall.Check(DriverAPINativeMethods.GraphManagment.cuGraphLaunch(exec, device.Stream.Stream));

    /// <summary>Nodes of a kind.</summary>
    /// <param name="type">The kind.</param>
    internal int Count(GraphNodeType type) => GraphClears.Count(graph, type);

    /// <inheritdoc/>
    public void Dispose()
    {
        DriverAPINativeMethods.GraphManagment.cuGraphExecDestroy(exec);
        DriverAPINativeMethods.GraphManagment.cuGraphDestroy(graph);
    }
}
