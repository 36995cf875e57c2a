using System.Diagnostics;
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
        from.Memset((byte)0);
        to.Memset((byte)0);
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
