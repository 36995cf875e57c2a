using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace SlttEngine.Data;

/// <summary>How a <see cref="BatchLoader"/> makes batches.</summary>
public sealed record BatchLoaderOptions
{
    /// <summary>Samples a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>A new random order each epoch (<see cref="EpochOrder"/>); else the set's own order.</summary>
    public bool Shuffle { get; init; }

    /// <summary>Of the order and of random augmentation.</summary>
    public long Seed { get; init; }

    /// <summary>Leave out the last batch of an epoch if it is smaller.</summary>
    public bool DropLast { get; init; }

    /// <summary>Put another sample, drawn from seed and epoch, in the place of a damaged one; else the batch gets smaller by it.</summary>
    public bool ReplaceDamaged { get; init; }

    /// <summary>Receives the message of each damaged sample when it is first met, from any thread.</summary>
    public Action<string>? Damaged { get; init; }

    /// <summary>Threads that prepare batches.</summary>
    public int Workers { get; init; } = 4;

    /// <summary>Batches that may be ready or in preparation at the same time; each has its own buffer.</summary>
    public int Prefetch { get; init; } = 4;
}

/// <summary>A batch as the loader hands it out. Valid until the next one is asked for: its buffers are reused.</summary>
public sealed class Batch
{
    private readonly byte[] frames;
    private readonly int[] labels;
    private readonly int[] indices;

    internal Batch(int capacity, int sampleBytes)
    {
        frames = GC.AllocateUninitializedArray<byte>(checked(capacity * sampleBytes), pinned: true);
        labels = new int[capacity];
        indices = new int[capacity];
    }

    /// <summary>Its place in the epoch, from 0.</summary>
    public int Index { get; internal set; }

    /// <summary>The samples in it.</summary>
    public int Count { get; internal set; }

    /// <summary>The class of each sample.</summary>
    public ReadOnlySpan<int> Labels => labels.AsSpan(0, Count);

    /// <summary>The index of each sample in the set.</summary>
    public ReadOnlySpan<int> Indices => indices.AsSpan(0, Count);

    /// <summary>
    /// The elements (steps, <see cref="Count"/>, channels, height, width) as raw bytes; empty for an <see cref="IImageSet"/>.
    /// </summary>
    public ReadOnlySpan<byte> Frames => frames.AsSpan(0, FrameBytes);

    internal int FrameBytes { get; set; }

    internal byte[] FrameBuffer => frames;

    internal int[] LabelBuffer => labels;

    internal int[] IndexBuffer => indices;
}

/// <summary>
/// Prepares the batches of an epoch ahead, in background threads, and hands them out in order. The order and the content depend on
/// the options, the epoch and the batch's index alone, never on the threads, so an epoch can be entered at any batch.
/// </summary>
/// <remarks>For use by one thread. Nothing is allocated per batch.</remarks>
public sealed class BatchLoader : IDisposable
{
    private readonly IDataSet set;
    private readonly IFrameSet? frames;
    private readonly int frameBytes;
    private readonly BatchLoaderOptions options;
    private readonly ConcurrentDictionary<int, byte> damaged = [];
    private readonly Lock gate = new();
    private readonly SemaphoreSlim work = new(0);
    private readonly ManualResetEventSlim ready = new();
    private readonly Thread[] threads;
    private readonly Stack<Batch> free = [];
    private readonly Dictionary<int, (Batch? Batch, ExceptionDispatchInfo? Error)> done = [];

    private int[] order = [];
    private ulong draw;
    private int generation;
    private int nextToPrepare;
    private int nextToHandOut;
    private int last;
    private Batch? lent;
    private volatile bool stopped;

