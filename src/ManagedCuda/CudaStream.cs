using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A stream: work that the device does in order.</summary>
public class CudaStream : IDisposable
{
    private readonly StreamHandle handle;

    /// <summary>Creates a stream.</summary>
    public CudaStream(CUStreamFlags flags)
    {
        CUstream stream = default;
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamCreate(ref stream, flags));
        handle = new StreamHandle(stream);
        Stream = stream;
    }

    /// <summary>The native handle.</summary>
    public CUstream Stream { get; }

    /// <summary>Waits until all work in the stream is done.</summary>
    public void Synchronize()
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamSynchronize(Stream));
    }

    /// <summary>Work given to the stream from now on waits for the event.</summary>
    public void WaitEvent(CUevent cuevent)
    {
        Alive();
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamWaitEvent(Stream, cuevent, 0));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the stream.</summary>
    protected virtual void Dispose(bool fDisposing) => handle.Dispose();

    private void Alive() => ObjectDisposedException.ThrowIf(handle.IsClosed, this);
}
