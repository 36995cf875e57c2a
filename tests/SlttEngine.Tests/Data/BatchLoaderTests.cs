using SlttEngine.Data;

namespace SlttEngine.Tests.Data;

/// <summary>The order of epochs, and batches prepared by threads.</summary>
public sealed class BatchLoaderTests
{
    [Test]
    public void Philox_gives_the_published_numbers()
    {
        // Known answers of Random123, kat_vectors, philox4x32 10.
        Assert.That(Philox.Block(0, 0, 0), Is.EqualTo((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)));
        Assert.That(
            Philox.Block(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue), Is.EqualTo((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)));
        Assert.That(
            Philox.Block(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e),
            Is.EqualTo((0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)));
    }

    [Test]
    public void Random_numbers_have_their_distribution()
    {
        Philox random = new Philox(7, 3);
        double[] normal = [.. Enumerable.Range(0, 100_000).Select(_ => random.NextNormal())];
        Assert.That(normal.Average(), Is.EqualTo(0).Within(0.02));
        Assert.That(normal.Average(x => x * x), Is.EqualTo(1).Within(0.03));
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            counts[random.NextBelow(7)]++;
        }

        Assert.That(counts, Is.All.InRange(9_600, 10_400));
    }

    [Test]
    public void An_epochs_order_depends_on_seed_and_epoch_alone()
    {
        int[] order = EpochOrder.Shuffled(1000, 2022, 5);
        Assert.That(order, Is.EqualTo(EpochOrder.Shuffled(1000, 2022, 5)));
        Assert.That(order.Order(), Is.EqualTo(Enumerable.Range(0, 1000)));
        Assert.That(order, Is.Not.EqualTo(EpochOrder.Shuffled(1000, 2022, 6)));
        Assert.That(order, Is.Not.EqualTo(EpochOrder.Shuffled(1000, 2023, 5)));
        Assert.That(EpochOrder.Shuffled(1, 0, 0), Is.EqualTo(new[] { 0 }));
        Assert.That(EpochOrder.Draw(1, 2), Is.Not.EqualTo(EpochOrder.Draw(2, 1)));

        // Every order of three equally often.
        int[] seen = new int[6];
        for (int epoch = 0; epoch < 6000; epoch++)
        {
            int[] o = EpochOrder.Shuffled(3, 1, epoch);
            seen[(o[0] * 2) + (o[1] > o[2] ? 1 : 0)]++;
        }

        Assert.That(seen, Is.All.InRange(880, 1120));
    }

    [Test]
    public void Batches_hold_the_right_samples_whatever_the_threads_do()
    {
        Fake set = new Fake(23) { Slow = true };
        foreach (int workers in (int[])[1, 4])
        {
            using BatchLoader loader = new BatchLoader(
                set, new BatchLoaderOptions { BatchSize = 5, Shuffle = true, Seed = 9, Workers = workers, Prefetch = 3 });
            Assert.That(loader.BatchesPerEpoch, Is.EqualTo(5));
            for (int epoch = 0; epoch < 3; epoch++)
            {
                int[] order = EpochOrder.Shuffled(23, 9, epoch);
                loader.Start(epoch);
                for (int b = 0; b < 5; b++)
                {
                    Batch batch = loader.Next()!;
                    Assert.That(batch.Index, Is.EqualTo(b));
                    Assert.That(batch.Count, Is.EqualTo(b == 4 ? 3 : 5));
                    Assert.That(batch.Indices.ToArray(), Is.EqualTo(order[(5 * b)..Math.Min(23, 5 * (b + 1))]));
                    set.Check(batch, EpochOrder.Draw(9, epoch));
                }

                Assert.That(loader.Next(), Is.Null);
                Assert.That(loader.Next(), Is.Null);
            }
        }
    }

    [Test]
    public void An_epoch_can_be_entered_anywhere_and_left_at_any_time()
    {
        Fake set = new Fake(40);
        using BatchLoader loader = new BatchLoader(
            set, new BatchLoaderOptions { BatchSize = 4, Shuffle = true, Seed = 1, DropLast = true });
        for (int first = 0; first <= 10; first++)
        {
            loader.Start(2, first);
            int[] order = EpochOrder.Shuffled(40, 1, 2);
            if (first < 10)
            {
                Assert.That(loader.Next()!.Indices.ToArray(), Is.EqualTo(order[(4 * first)..((4 * first) + 4)]));
            }
            else
            {
                Assert.That(loader.Next(), Is.Null);
            }
        }
    }

    [Test]
    public void Damaged_samples_are_left_out_or_replaced()
    {
        Fake set = new Fake(20) { Damaged = [3, 7, 8] };
        List<string> reported = [];
        using (BatchLoader loader = new BatchLoader(set, new BatchLoaderOptions { BatchSize = 5, Workers = 1, Damaged = reported.Add }))
        {
            loader.Start(0);
            Batch first = loader.Next()!;
            Assert.That(first.Indices.ToArray(), Is.EqualTo(new[] { 0, 1, 2, 4 }));
            set.Check(first, EpochOrder.Draw(0, 0));
            Assert.That(loader.Next()!.Indices.ToArray(), Is.EqualTo(new[] { 5, 6, 9 }));
            loader.Start(1);
            loader.Next();
            loader.Next();
            Assert.That(
                reported, Is.EqualTo(new[] { "sample 3: damaged", "sample 7: damaged", "sample 8: damaged" }),
                "each of them when it is first met");
        }

        using (BatchLoader loader = new BatchLoader(set, new BatchLoaderOptions { BatchSize = 5, ReplaceDamaged = true }))
        {
            loader.Start(0);
            Batch first = loader.Next()!;
            Assert.That(first.Count, Is.EqualTo(5));
            Assert.That(first.Indices[3], Is.Not.EqualTo(3));
            set.Check(first, EpochOrder.Draw(0, 0));
            int[] replaced = first.Indices.ToArray();
            loader.Start(0);
            Assert.That(loader.Next()!.Indices.ToArray(), Is.EqualTo(replaced));
        }

        using (
            BatchLoader loader = new BatchLoader(
            new Fake(20) { Damaged = [.. Enumerable.Range(0, 20)] }, new BatchLoaderOptions { BatchSize = 5, ReplaceDamaged = true }))
        {
            loader.Start(0);
            Assert.Throws<SlttException>(() => loader.Next());
        }
    }

    [Test]
    public void A_workers_error_surfaces_where_the_batch_is_taken()
    {
        using BatchLoader loader = new BatchLoader(new Fake(20) { Broken = 12 }, new BatchLoaderOptions { BatchSize = 5 });
        loader.Start(0);
        Assert.That(loader.Next()!.Index, Is.Zero);
        Assert.That(loader.Next()!.Index, Is.EqualTo(1));
        Assert.That(Assert.Throws<SlttException>(() => loader.Next())!.Message, Does.Contain("sample 12 of Fake").And.Contain("broken"));
        Assert.That(loader.Next()!.Index, Is.EqualTo(3));
        Assert.That(loader.Next(), Is.Null);
    }

    [Test]
    public void A_batch_larger_than_the_data_is_refused_when_it_would_be_dropped()
    {
        SlttException error = Assert.Throws<SlttException>(
            () => new BatchLoader(new Fake(3), new BatchLoaderOptions { BatchSize = 4, DropLast = true }).Dispose())!;
        Assert.That(error.Message, Does.Contain("3 samples").And.Contain("batch of 4"));
        using BatchLoader loader = new BatchLoader(new Fake(3), new BatchLoaderOptions { BatchSize = 4 });
        loader.Start(0);
        Assert.That(loader.Next()!.Count, Is.EqualTo(3));
    }

    [Test]
    public void A_label_that_is_no_class_is_refused()
    {
        SlttException error = Assert.Throws<SlttException>(
            () => new BatchLoader(new Fake(9) { Classes = 2 }, new BatchLoaderOptions { BatchSize = 4 }).Dispose())!;
        Assert.That(error.Message, Is.EqualTo("sample 2 of 9 (Fake) has label 2, but labels go from 0 to 1 (2 classes)"));
    }

    [Test]
    [NonParallelizable]
    public void Nothing_is_allocated_per_batch()
    {
        using BatchLoader loader = new BatchLoader(new Fake(4000), new BatchLoaderOptions { BatchSize = 4 });
        loader.Start(0);
        for (int i = 0; i < 100; i++)
        {
            loader.Next();
        }

        // The count is the whole process's, and the test runner allocates beside it now and then: the least of a few passes is the
        // loader's.
        long least = long.MaxValue;
        for (int pass = 0; pass < 4; pass++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 200; i++)
            {
                loader.Next();
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.That(least, Is.LessThan(64 * 200), "a batch's buffers alone are 96 bytes");
    }

    /// <summary>Samples of 3 steps, (2, 1, 2) bytes, that say index, step and place.</summary>
    private sealed class Fake(int count) : IFrameSet
    {
        internal bool Slow { get; init; }

        internal int[] Damaged { get; init; } = [];

        internal int Broken { get; init; } = -1;

        public int Count => count;

        public int Classes { get; init; } = 3;

        public FrameShape Shape => new(3, 2, 1, 2);

        public int Label(int index) => index % 3;

        public void Read(int index, ulong draw, Span<byte> frames)
        {
            if (Slow)
            {
                Thread.Sleep((index * 7) % 5);
            }

            if (index == Broken)
            {
                throw new InvalidOperationException("broken on purpose");
            }

            for (int i = 0; i < frames.Length; i++)
            {
                frames[i] = Value(index, i, draw);
            }

            if (Damaged.Contains(index))
            {
                throw new DamagedSampleException($"sample {index}: damaged");
            }
        }

        internal void Check(Batch batch, ulong draw)
        {
            Assert.That(batch.Frames.Length, Is.EqualTo(3 * batch.Count * 4));
            for (int t = 0; t < 3; t++)
            {
                for (int n = 0; n < batch.Count; n++)
                {
                    for (int i = 0; i < 4; i++)
                    {
                        byte expected = Value(batch.Indices[n], (4 * t) + i, draw);
                        Assert.That(batch.Frames[(((t * batch.Count) + n) * 4) + i], Is.EqualTo(expected), $"{t} {n} {i}");
                    }

                    Assert.That(batch.Labels[n], Is.EqualTo(batch.Indices[n] % 3));
                }
            }
        }

        private static byte Value(int index, int i, ulong draw) => (byte)((index * 13) + i + (int)(draw % 251));
    }
}
