using System.Diagnostics;
using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>How fast the device copies memory: the yardstick of kernels that only move data.</summary>
internal static class CopyRate
{
    private const int Repeats = 7;

    /// <summary>Bytes a second, read and written counted both; the best of some copies between buffers beyond any cache.</summary>
    /// <param name="device">The device.</param>
    /// <param name="small">True: a quick, rough figure.</param>
    public static double Measure(ComputeDevice device, bool small)
    {
        long bytes = small ? 16L << 20 : device.IsCpu ? 128L << 20 : 512L << 20;
        double seconds = Device(device, bytes);
        if (device.IsCpu)
        {
            // A copy call on the CPU device is one thread's; the machine's rate is that of all threads that kernels use.
            seconds = Math.Min(seconds, Host(bytes));
        }

        return 2 * bytes / seconds;
    }

    private static double Device(ComputeDevice device, long bytes)
    {
        using CudaDeviceVariable<byte> from = new(bytes);
        using CudaDeviceVariable<byte> to = new(bytes);
        from.MemsetAsync(1u, device.Stream.Stream);
        to.MemsetAsync(2u, device.Stream.Stream);
        return Best(() =>
        {
            to.AsyncCopyToDevice(from, device.Stream);
            device.Synchronize();
        });
    }

    private static unsafe double Host(long bytes)
    {
        byte* from = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        byte* to = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        try
        {
            NativeMemory.Fill(from, (nuint)bytes, 1);
            NativeMemory.Fill(to, (nuint)bytes, 2);
            int threads = Threads();
            long share = bytes / threads / 64 * 64;
            return Best(() => Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            {
                long start = i * share;
                long count = i == threads - 1 ? bytes - start : share;
                Buffer.MemoryCopy(from + start, to + start, count, count);
            }));
        }
        finally
        {
            NativeMemory.AlignedFree(from);
            NativeMemory.AlignedFree(to);
        }
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

    private static double Best(Action copy)
    {
        copy();
        double best = double.PositiveInfinity;
        for (int i = 0; i < Repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            copy();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
