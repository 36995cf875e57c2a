using System.Globalization;
using static SlttEngine.Tests.CpuDevice.CpuDriver;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>What the faithful mode finds: stray writes, stale and unwritten memory, missing waits.</summary>
internal sealed unsafe class StrictTests() : CpuDeviceTest(Faithful)
{
    [Test]
    public void FreshMemoryIsNaNInEveryType()
    {
        ulong p = Allocate(64);
        Assert.Multiple(() =>
        {
            Assert.That(Download<float>(p, 16), Is.All.NaN);
            Assert.That(Download<double>(p, 8), Is.All.NaN);
            Assert.That(Download<Half>(p, 32).Select(h => (double)h), Is.All.NaN);
            Assert.That(Download<ushort>(p, 32).Select(b => BitConverter.UInt32BitsToSingle((uint)b << 16)), Is.All.NaN);
        });
    }

    [TestCase(100, "past the end", "bytes 100 to 103")]
    [TestCase(98, "past the end", "bytes 100 to 101")]
    [TestCase(4095, "past the end", "bytes 4095 to 4098")]
    [TestCase(-4, "before the start", "bytes -4 to -1")]
    [TestCase(-2, "before the start", "bytes -2 to -1")]
    public void AStrayWriteIsFoundAtTheNextWait(int at, string where, string bytes)
    {
        ulong p = Upload(new byte[100]);
        Ok(Launch(Kernel("test_poke"), 1, 1, 0, p, (ulong)(long)at, Word(1)));
        Expect(cuCtxSynchronize(), Result.IllegalAddress);
        string address = "0x" + p.ToString("x", CultureInfo.InvariantCulture);
        Assert.That(LastMessage, Does.Contain(where).And.Contain(bytes).And.Contain("of 100 bytes").And.Contain(address));
        Ok(cuCtxSynchronize());
    }

    [Test]
    public void AStrayWriteIsFoundAtTheFree()
    {
        ulong p = Allocate(100);
        Ok(Launch(Kernel("test_poke"), 1, 1, 0, p, 100, Word(1)));
        Expect(cuMemFree_v2(p), Result.IllegalAddress);
        Expect(cuMemFree_v2(p), Result.InvalidValue);
    }

    [Test]
    public void AWriteInsideIsNoOverrun()
    {
        ulong p = Upload(new byte[100]);
        Ok(Launch(Kernel("test_poke"), 1, 1, 0, p, 96, Word(1)));
        Ok(cuCtxSynchronize());
        Assert.That(Download<float>(p + 96, 1)[0], Is.EqualTo(1f));
    }

    [Test]
    public void AReadBesideAnAllocationGivesNaN([Values(-8, 64, 66)] int at)
    {
        ulong p = Upload(new float[16]), value = Allocate(4);
        Ok(Launch(Kernel("test_peek"), 1, 1, 0, value, p, (ulong)(long)at));
        Assert.That(Download<float>(value, 1)[0], Is.NaN);
    }

    [Test]
    public void AnAddressFarOffIsNamed([Values(1 << 20, -(1 << 20))] int at)
    {
        ulong p = Allocate(100);
        Ok(Launch(Kernel("test_poke"), 1, 64, 0, p, (ulong)(long)at, Word(1)));
        Expect(cuCtxSynchronize(), Result.IllegalAddress);
        Assert.That(LastMessage, Does.Contain("test_poke, block (0,0,0), thread (0,0,0): access to 0x"));
    }

    [Test]
    public void FreedMemoryIsNeverGivenOutAgainAndItsUseIsFound()
    {
        ulong gone = Allocate(4096);
        Ok(cuMemFree_v2(gone));
        ulong anchor = Allocate(4096);
        Assert.That(anchor, Is.Not.EqualTo(gone));
        Ok(Launch(Kernel("test_poke"), 1, 1, 0, anchor, gone - anchor, Word(1)));
        Expect(cuCtxSynchronize(), Result.IllegalAddress);
        Assert.That(LastMessage, Does.Contain("in freed allocation 0x" + gone.ToString("x", CultureInfo.InvariantCulture)));
    }

