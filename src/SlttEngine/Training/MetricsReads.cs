using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>Reads of an engine's sums that are in flight: the device goes on, as the host waits for it only when it needs a sum.</summary>
internal sealed class MetricsReads(ComputeDevice device, CUdeviceptr sums) : IDisposable
{
    private const int Numbers = 4;
    private const int MaxInFlight = 2;

    private readonly CudaPageLockedHostMemory<double> values = new(Numbers * MaxInFlight);

    // Waiting sleeps: the threads that prepare batches want the core.
    private readonly CudaEvent[] done = [.. Enumerable.Range(0, MaxInFlight).Select(
        _ => new CudaEvent(CUEventFlags.BlockingSync | CUEventFlags.DisableTiming))];
    private int begun;
    private int finished;

    /// <summary>
    /// Reads that a pass leaves in flight while it gives the device its next batch. None on the CPU device, which finishes a batch before
    /// the call returns.
    /// </summary>
    public int LeftInFlight { get; set; } = device.IsCpu ? 0 : MaxInFlight - 1;

    /// <summary>Reads that were begun and not finished yet.</summary>
    public int InFlight => begun - finished;

    /// <summary>Reads the sums and sets them to zero, in order with the device's stream.</summary>
    public void Begin()
    {
        if (InFlight == MaxInFlight)
        {
            throw new InvalidOperationException($"{MaxInFlight} reads are in flight, none was waited for");
        }

        int slot = begun++ % MaxInFlight;
        SizeT bytes = Numbers * sizeof(double);
        CUstream stream = device.Stream.Stream;
        values.AsyncCopyFromDevice(sums, 0, slot * bytes, bytes, stream);
        device.Context.ClearMemoryAsync(sums, (byte)0, bytes, stream);
        done[slot].Record(stream);
    }

    /// <summary>Waits for the oldest read.</summary>
    public BatchMetrics Wait()
    {
        if (InFlight == 0)
        {
            throw new InvalidOperationException("no read is in flight");
        }

        int slot = finished++ % MaxInFlight;
        done[slot].Synchronize();
        int at = slot * Numbers;
        return new BatchMetrics(values[at], values[at + 1], values[at + 2], values[at + 3]);
    }

    public void Dispose()
    {
        foreach (CudaEvent read in done)
        {
            // A read may still write the memory. Whatever this answers, there is nothing left to do about it here.
            DriverAPINativeMethods.Events.cuEventSynchronize(read.Event);
            read.Dispose();
        }

        values.Dispose();
    }
}
