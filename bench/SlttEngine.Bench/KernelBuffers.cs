using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Bench;

/// <summary>Device memory of one case, filled with plausible numbers, freed together.</summary>
public sealed class KernelBuffers : IDisposable
{
    private const int Pattern = 1 << 15;

    private readonly ComputeDevice device;
    private readonly List<CudaDeviceVariable<byte>> owned = [];
    private readonly float[] numbers = new float[Pattern];

    /// <summary>Creates an empty set.</summary>
    public KernelBuffers(ComputeDevice device)
    {
        this.device = device;
        Random random = new(2022);
        for (int i = 0; i < Pattern; i++)
        {
            numbers[i] = (random.NextSingle() * 2) - 0.5f;
        }
    }

    /// <summary>Bytes allocated.</summary>
    public long Size => owned.Sum(m => (long)(ulong)m.SizeInBytes);

    /// <summary>Numbers from −0.5 to 1.5: about a quarter of them are spikes at a threshold of 1.</summary>
    public object Values(ComputeType type, long count) => type switch
    {
        ComputeType.Float32 => Fill<float>(numbers, count),
        ComputeType.Float16 => Fill<Half>([.. numbers.Select(x => (Half)x)], count),
        _ => Fill<BFloat16>([.. numbers.Select(x => new BFloat16((ushort)(BitConverter.SingleToUInt32Bits(x) >> 16)))], count),
    };

    /// <summary>Numbers from 0.5 to 1.5.</summary>
    public DevicePtr<float> Positive(long count) => Fill<float>([.. numbers.Select(x => 0.5f + Math.Abs(x) / 1.5f)], count);

    /// <summary>Doubles from −0.5 to 1.5.</summary>
    public DevicePtr<double> Doubles(long count) => Fill<double>([.. numbers.Select(x => (double)x)], count);

    /// <summary>Bytes of all values.</summary>
    public DevicePtr<byte> Bytes(long count) => Fill<byte>([.. numbers.Select((_, i) => (byte)(i * 37))], count);

    /// <summary>16-bit integers below 256, as counts of events are.</summary>
    public DevicePtr<ushort> Counts(long count) => Fill<ushort>([.. numbers.Select((_, i) => (ushort)(i * 37 % 256))], count);

    /// <summary>Integers from 0 to <paramref name="limit"/> − 1.</summary>
    public DevicePtr<int> Integers(long count, int limit) => Fill<int>([.. numbers.Select((_, i) => (int)(i * 7919L % limit))], count);

    /// <summary>Zeros.</summary>
    public DevicePtr<T> Zeros<T>(long count)
        where T : unmanaged
    {
        CudaDeviceVariable<byte> memory = new(((count * Marshal.SizeOf<T>()) + 3) / 4 * 4);
        owned.Add(memory);
        memory.MemsetAsync(0u, device.Stream.Stream);
        return new(memory.DevicePointer);
    }

    /// <summary>Zeros of a compute type.</summary>
    public object Zeros(ComputeType type, long count) => type switch
    {
        ComputeType.Float32 => Zeros<float>(count),
        ComputeType.Float16 => Zeros<Half>(count),
        _ => Zeros<BFloat16>(count),
    };

    /// <summary>A run state with a learning rate of 0: optimisers do all their work and change nothing.</summary>
    public DevicePtr<RunState> State()
    {
        DevicePtr<RunState> state = Zeros<RunState>(1);
        HostCopy.ToDevice<RunState>(
            device, state.Pointer, [new RunState { Seed = 2022, LossScale = 1, GradScale = 1, BiasCorrection1 = 1, BiasCorrection2 = 1 }]);
        return state;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CudaDeviceVariable<byte> memory in owned)
        {
            memory.Dispose();
        }

        owned.Clear();
    }

    private DevicePtr<T> Fill<T>(T[] pattern, long count)
        where T : unmanaged
    {
        long size = Marshal.SizeOf<T>();
        long bytes = count * size;
        CudaDeviceVariable<byte> memory = new(bytes);
        owned.Add(memory);
        long filled = Math.Min(count, pattern.Length) * size;
        HostCopy.ToDevice<T>(device, memory.DevicePointer, pattern.AsSpan(0, (int)(filled / size)));
        while (filled < bytes)
        {
            long next = Math.Min(filled, bytes - filled);
            memory.AsyncCopyToDevice(memory.DevicePointer, 0, filled, next, device.Stream);
            filled += next;
        }

        return new(memory.DevicePointer);
    }
}