    [Test]
    public void TheHostCannotReadDeviceMemory()
    {
        ulong p = Upload(Range(100));
        Ok(cuCtxSynchronize());
        string mapping = File.ReadLines("/proc/self/maps").First(line =>
        {
            ulong[] range =
                [.. line.Split(' ')[0].Split('-').Select(s => ulong.Parse(s, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            return p >= range[0] && p < range[1];
        });
        Assert.That(mapping.Split(' ')[1], Is.EqualTo("---p"));
    }

    [Test]
    public void WorkWaitsUntilItIsWaitedFor()
    {
        nint stream = NewStream();
        ulong p = Upload(new float[4]);
        Ok(cuMemHostAlloc(out nint pinned, 16, 0));
        float* host = (float*)pinned;
        host[0] = 7;
        Ok(Launch(Kernel("test_add"), 1, 32, stream, p, p, Word(1), 4));
        Ok(cuMemcpyDtoHAsync_v2(host, p, 16, stream));
        Assert.That(host[0], Is.EqualTo(7f), "nothing has waited");
        Ok(cuStreamSynchronize(stream));
        Assert.That(host[0], Is.EqualTo(1f));
        Ok(cuMemFreeHost(pinned));
    }

    [Test]
    public void PinnedMemoryIsReadWhenTheCopyRunsOtherMemoryAtTheCall()
    {
        nint stream = NewStream();
        ulong p = Allocate(8);
        Ok(cuMemHostAlloc(out nint pinned, 4, 0));
        float pageable = 1;
        *(float*)pinned = 1;
        Ok(cuMemcpyHtoDAsync_v2(p, (void*)pinned, 4, stream));
        Ok(cuMemcpyHtoDAsync_v2(p + 4, &pageable, 4, stream));
        pageable = *(float*)pinned = 2;
        Ok(cuStreamSynchronize(stream));
        Assert.That(Download<float>(p, 2), Is.EqualTo(new[] { 2f, 1f }));
    }

    [Test]
    public void ACopyIntoPageableMemoryIsThereWhenTheCallReturns()
    {
        nint stream = NewStream();
        ulong p = Upload(new float[1]);
        float got = -1;
        Ok(Launch(Kernel("test_add"), 1, 1, stream, p, p, Word(1), 1));
        Ok(cuMemcpyDtoHAsync_v2(&got, p, 4, stream));
        Assert.That(got, Is.EqualTo(1f));
    }

    [Test]
    public void OtherStreamsWorkOnlyHasHappenedWhereItWasWaitedFor()
    {
        nint first = NewStream(), second = NewStream(), done = NewEvent();
        ulong p = Upload(new float[1]), q = Upload(new float[1]);
        nint add = Kernel("test_add");
        Ok(Launch(add, 1, 1, first, p, p, Word(1), 1));
        Ok(cuMemcpyDtoDAsync_v2(q, p, 4, second));
        Ok(cuStreamSynchronize(second));
        Assert.That(Download<float>(q, 1)[0], Is.Zero, "the missing wait shows");
        Ok(Launch(add, 1, 1, first, p, p, Word(1), 1));
        Ok(cuEventRecord(done, first));
        Ok(Launch(add, 1, 1, first, p, p, Word(100), 1));
        Ok(cuStreamWaitEvent(second, done, 0));
        Ok(cuMemcpyDtoDAsync_v2(q, p, 4, second));
        Ok(cuStreamSynchronize(second));
        Assert.That(Download<float>(q, 1)[0], Is.EqualTo(2f));
    }

    [Test]
    public void ACopyWithoutAStreamWaitsForTheDefaultStreamOnly()
    {
        nint stream = NewStream();
        ulong p = Upload(new float[2]);
        nint add = Kernel("test_add");
        Ok(Launch(add, 1, 1, 0, p, p, Word(1), 1));
        Ok(Launch(add, 1, 1, stream, p + 4, p + 4, Word(1), 1));
        Assert.That(Download<float>(p, 2), Is.EqualTo(new[] { 1f, 0f }));
        Ok(cuCtxSynchronize());
        Assert.That(Download<float>(p, 2), Is.EqualTo(new[] { 1f, 1f }));
    }

    [Test]
    public void WorkAfterAFailureDoesNotRun()
    {
        nint stream = NewStream();
        ulong p = Upload(new float[1]);
        Ok(Launch(Kernel("test_poke"), 1, 1, stream, 0, 8, Word(1)));
        Ok(Launch(Kernel("test_add"), 1, 1, stream, p, p, Word(1), 1));
        Expect(cuStreamSynchronize(stream), Result.IllegalAddress);
        Ok(cuStreamSynchronize(stream));
        Assert.That(Download<float>(p, 1)[0], Is.Zero);
    }
}
