using System.Diagnostics;
using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.CudaBlas;

namespace SlttEngine.Device;

/// <summary>What a device reaches at its best, measured in a moment: the yardstick of a floor time.</summary>
/// <param name="Flops">Floating-point operations a second of a large matrix product in the compute type.</param>
/// <param name="Bandwidth">Bytes a second of a large copy, read and written counted both.</param>
public readonly record struct DeviceRates(double Flops, double Bandwidth)
{
    private const int Repeats = 5;

    /// <summary>Measures them; takes a fraction of a second and, for that time, some hundred megabytes.</summary>
    /// <param name="device">The device.</param>
    /// <param name="type">Number type of the matrices.</param>
    public static DeviceRates Measure(ComputeDevice device, ComputeType type)
    {
        int side = device.IsCpu ? 1024 : 8192;
        long bytes = device.IsCpu ? 64L << 20 : 512L << 20;
        using CudaDeviceVariable<byte> from = new(bytes);
        using CudaDeviceVariable<byte> to = new(bytes);
        Fill(device, from, type);
        to.MemsetAsync((byte)0, device.Stream.Stream);
        long matrix = (long)side * side * type.Size();
        double copy = Fastest(device, () => to.AsyncCopyToDevice(from, device.Stream));
        double product = Fastest(device, () => device.Blas.GemmEx(
            Operation.NonTranspose,
            Operation.NonTranspose,
            side,
            side,
            side,
            1f,
            from.DevicePointer,
            type.Blas(),
            side,
            new((ulong)from.DevicePointer.Pointer + (ulong)matrix),
            type.Blas(),
            side,
            0f,
            to.DevicePointer,
            type.Blas(),
            side));
        return new DeviceRates(2.0 * side * side * side / product, 2 * bytes / copy);
    }

    /// <summary>Numbers of either sign from 0.5 to 1: with zeros a GPU draws less power than it does at work, and so runs faster.</summary>
    private static void Fill(ComputeDevice device, CudaDeviceVariable<byte> memory, ComputeType type)
    {
        uint[] words = new uint[4 << 20];
        new Random(1).NextBytes(MemoryMarshal.AsBytes(words.AsSpan()));
        (uint keep, uint exponent) = type switch
        {
            ComputeType.Float16 => (0x83ff83ffu, 0x38003800u),
            ComputeType.BFloat16 => (0x807f807fu, 0x3f003f00u),
            _ => (0x807fffffu, 0x3f000000u),
        };
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = (words[i] & keep) | exponent;
        }

        for (ulong done = 0; done < (ulong)memory.SizeInBytes; done += (ulong)words.Length * sizeof(uint))
        {
            HostCopy.ToDevice<uint>(device, new((ulong)memory.DevicePointer.Pointer + done), words);
        }
    }

    private static double Fastest(ComputeDevice device, Action launch)
    {
        double best = double.PositiveInfinity;
        for (int i = 0; i <= Repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            launch();
            device.Synchronize();
            best = i == 0 ? best : System.Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
