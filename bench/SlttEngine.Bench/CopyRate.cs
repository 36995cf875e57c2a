using System.Diagnostics;
using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>How fast the device copies memory: the yardstick of kernels that only move data.</summary>
/// <remarks>Measured again around each kernel, so that whatever else the machine does slows both down.</remarks>
internal sealed class CopyRate : IDisposable
{
    /// <summary>On a GPU: large enough that the host's wait for a copy, some 10 µs, does not count beside it.</summary>
    private const long OnGpu = 1L << 30;

    private const long OnCpu = 128L << 20;

    private readonly int repeats;
    private readonly ComputeDevice device;
    private readonly long bytes;
    private readonly CudaDeviceVariable<byte> from;
    private readonly CudaDeviceVariable<byte> to;

    /// <summary>Allocates what is copied, beyond any cache unless a small size is asked for.</summary>
    /// <param name="device">The device.</param>
    /// <param name="small">True: a quick, rough figure.</param>
    public CopyRate(ComputeDevice device, bool small)
    {
        this.device = device;
        repeats = small ? 1 : 5;
        bytes = small ? 4L << 20 : Math.Max(device.IsCpu ? OnCpu : OnGpu, 2 * CacheSize.Of(device));
        from = new(bytes);
        to = new(bytes);
        from.MemsetAsync(1u, device.Stream.Stream);
        to.MemsetAsync(2u, device.Stream.Stream);
    }

    /// <summary>Bytes a second, read and written counted both: the median of some copies.</summary>
    public double Measure()
    {
        Copy();
        double[] seconds = new double[repeats];
        for (int i = 0; i < repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Copy();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        return 2 * bytes / seconds[repeats / 2];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        from.Dispose();
        to.Dispose();
    }

    private void Copy()
    {
        to.AsyncCopyToDevice(from, device.Stream);
        device.Synchronize();
    }
}