    /// <summary>Starts the threads; they wait for <see cref="Start"/>.</summary>
    /// <param name="set">An <see cref="IFrameSet"/>, or an <see cref="IImageSet"/>, of which batches hold indices and labels only.</param>
    /// <param name="options">How to make batches.</param>
    /// <exception cref="SlttException">
    /// A label is no class; or no batch can be made: the set is empty, or smaller than a batch and the last is dropped.
    /// </exception>
    public BatchLoader(IDataSet set, BatchLoaderOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Prefetch, 1);
        ClassLabels.Check(set);
        this.set = set;
        frames = set as IFrameSet;
        frameBytes = frames is null ? 0 : checked(frames.Shape.FrameLength * frames.Element.Size());
        this.options = options;
        BatchesPerEpoch = options.DropLast ? set.Count / options.BatchSize
            : (int)(((long)set.Count + options.BatchSize - 1) / options.BatchSize);
        if (BatchesPerEpoch == 0)
        {
            throw new SlttException(
                ErrorKind.Data, $"{set.Count} samples do not fill one batch of {options.BatchSize}", "choose a smaller batch (-b)");
        }

        int sampleBytes = frames is null ? 0 : checked(frames.Shape.Steps * frameBytes);
        int buffers = Math.Min(options.Prefetch, BatchesPerEpoch) + 1;  // one more is lent to the consumer
        for (int i = 0; i < buffers; i++)
        {
            free.Push(new Batch(Math.Min(options.BatchSize, set.Count), sampleBytes));
        }

