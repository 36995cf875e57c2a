using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A point in a stream's work. The host or another stream can wait for it, and it can keep the time.</summary>
public class CudaEvent : IDisposable
{
    private readonly EventHandle handle;

    /// <summary>Creates an event.</summary>
    /// <param name="flags"><see cref="CUEventFlags.Default"/>: the host spins while it waits, and the event keeps the time.</param>
    public CudaEvent(CUEventFlags flags)
    {
        CUevent created = default;
        Driver.Check(DriverAPINativeMethods.Events.cuEventCreate(ref created, flags));
        handle = new EventHandle(created);
        Event = created;
    }

    /// <summary>The native handle.</summary>
    public CUevent Event { get; }

    /// <summary>Milliseconds between two recorded events that have happened.</summary>
    public static float ElapsedTime(CudaEvent eventStart, CudaEvent eventEnd)
    {
        ArgumentNullException.ThrowIfNull(eventStart);
        ArgumentNullException.ThrowIfNull(eventEnd);
        float milliseconds = 0;
        Driver.Check(DriverAPINativeMethods.Events.cuEventElapsedTime(ref milliseconds, eventStart.Event, eventEnd.Event));
        return milliseconds;
    }

    /// <summary>Marks this point of a stream.</summary>
    public void Record(CUstream stream) => Driver.Check(DriverAPINativeMethods.Events.cuEventRecord(Event, stream));

    /// <summary>Waits until the event has happened.</summary>
    public void Synchronize() => Driver.Check(DriverAPINativeMethods.Events.cuEventSynchronize(Event));

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the event.</summary>
    protected virtual void Dispose(bool fDisposing) => handle.Dispose();
}
