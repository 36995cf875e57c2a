using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Data;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>One part of a data set as an engine takes it: its batches, and the format of their bytes.</summary>
public sealed class TrainingData : IDisposable
{
    private readonly IDataSet set;
    private readonly BatchLoader loader;
    private readonly CudaDeviceVariable<byte>? resident;
    private readonly int batchSize;
    private readonly bool dropLast;

    /// <summary>Opens it; images that stay on the device are copied there.</summary>
    /// <param name="device">The device.</param>
    /// <param name="set">The samples.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="train">True: shuffled and augmented.</param>
    /// <param name="dropLast">Leave out a smaller last batch.</param>
    public TrainingData(ComputeDevice device, IDataSet set, TrainOptions options, bool train, bool dropLast)
    {
        (this.set, this.dropLast) = (set, dropLast);
        BatchLoaderOptions loading = RunData.Loading(options, set, train, dropLast);
        batchSize = loading.BatchSize;
        loader = new BatchLoader(set, loading);
        if (set is IImageSet images)
        {
            resident = new CudaDeviceVariable<byte>(images.Images.Length);
            HostCopy.ToDevice(device, resident.DevicePointer, images.Images.Span);
            device.Synchronize();
        }

        Shape = RunData.Shape(set);
        Format = RunData.Format(set, resident?.DevicePointer ?? default, train);
    }

    /// <summary>Steps, channels, height, width of a sample.</summary>
    public FrameShape Shape { get; }

    /// <summary>Format of a batch's bytes.</summary>
    public InputFormat Format { get; }

    /// <summary>Samples.</summary>
    public int Count => set.Count;

    /// <summary>Classes.</summary>
    public int Classes => set.ClassNames.Count;

    /// <summary>Bytes that stay on the device.</summary>
    public long DeviceBytes => resident is null ? 0 : (long)(ulong)resident.SizeInBytes;

    /// <summary>Batches in each epoch.</summary>
    public int BatchesPerEpoch => loader.BatchesPerEpoch;

    /// <summary>Sizes that batches have: the batch size, and that of the last if it is smaller.</summary>
    public IReadOnlyCollection<int> BatchSizes => dropLast || set.Count % batchSize == 0 ? [batchSize] : [batchSize, set.Count % batchSize];

    /// <summary>Begins an epoch.</summary>
    /// <param name="epoch">Decides the order.</param>
    /// <param name="firstBatch">Where to begin.</param>
    public void Start(int epoch, int firstBatch = 0) => loader.Start(epoch, firstBatch);

    /// <summary>The next batch, or null at the end of the epoch.</summary>
    public Batch? Next() => loader.Next();

    /// <summary>A batch's bytes as an engine takes them: its frames, or which images it takes.</summary>
    /// <param name="batch">The batch.</param>
    public ReadOnlySpan<byte> Input(Batch batch) => resident is null ? batch.Frames : MemoryMarshal.AsBytes(batch.Indices);

    /// <inheritdoc/>
    public void Dispose()
    {
        loader.Dispose();
        (set as IDisposable)?.Dispose();
        resident?.Dispose();
    }
}
