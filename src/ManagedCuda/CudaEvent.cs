using ManagedCuda.BasicTypes;

namespace ManagedCuda;

/// <summary>A point in a stream's work that can be waited for and that keeps the time.</summary>
public class CudaEvent : IDisposable
{
    private readonly EventHandle owned;

    /// <summary>Creates an event that keeps the time.</summary>
    public CudaEvent()
        : this(CUEventFlags.Default)
    {
    }

    /// <summary>Creates an event.</summary>
    public CudaEvent(CUEventFlags flags)
    {
        CUevent created = default;
        Driver.Check(DriverAPINativeMethods.Events.cuEventCreate(ref created, flags));
        owned = new EventHandle(created);
        Event = created;
    }

    /// <summary>The native handle.</summary>
    public CUevent Event { get; set; }

    /// <summary>Milliseconds between two recorded events that have happened.</summary>
    public static float ElapsedTime(CudaEvent eventStart, CudaEvent eventEnd)
    {
        ArgumentNullException.ThrowIfNull(eventStart);
        ArgumentNullException.ThrowIfNull(eventEnd);
        float milliseconds = 0;
        Driver.Check(DriverAPINativeMethods.Events.cuEventElapsedTime(ref milliseconds, eventStart.Event, eventEnd.Event));
        return milliseconds;
    }

    /// <summary>Marks this point of the default stream.</summary>
    public void Record() => Record(default);

    /// <summary>Marks this point of a stream.</summary>
    public void Record(CUstream stream) => Driver.Check(DriverAPINativeMethods.Events.cuEventRecord(Event, stream));

    /// <summary>Marks this point of a stream.</summary>
    public void Record(CUstream stream, CUEventRecordFlags flags) =>
        Driver.Check(DriverAPINativeMethods.Events.cuEventRecordWithFlags(Event, stream, flags));

    /// <summary>Waits until the event has happened.</summary>
    public void Synchronize() => Driver.Check(DriverAPINativeMethods.Events.cuEventSynchronize(Event));

    /// <summary>True if the event has happened.</summary>
    public bool Query()
    {
        CUResult result = DriverAPINativeMethods.Events.cuEventQuery(Event);
        if (result == CUResult.ErrorNotReady)
        {
            return false;
        }

        Driver.Check(result, nameof(DriverAPINativeMethods.Events.cuEventQuery));
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Destroys the event.</summary>
    protected virtual void Dispose(bool fDisposing) => owned.Dispose();
}
