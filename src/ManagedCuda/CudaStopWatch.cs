using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>Times the work of a stream by two events.</summary>
public class CudaStopWatch : IDisposable
{
    /// <summary>Times the default stream.</summary>
    public CudaStopWatch()
        : this(CUEventFlags.Default, default)
    {
    }

    /// <summary>Times the default stream.</summary>
    public CudaStopWatch(CUEventFlags flags)
        : this(flags, default)
    {
    }

    /// <summary>Times a stream.</summary>
    public CudaStopWatch(CUstream stream)
        : this(CUEventFlags.Default, stream)
    {
    }

    /// <summary>Times a stream.</summary>
    public CudaStopWatch(CUEventFlags flags, CUstream stream)
    {
        StartEvent = new CudaEvent(flags);
        StopEvent = new CudaEvent(flags);
        Stream = stream;
    }

    /// <summary>Recorded by <see cref="Start"/>.</summary>
    public CudaEvent StartEvent { get; }

    /// <summary>Recorded by <see cref="Stop"/>.</summary>
    public CudaEvent StopEvent { get; }

    /// <summary>The stream that is timed.</summary>
    public CUstream Stream { get; }

    /// <summary>Marks the beginning.</summary>
    public void Start() => StartEvent.Record(Stream);

    /// <summary>Marks the end; does not wait for it.</summary>
    public void Stop() => StopEvent.Record(Stream);

    /// <summary>Waits for the end; milliseconds between beginning and end.</summary>
    public float GetElapsedTime()
    {
        StopEvent.Synchronize();
        return GetElapsedTimeNoSync();
    }

    /// <summary>Milliseconds between beginning and end, both of which have happened.</summary>
    public float GetElapsedTimeNoSync() => CudaEvent.ElapsedTime(StartEvent, StopEvent);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys both events.</summary>
    protected virtual void Dispose(bool fDisposing)
    {
        if (fDisposing)
        {
            StartEvent.Dispose();
            StopEvent.Dispose();
        }
    }
}
