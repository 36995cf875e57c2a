using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>
/// Copies of whole batches to the device, on a stream of their own: the host goes on at once, and the next batch arrives while the device
/// computes.
/// </summary>
/// <remarks>
/// <para>From ordinary memory the driver's copy holds the host up until all earlier work is done, and is several times slower. So a batch
/// goes through page-locked memory, two buffers in turn; one is written again only when its last copy is done.</para>
/// <para>On the device there is one buffer. An iteration reads it in its first part only, and then calls <see cref="Release"/>. The next
/// copy waits for that point, and runs beside the rest of the iteration: a second buffer would take memory and save no time.</para>
/// </remarks>
internal sealed class BatchUpload(ComputeDevice device) : IDisposable
{
    /// <summary>Less than this the driver stages by itself, without waiting.</summary>
    private const int Small = 64 << 10;

    private readonly Buffer?[] buffers = new Buffer?[2];
    private readonly CudaStream copies = new(CUStreamFlags.NonBlocking);
    private readonly CudaEvent released = new(CUEventFlags.DisableTiming);
    private object? lastReader;
    private int next;

    /// <summary>True if copies of so many bytes run beside the device's work. The CPU device copies at once.</summary>
    /// <param name="bytes">Bytes.</param>
    public bool Overlaps(long bytes) => bytes >= Small && device.Kind != DeviceKind.Cpu;

    /// <summary>Copies to the device; later work of its stream finds the batch there. The span may be reused afterwards.</summary>
    /// <param name="reader">
    /// Who reads the batch. Programs share their memory: behind another reader's work, the copy waits for all of that work.
    /// </param>
    /// <param name="target">Where to.</param>
    /// <param name="source">What.</param>
    public void Write(object reader, CUdeviceptr target, ReadOnlySpan<byte> source)
    {
        bool isOther = reader != lastReader;
        lastReader = reader;
        if (!Overlaps(source.Length))
        {
            HostCopy.ToDevice(device, target, source);
            return;
        }

        next = 1 - next;
        Buffer? buffer = buffers[next];
        if (buffer is null || buffer.Bytes < source.Length)
        {
            buffer?.Dispose();
            buffers[next] = null;
            buffers[next] = buffer = new Buffer(source.Length);
        }

        buffer.Copied.Synchronize();
        source.CopyTo(buffer.Span);
        if (isOther)
        {
            Release();
        }

        copies.WaitEvent(released.Event);
        buffer.Memory.AsyncCopyToDevice(target, 0, 0, source.Length, copies.Stream);
        buffer.Copied.Record(copies.Stream);
        device.Stream.WaitEvent(buffer.Copied.Event);
    }

    /// <summary>The work that was launched so far was the last to read the batch.</summary>
    public void Release() => released.Record(device.Stream.Stream);

    public void Dispose()
    {
        foreach (Buffer? buffer in buffers)
        {
            buffer?.Dispose();
        }

        released.Dispose();
        copies.Dispose();
    }

    private sealed class Buffer(int bytes) : IDisposable
    {
        public int Bytes => bytes;

        public CudaPageLockedHostMemory<byte> Memory { get; } = new(bytes);

        /// <summary>The last copy from here; waiting sleeps, as the threads that decode images want the core.</summary>
        public CudaEvent Copied { get; } = new(CUEventFlags.BlockingSync | CUEventFlags.DisableTiming);

        public unsafe Span<byte> Span => new((void*)Memory.PinnedHostPointer, bytes);

        public void Dispose()
        {
            // A copy may still read the memory. Whatever this answers, there is nothing left to do about it here.
            DriverAPINativeMethods.Events.cuEventSynchronize(Copied.Event);
            Copied.Dispose();
            Memory.Dispose();
        }
    }
}
