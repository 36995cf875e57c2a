namespace SlttEngine.Device;

/// <summary>Blocks and threads of a launch; every shape that the engine uses is made here.</summary>
/// <param name="Blocks">Blocks in the grid's x dimension: those that share out the elements of a step.</param>
/// <param name="Threads">Threads a block.</param>
/// <param name="Steps">
/// Blocks in the grid's y dimension: time steps that run side by side. 1 also where a kernel takes its elements through the steps in order.
/// </param>
/// <param name="Tiles">Blocks in the grid's z dimension: tiles of channels, each with <paramref name="Blocks"/> of its own.</param>
public readonly record struct LaunchShape(int Blocks, int Threads, int Steps = 1, int Tiles = 1)
{
    /// <summary>Threads a block of the elementwise and row kernels.</summary>
    public const int ElementThreads = 256;

    /// <summary>The grid, for messages.</summary>
    internal string Grid => Tiles > 1 ? $"{Blocks} × {Steps} × {Tiles}" : Steps > 1 ? $"{Blocks} × {Steps}" : $"{Blocks}";

    /// <summary>One block: kernels that end in one number.</summary>
    public static LaunchShape Single { get; } = new(1, 256);

    /// <summary>One thread: kernels that touch the run state alone.</summary>
    public static LaunchShape OneThread { get; } = new(1, 1);

    /// <summary>Elementwise kernels: 16 bytes a thread, at most 4 blocks a multiprocessor.</summary>
    /// <remarks>
    /// That is as many as run at once (SLTT_KERNEL in kernels/gpu/target.cuh): a few more would run alone, after the others.
    /// </remarks>
    /// <param name="device">The device.</param>
    /// <param name="elements">Elements of a step.</param>
    /// <param name="elementSize">Bytes of the widest-packed type.</param>
    /// <param name="steps">Time steps that run side by side.</param>
    public static LaunchShape Elements(ComputeDevice device, long elements, int elementSize, int steps = 1) =>
        new(BlocksFor(elements, ElementThreads * (16 / elementSize), Limit(device, 4, steps)), ElementThreads, steps);

    /// <summary>Column sums over rows: the grid is the number of partial sums, at most 2 blocks a multiprocessor.</summary>
    /// <remarks>As many as run at once (SLTT_SUM_KERNEL), and each partial sum is work for the second stage.</remarks>
    /// <param name="device">The device.</param>
    /// <param name="rows">Rows summed, of a step.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="steps">Time steps that run side by side.</param>
    public static LaunchShape RowSums(ComputeDevice device, long rows, int channels, int steps = 1)
    {
        int rowsAtATime = Math.Max(1, ElementThreads * 4 / Math.Max(4, channels));
        return new(BlocksFor(rows, rowsAtATime * 8, Limit(device, 2, steps)), ElementThreads, steps);
    }

    /// <summary>
    /// Column sums that the last block of a tile of 32 channels finishes (sum_rows_for_last_block): at most a block of 512 threads on each
    /// multiprocessor, for all tiles and steps together.
    /// </summary>
    /// <remarks>The last block adds the others' sums alone. They are few: 66 parts of 32 channels, 34 kB, on 132 multiprocessors.</remarks>
    /// <param name="device">The device. The CPU device has no tiles: each core takes whole rows.</param>
    /// <param name="rows">Rows summed, of a step.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="steps">Time steps that run side by side.</param>
    public static LaunchShape TiledRowSums(ComputeDevice device, long rows, int channels, int steps = 1) => device.IsCpu
        ? RowSums(device, rows, channels, steps)
        : TiledRowSums(device.Multiprocessors, rows, channels, steps);

    /// <summary>The same for a GPU with so many multiprocessors.</summary>
    internal static LaunchShape TiledRowSums(int multiprocessors, long rows, int channels, int steps = 1)
    {
        const int RowsOfBlock = 256;  // 2 to 4 for a thread
        int tiles = TilesOf(channels);
        return new(BlocksFor(rows, RowsOfBlock, Math.Max(1, multiprocessors / (steps * tiles))), 512, steps, tiles);
    }

    /// <summary>Tiles of <see cref="TiledRowSums(ComputeDevice, long, int, int)"/> that so many channels have.</summary>
    /// <param name="channels">Channels.</param>
    public static int TilesOf(int channels) => (channels + 31) / 32;

    /// <summary>Second stages of column sums: 8 channels a block, whose other threads share the partial sums; up to 1,024 blocks.</summary>
    /// <param name="channels">Channels.</param>
    public static LaunchShape SecondStage(int channels) => new(Math.Min((channels + 7) / 8, 1024), 512);

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

    // At most so many blocks a step that all steps' blocks run at once. On the CPU device a step has a block a core: its cores take
    // contiguous runs of blocks, which are then equally long whatever the number of steps.
    private static int Limit(ComputeDevice device, int blocksAMultiprocessor, int steps) =>
        device.IsCpu ? device.Multiprocessors : Math.Max(1, device.Multiprocessors * blocksAMultiprocessor / steps);

    private static int BlocksFor(long items, int itemsPerBlock, int limit) =>
        (int)Math.Clamp((items + itemsPerBlock - 1) / itemsPerBlock, 1, limit);
}
