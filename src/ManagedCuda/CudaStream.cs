using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A stream: what is given to it is done in order, beside other streams.</summary>
public class CudaStream : IDisposable
{
    private readonly StreamHandle? owned;
    private bool disposed;

    /// <summary>Creates a stream that works in step with the null stream.</summary>
    public CudaStream()
        : this(CUStreamFlags.None)
    {
    }

    /// <summary>Creates a stream.</summary>
    public CudaStream(CUStreamFlags flags)
    {
        CUstream stream = default;
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamCreate(ref stream, flags));
        owned = new StreamHandle(stream);
        Stream = stream;
    }

    /// <summary>Creates a stream of a priority: the lower the number, the sooner its work is done.</summary>
    public CudaStream(int priority)
        : this(priority, CUStreamFlags.None)
    {
    }

    /// <summary>Creates a stream of a priority: the lower the number, the sooner its work is done.</summary>
    public CudaStream(int priority, CUStreamFlags flags)
    {
        CUstream stream = default;
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamCreateWithPriority(ref stream, flags, priority));
        owned = new StreamHandle(stream);
        Stream = stream;
    }

    /// <summary>Wraps a stream that belongs to someone else.</summary>
    public CudaStream(CUstream stream)
        : this(stream, false)
    {
    }

    /// <summary>Wraps a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="isOwner">True: <see cref="Dispose()"/> destroys it.</param>
    public CudaStream(CUstream stream, bool isOwner)
    {
        owned = isOwner ? new StreamHandle(stream) : null;
        Stream = stream;
    }

    /// <summary>The native handle.</summary>
    public CUstream Stream { get; set; }

    /// <summary>Waits until all work in the stream is done.</summary>
    public void Synchronize()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamSynchronize(Stream));
    }

    /// <summary>True if all work in the stream is done.</summary>
    public bool Query()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        CUResult result = DriverAPINativeMethods.Streams.cuStreamQuery(Stream);
        if (result == CUResult.ErrorNotReady)
        {
            return false;
        }

        Driver.Check(result, nameof(DriverAPINativeMethods.Streams.cuStreamQuery));
        return true;
    }

    /// <summary>Work given to the stream from now on waits for the event.</summary>
    public void WaitEvent(CUevent cuevent)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamWaitEvent(Stream, cuevent, 0));
    }

    /// <summary>Calls back when the work so far is done; the caller keeps the delegate alive until then.</summary>
    public void AddCallback(CUstreamCallback callback, IntPtr userData, CUStreamAddCallbackFlags flags)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamAddCallback(Stream, callback, userData, flags));
    }

    /// <summary>The stream's priority.</summary>
    public int GetPriority()
    {
        int priority = 0;
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamGetPriority(Stream, ref priority));
        return priority;
    }

    /// <summary>The flags that the stream was made with.</summary>
    public CUStreamFlags GetFlags()
    {
        CUStreamFlags flags = default;
        Driver.Check(DriverAPINativeMethods.Streams.cuStreamGetFlags(Stream, ref flags));
        return flags;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the stream if it is owned.</summary>
    protected virtual void Dispose(bool fDisposing)
    {
        disposed = true;
        owned?.Dispose();
    }
}
