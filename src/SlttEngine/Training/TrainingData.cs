using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Data;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>Batches of a data set for an engine, and the format of their bytes. The set stays the caller's.</summary>
public sealed class TrainingData : IDisposable
{
    private readonly ConcurrentQueue<string> damaged = new();
    private readonly IDataSet set;
    private readonly BatchLoader loader;
    private readonly CudaDeviceVariable<byte>? resident;
    private readonly BatchLoaderOptions loading;

    /// <summary>Opens it; images that stay on the device are copied there.</summary>
    /// <param name="device">The device.</param>
    /// <param name="set">The samples.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="train">True: shuffled and augmented, and there must be a whole batch.</param>
    /// <exception cref="SlttException">A label is no class, or the training set is smaller than a batch.</exception>
    public TrainingData(ComputeDevice device, IDataSet set, TrainingOptions options, bool train)
    {
        SampleFormat format = SampleFormat.Of(set);
        options.Require(format);
        this.set = set;
        loading = Loading(options, set, train) with { Damaged = damaged.Enqueue };
        loader = new BatchLoader(set, loading);
        if (set is IImageSet images)
        {
            resident = new CudaDeviceVariable<byte>(images.Images.Length);
            HostCopy.ToDevice(device, resident.DevicePointer, images.Images.Span);
            device.Synchronize();
        }

        Format = format.Input(resident?.DevicePointer ?? default, train);
    }

    /// <summary>Steps, channels, height, width of a sample.</summary>
    public FrameShape Shape => set.Shape;

    /// <summary>Format of a batch's bytes.</summary>
    public InputFormat Format { get; }

    /// <summary>Samples.</summary>
    public int Count => set.Count;

    /// <summary>Classes.</summary>
    public int Classes => set.Classes;

    /// <summary>Bytes that stay on the device.</summary>
    public long DeviceBytes => resident is null ? 0 : (long)(ulong)resident.SizeInBytes;

    /// <summary>Batches in each epoch.</summary>
    public int BatchesPerEpoch => loader.BatchesPerEpoch;

    /// <summary>Sizes that batches have: the batch size, and that of the last if it is smaller.</summary>
    public IReadOnlyCollection<int> BatchSizes => loading.DropLast || set.Count % loading.BatchSize == 0
        ? [loading.BatchSize]
        : [loading.BatchSize, set.Count % loading.BatchSize];

    /// <summary>Begins an epoch.</summary>
    /// <param name="epoch">Decides the order.</param>
    /// <param name="firstBatch">Where to begin.</param>
    public void Start(int epoch, int firstBatch = 0) => loader.Start(epoch, firstBatch);

    /// <summary>The next batch, or null at the end of the epoch.</summary>
    public Batch? Next() => loader.Next();

    /// <summary>A loader for whole batches of another size, in the same orders; the epoch that runs here is not touched.</summary>
    /// <param name="batch">Samples a batch, as many as the set has at most.</param>
    internal BatchLoader Loader(int batch) =>
        new(set, loading with { BatchSize = batch, DropLast = true, Damaged = null, Prefetch = 1 });

    /// <summary>The next message about a sample that was left out, if there is one.</summary>
    /// <param name="message">One line.</param>
    internal bool TryNextDamaged([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? message) =>
        damaged.TryDequeue(out message);

    /// <summary>A batch's input bytes: its frames, or the indices of its images.</summary>
    /// <param name="batch">The batch.</param>
    public ReadOnlySpan<byte> Input(Batch batch) => resident is null ? batch.Frames : MemoryMarshal.AsBytes(batch.Indices);

    /// <inheritdoc/>
    public void Dispose()
    {
        loader.Dispose();
        resident?.Dispose();
    }

    /// <summary>How batches are made of a data set.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="set">The data set.</param>
    /// <param name="train">True: in a new order each epoch; there must be a whole batch.</param>
    /// <exception cref="SlttException">The training set is smaller than a batch.</exception>
    internal static BatchLoaderOptions Loading(TrainingOptions options, IDataSet set, bool train) => new()
    {
        BatchSize = !train || options.BatchSize <= set.Count
            ? Math.Min(options.BatchSize, set.Count)
            : throw new SlttException(
                ErrorKind.Usage, $"-b {options.BatchSize} is more than the {set.Count} training samples", "take a smaller batch"),
        Shuffle = train,
        Seed = options.Seed,
        DropLast = train && options.DropLast,
        ReplaceDamaged = train,
        Workers = Math.Max(1, options.Workers),
    };
}
