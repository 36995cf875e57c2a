using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>A (rows, channels) matrix.</summary>
public readonly record struct Matrix(int Rows, int Channels)
{
    /// <summary>Elements.</summary>
    public int Count => Rows * Channels;

    /// <inheritdoc/>
    public override string ToString() => $"{Rows}x{Channels}";
}

/// <summary>The sizes that every kernel is tested with: one, primes, a block and a pack more or less one.</summary>
internal static class Cases
{
    public static readonly ComputeType[] Types = [ComputeType.Float32, ComputeType.Float16, ComputeType.BFloat16];

    /// <summary>Number of elements.</summary>
    public static readonly int[] Lengths = [1, 7, 31, 33, 64, 127, 255, 257, 1021];

    /// <summary>Narrow, wide and odd; 512 channels are one tile of the CPU device, 8 one pack of the GPU.</summary>
    public static readonly Matrix[] Matrices =
    [
        new(1, 1), new(1, 31), new(33, 1), new(31, 33), new(7, 16), new(65, 8), new(67, 12), new(33, 64), new(5, 130), new(2, 519),
        new(3, 1032),
    ];

    /// <summary>Blocks and threads: no kernel may depend on them.</summary>
    public static readonly LaunchShape[] Launches = [new(3, 64), new(1, 1), new(2, 33), new(5, 160)];

    /// <summary>As many threads as a block of a kernel can have.</summary>
    public static readonly LaunchShape Largest = new(1, 512);

    /// <summary>One of them, in turn.</summary>
    public static LaunchShape Launch(int index) => Launches[index % Launches.Length];

    /// <summary>Dropout, and the iteration it is drawn for.</summary>
    public static readonly RunState State = new() { Seed = 0x1234_5678_9abc_def0, Iteration = 0x1_0000_0007, LossScale = 1, GradScale = 1 };
}
