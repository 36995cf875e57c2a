using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>
/// Reads of an engine's sums that are under way: the device goes on meanwhile, as it is not waited for until a sum is wanted.
/// </summary>
internal sealed class MetricsReads(ComputeDevice device, CUdeviceptr sums) : IDisposable
{
    private const int Numbers = 4;
    private const int Most = 2;

    private readonly CudaPageLockedHostMemory<double> values = new(Numbers * Most);

    // Waiting sleeps: the threads that prepare batches want the core.
    private readonly CudaEvent[] done = [
        .. Enumerable.Range(0, Most).Select(_ => new CudaEvent(CUEventFlags.BlockingSync | CUEventFlags.DisableTiming))];
    private int begun;
    private int taken;

    /// <summary>
    /// Reads that a pass leaves under way while it gives the device its next batch. None on the CPU device, which has done a batch when it
    /// was given.
    /// </summary>
    public int Ahead { get; set; } = device.IsCpu ? 0 : Most - 1;

    /// <summary>Reads that were begun and not taken yet.</summary>
    public int UnderWay => begun - taken;

    /// <summary>Reads the sums and sets them to zero, in order with the device's stream.</summary>
    public void Begin()
    {
        if (UnderWay == Most)
        {
            throw new InvalidOperationException($"{Most} reads are under way, none was taken");
        }

        int slot = begun++ % Most;
        SizeT bytes = Numbers * sizeof(double);
        CUstream stream = device.Stream.Stream;
        values.AsyncCopyFromDevice(sums, 0, slot * bytes, bytes, stream);
        device.Context.ClearMemoryAsync(sums, (byte)0, bytes, stream);
        done[slot].Record(stream);
    }

    /// <summary>Waits for the oldest read.</summary>
    public BatchMetrics Take()
    {
        if (UnderWay == 0)
        {
            throw new InvalidOperationException("no read is under way");
        }

        int slot = taken++ % Most;
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
