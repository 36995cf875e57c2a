using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>
/// Copies of whole batches to the device: the host goes on at once, and prepares the next batch while the device computes.
/// </summary>
/// <remarks>
/// From ordinary memory the driver's copy holds the host up until all earlier work is done, and is several times slower. So a batch goes
/// through page-locked memory, two buffers in turn; one is written again only when its last copy is done.
/// </remarks>
internal sealed class BatchUpload(ComputeDevice device) : IDisposable
{
    /// <summary>Less than this the driver stages by itself, without waiting.</summary>
    private const int Small = 64 << 10;

    private readonly Buffer?[] buffers = new Buffer?[2];
    private int next;

    /// <summary>Copies to the device, in order with its stream; the span may be reused once the call returns.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="source">What.</param>
    public void Write(CUdeviceptr target, ReadOnlySpan<byte> source)
    {
        // The CPU device copies at once: page-locked memory would only be more of the same memory.
        if (source.Length < Small || device.Kind == DeviceKind.Cpu)
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
        buffer.Memory.AsyncCopyToDevice(target, 0, 0, source.Length, device.Stream.Stream);
        buffer.Copied.Record(device.Stream.Stream);
    }

    public void Dispose()
    {
        foreach (Buffer? buffer in buffers)
        {
            buffer?.Dispose();
        }
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
