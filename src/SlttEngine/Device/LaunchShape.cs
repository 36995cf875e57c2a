namespace SlttEngine.Device;

/// <summary>Blocks and threads of a launch; every shape that the engine uses is made here.</summary>
/// <param name="Blocks">Blocks in the grid (one-dimensional).</param>
/// <param name="Threads">Threads a block.</param>
public readonly record struct LaunchShape(int Blocks, int Threads)
{
    /// <summary>Threads a block of the elementwise and row kernels.</summary>
    public const int ElementThreads = 256;

    /// <summary>One block: kernels that end in one number.</summary>
    public static LaunchShape Single { get; } = new(1, 256);

    /// <summary>One thread: kernels that touch the run state alone.</summary>
    public static LaunchShape OneThread { get; } = new(1, 1);

    /// <summary>Elementwise kernels: 16 bytes a thread, at most 4 blocks a multiprocessor.</summary>
    /// <remarks>
    /// That is as many as run at once (SLTT_KERNEL in kernels/gpu/target.cuh): a few more would run alone, after the others.
    /// </remarks>
    /// <param name="device">The device.</param>
    /// <param name="elements">Elements in all.</param>
    /// <param name="elementSize">Bytes of the widest-packed type.</param>
    public static LaunchShape Elements(ComputeDevice device, long elements, int elementSize) =>
        new(Grid(elements, ElementThreads * (16 / elementSize), device.Multiprocessors * (device.IsCpu ? 1 : 4)), ElementThreads);

    /// <summary>Column sums over rows: the grid is the number of partial sums, at most 2 blocks a multiprocessor.</summary>
    /// <remarks>As many as run at once (SLTT_SUM_KERNEL), and each partial sum is work for the second stage.</remarks>
    /// <param name="device">The device.</param>
    /// <param name="rows">Rows summed.</param>
    /// <param name="channels">Channels.</param>
    public static LaunchShape RowSums(ComputeDevice device, long rows, int channels)
    {
        int rowsAtATime = Math.Max(1, ElementThreads * 4 / Math.Max(4, channels));
        return new(Grid(rows, rowsAtATime * 8, device.Multiprocessors * (device.IsCpu ? 1 : 2)), ElementThreads);
    }

    /// <summary>Second stages of column sums: 8 channels a block, whose other threads share the partial sums; up to 1,024 blocks.</summary>
    /// <param name="channels">Channels.</param>
    public static LaunchShape SecondStage(int channels) => new(Math.Min((channels + 7) / 8, 1024), 256);

    /// <summary>A few numbers a channel, or sums over few rows: 32 channels a block; up to 1,024 blocks.</summary>
    /// <param name="channels">Channels.</param>
    public static LaunchShape Channels(int channels) => new(Math.Min((channels + 31) / 32, 1024), 256);

    /// <summary>One block a sample, up to 1,024 blocks.</summary>
    /// <param name="samples">Samples.</param>
    public static LaunchShape Samples(int samples) => new(Math.Min(samples, 1024), 128);

    /// <summary>One block a filter, up to 1,024 blocks; about 8 weights a thread, as their sums take turns at the memory.</summary>
    /// <param name="outputs">Filters.</param>
    /// <param name="weights">Weights of each.</param>
    public static LaunchShape Filters(int outputs, int weights) =>
        new(Math.Min(outputs, 1024), Math.Clamp((weights + 1023) / 1024 * 128, 128, 512));

    private static int Grid(long items, int itemsPerBlock, int limit) =>
        (int)Math.Clamp((items + itemsPerBlock - 1) / itemsPerBlock, 1, limit);
}
