using System.Diagnostics;
using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>How fast the device copies memory: the yardstick of kernels that only move data.</summary>
/// <remarks>Measured again around each kernel, so that whatever else the machine does slows both down.</remarks>
internal sealed unsafe class CopyRate : IDisposable
{
    private readonly int repeats;
    private readonly ComputeDevice device;
    private readonly long bytes;
    private readonly CudaDeviceVariable<byte>? deviceFrom;
    private readonly CudaDeviceVariable<byte>? deviceTo;
    private readonly byte* hostFrom;
    private readonly byte* hostTo;
    private readonly int threads = Threads();

    /// <summary>Allocates what is copied, beyond any cache unless a small size is asked for.</summary>
    /// <param name="device">The device.</param>
    /// <param name="small">True: a quick, rough figure.</param>
    public CopyRate(ComputeDevice device, bool small)
    {
        this.device = device;
        repeats = small ? 1 : 5;
        bytes = small ? 4L << 20 : Math.Max(128L << 20, 2 * CacheSize.Of(device));
        if (device.IsCpu)
        {
            // A copy call on the CPU device is one thread's; the machine's rate is that of all threads that kernels use.
            hostFrom = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
            hostTo = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
            NativeMemory.Fill(hostFrom, (nuint)bytes, 1);
            NativeMemory.Fill(hostTo, (nuint)bytes, 2);
        }
        else
        {
            deviceFrom = new(bytes);
            deviceTo = new(bytes);
            deviceFrom.MemsetAsync(1u, device.Stream.Stream);
            deviceTo.MemsetAsync(2u, device.Stream.Stream);
        }
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
        deviceFrom?.Dispose();
        deviceTo?.Dispose();
        NativeMemory.AlignedFree(hostFrom);
        NativeMemory.AlignedFree(hostTo);
    }

    private static int Threads()
    {
        foreach (string variable in new[] { "SLTT_CPU_THREADS", "OMP_NUM_THREADS" })
        {
            if (int.TryParse(Environment.GetEnvironmentVariable(variable), out int threads) && threads > 0)
            {
                return Math.Min(threads, Environment.ProcessorCount);
            }
        }

        return Environment.ProcessorCount;
    }

    private void Copy()
    {
        if (deviceTo is not null)
        {
            deviceTo.AsyncCopyToDevice(deviceFrom!, device.Stream);
            device.Synchronize();
            return;
        }

        long share = bytes / threads / 64 * 64;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
        {
            long start = i * share;
            long count = i == threads - 1 ? bytes - start : share;
            Buffer.MemoryCopy(hostFrom + start, hostTo + start, count, count);
        });
    }
}