        threads = new Thread[Math.Min(options.Workers, buffers)];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work) { IsBackground = true, Name = $"sltt data {i}" };
            threads[i].Start();
        }
    }

    /// <summary>Batches in each epoch.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>Begins to prepare an epoch, and drops the rest of another one.</summary>
    /// <param name="epoch">Decides the order.</param>
    /// <param name="firstBatch">The batch to begin with: 0, or where a run stopped.</param>
    public void Start(int epoch, int firstBatch = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        int[] order = options.Shuffle ? EpochOrder.Shuffled(set.Count, options.Seed, epoch) : EpochOrder.Sequential(set.Count);
        lock (gate)
        {
            generation++;
            foreach ((Batch? batch, _) in done.Values)
            {
                Free(batch);
            }

            done.Clear();
            Free(lent);
            lent = null;
            this.order = order;
            draw = EpochOrder.Draw(options.Seed, epoch);
            nextToPrepare = nextToHandOut = Math.Min(firstBatch, BatchesPerEpoch);
            last = BatchesPerEpoch;
            Wake();
        }
    }

    /// <summary>The next batch, waiting for it if need be; null at the end of the epoch. The batch before becomes invalid.</summary>
    /// <exception cref="SlttException">A sample of this batch could not be read.</exception>
    public Batch? Next()
    {
        while (true)
        {
            lock (gate)
            {
                if (lent is not null)
                {
                    Free(lent);
                    lent = null;
                    Wake();
                }

                if (nextToHandOut >= last)
                {
                    return null;
                }

                if (done.Remove(nextToHandOut, out (Batch? Batch, ExceptionDispatchInfo? Error) result))
                {
                    nextToHandOut++;
                    if (result.Error is null)
                    {
                        return lent = result.Batch!;
                    }

                    Free(result.Batch);
                    Wake();
                    if (result.Error.SourceException is not SlttException)
                    {
                        throw new SlttException(
                            ErrorKind.Data, $"cannot prepare batch {nextToHandOut - 1}: {result.Error.SourceException.Message}",
                            inner: result.Error.SourceException);
                    }

                    result.Error.Throw();
                }

                ready.Reset();
            }

            ready.Wait();
        }
    }

    /// <summary>Stops the threads.</summary>
    public void Dispose()
    {
        stopped = true;
        work.Release(threads.Length);
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        work.Dispose();
        ready.Dispose();
    }

    private void Free(Batch? batch)
    {
        if (batch is not null)
        {
            free.Push(batch);
        }
    }

    /// <summary>One permit for each free buffer; a thread that finds nothing to do goes back to waiting.</summary>
    private void Wake()
    {
        int missing = Math.Min(free.Count, threads.Length) - work.CurrentCount;
        if (missing > 0)
        {
            work.Release(missing);
        }
    }

    private void Work()
    {
        byte[] sample = frames is null ? [] : GC.AllocateUninitializedArray<byte>(frames.Shape.Steps * frameBytes);
        while (true)
        {
            work.Wait();
            while (!stopped && TryClaim(out Batch? batch, out int index, out int[] order, out ulong draw, out int generation))
            {
                ExceptionDispatchInfo? error = null;
                try
                {
                    Fill(batch!, index, order, draw, sample);
                }
                catch (Exception e)
                {
                    error = ExceptionDispatchInfo.Capture(e);
                }

                lock (gate)
                {
                    if (generation == this.generation)
                    {
                        done[index] = (batch, error);
                        ready.Set();
                    }
                    else
                    {
                        Free(batch);
                    }
                }
            }

            if (stopped)
            {
                return;
            }
        }
    }

    private bool TryClaim(out Batch? batch, out int index, out int[] order, out ulong draw, out int generation)
    {
        lock (gate)
        {
            index = nextToPrepare;
            order = this.order;
            draw = this.draw;
            generation = this.generation;
            if (index >= last || !free.TryPop(out batch))
            {
                batch = null;
                return false;
            }

            nextToPrepare++;
            return true;
        }
    }

    private void Fill(Batch batch, int index, int[] order, ulong draw, byte[] sample)
    {
        int first = index * options.BatchSize;
        int wanted = Math.Min(options.BatchSize, order.Length - first);
        int steps = frames?.Shape.Steps ?? 0;
        int count = 0;
        for (int i = 0; i < wanted; i++)
        {
            int? readable = Read(order[first + i], draw, sample);
            if (readable is null)
            {
                continue;
            }

            batch.IndexBuffer[count] = readable.Value;
            batch.LabelBuffer[count] = CheckedSamples.Label(set, readable.Value);
            for (int t = 0; t < steps; t++)
            {
                sample.AsSpan(t * frameBytes, frameBytes).CopyTo(batch.FrameBuffer.AsSpan(((t * wanted) + count) * frameBytes));
            }

            count++;
        }

        Close(batch.FrameBuffer, steps, wanted, count, frameBytes);
        batch.Index = index;
        batch.Count = count;
        batch.FrameBytes = steps * count * frameBytes;
    }

    /// <summary>Reads a sample, or the one that stands in for it; null if it is left out.</summary>
    private int? Read(int index, ulong draw, byte[] sample)
    {
        if (TryRead(index, draw, sample))
        {
            return index;
        }

        if (!options.ReplaceDamaged)
        {
            return null;
        }

        Philox random = new Philox(draw, 0x5245_504c_0000_0000ul + (uint)index);  // "REPL"
        for (int attempt = 0; attempt < 100; attempt++)
        {
            int other = random.NextBelow(set.Count);
            if (TryRead(other, draw, sample))
            {
                return other;
            }
        }

        throw new SlttException(ErrorKind.Data, "no readable sample in a hundred tries: nearly all files of the data set are damaged");
    }

    private bool TryRead(int index, ulong draw, byte[] sample)
    {
        try
        {
            if (frames is not null)
            {
                CheckedSamples.Read(frames, index, draw, sample);
            }

            return true;
        }
        catch (DamagedSampleException e)
        {
            if (damaged.TryAdd(index, 0))
            {
                options.Damaged?.Invoke(e.Message);
            }

            return false;
        }
    }

    /// <summary>Closes the gaps that left-out samples leave between the steps.</summary>
    private static void Close(byte[] frames, int steps, int wanted, int count, int frameBytes)
    {
        for (int t = 1; t < steps && count < wanted; t++)
        {
            frames.AsSpan(t * wanted * frameBytes, count * frameBytes).CopyTo(frames.AsSpan(t * count * frameBytes));
        }
    }
}
