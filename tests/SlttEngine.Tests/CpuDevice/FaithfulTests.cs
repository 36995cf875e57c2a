using static SlttEngine.Tests.CpuDevice.CpuDriver;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>Threads, warps and barriers of the faithful mode.</summary>
internal sealed class FaithfulTests() : CpuDeviceTest(Faithful)
{
    private static readonly int[] Lanes = [.. Enumerable.Range(0, 32)];

    [TestCase(1)]
    [TestCase(33)]
    [TestCase(256)]
    [TestCase(1024)]
    public void ABarrierOrdersSharedMemory(int block)
    {
        const int Grid = 3;
        ulong x = Upload(Range(Grid * block)), y = Allocate(Grid * block * 4);
        Ok(Launch(Kernel("test_reverse"), Grid, (uint)block, 0, y, x));
        Assert.That(Download<float>(y, Grid * block),
            Is.EqualTo(Range(Grid).SelectMany(b => Range(block).Select(t => (b * block) + block - 1 - t))));
    }

    [Test]
    public void AMissingBarrierShows()
    {
        ulong x = Upload(Range(256)), y = Allocate(1024);
        Ok(Launch(Kernel("test_reverse_race"), 1, 256, 0, y, x));
        float[] got = Download<float>(y, 256);
        Assert.That(got.Count(float.IsNaN), Is.InRange(1, 255));
    }

    [Test]
    public void SharedMemoryStartsAsNaNInEachBlock()
    {
        ulong y = Allocate(256);
        Ok(Launch(Kernel("test_shared_unwritten"), 5, 64, 0, y));
        Assert.That(Download<float>(y, 64), Is.All.NaN);
    }

    [TestCase("test_divergent_barrier", 32u, "16 of 32 threads wait at __syncthreads")]
    [TestCase("test_two_barriers", 32u, "divergent barrier: threads wait at __syncthreads in ")]
    [TestCase("test_mask_without_caller", 32u, "lane 3 calls with mask 0xfffffff7, which does not name it")]
    public void ThreadsThatDoNotMeetFailTheLaunch(string kernel, uint block, string message)
    {
        ulong y = Allocate(4096);
        Ok(Launch(Kernel(kernel), 2, block, 0, y));
        Expect(cuCtxSynchronize(), Result.LaunchFailed);
        Assert.That(LastMessage, Does.Contain(kernel).And.Contain(message).And.Contain("test_kernels.cu:"));
        Ok(cuCtxSynchronize());
    }

    [Test]
    public void AThreadThatReturnedCountsAsArrived()
    {
        ulong y = Upload(new float[100]);
        Ok(Launch(Kernel("test_early_return"), 1, 100, 0, y));
        Assert.That(Download<float>(y, 100), Is.EqualTo(Enumerable.Repeat(1f, 50).Concat(Enumerable.Repeat(0f, 50))));
    }

    [Test]
    public void ALaneThatReturnedHasNoValue()
    {
        ulong y = Upload(new float[32]);
        Ok(Launch(Kernel("test_shuffle_returned"), 1, 32, 0, y));
        float[] got = Download<float>(y, 32);
        Assert.That(got[5], Is.Zero);
        Assert.That(got.Where((_, i) => i != 5), Is.All.NaN);
    }

    [Test]
    public void WarpsShuffleAndVoteAsCudaSays()
    {
        ulong y = Allocate(8 * 32 * 4);
        Ok(Launch(Kernel("test_warp"), 1, 32, 0, y));
        float[][] got = [.. Download<float>(y, 256).Chunk(32)];
        Assert.Multiple(() =>
        {
            Assert.That(got[0], Is.All.EqualTo(105f), "shfl");
            Assert.That(got[1], Is.EqualTo(Lanes.Select(l => 100f + (l / 8 * 8) + 3)), "shfl, width 8");
            Assert.That(got[2], Is.EqualTo(Lanes.Select(l => 100f + (l % 16 >= 3 ? l - 3 : l))), "shfl_up, width 16");
            Assert.That(got[3], Is.EqualTo(Lanes.Select(l => 100f + (l % 16 <= 12 ? l + 3 : l))), "shfl_down, width 16");
            Assert.That(got[4], Is.EqualTo(Lanes.Select(l => 100f + (l ^ 9))), "shfl_xor");
            Assert.That(got[5], Is.All.EqualTo(11f), "ballot of every third lane");
            Assert.That(got[6], Is.All.EqualTo(1f), "any, not all");
            Assert.That(got[7], Is.EqualTo(Lanes.Select(l => l < 12 ? 111f : -1f)), "shfl of 12 lanes");
        });
    }

    [Test]
    public void BlocksRunInShuffledOrderEachOnce()
    {
        const int Blocks = 64;
        int[] First() => Order(Blocks);
        int[] first = First(), second = First();
        Assert.Multiple(() =>
        {
            Assert.That(first, Is.EquivalentTo(Enumerable.Range(0, Blocks)));
            Assert.That(first, Is.Not.Ordered);
            Assert.That(second, Is.EquivalentTo(first).And.Not.EqualTo(first), "another order at each launch");
        });
    }

    private int[] Order(int blocks)
    {
        ulong order = Allocate(blocks * 4), count = Upload(new int[1]);
        Ok(Launch(Kernel("test_block_order"), (uint)blocks, 32, 0, order, count));
        return Download<int>(order, blocks);
    }
}
