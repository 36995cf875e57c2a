using System.Globalization;
using static SlttEngine.Tests.CpuDevice.CpuDriver;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>Allocation, copies and fills: what is served, and every misuse by its right error.</summary>
[TestFixture(Fast)]
[TestFixture(Faithful)]
internal sealed unsafe class MemoryTests(int device) : CpuDeviceTest(device)
{
    [Test]
    public void AllocationsAreAlignedTo256Bytes([Values(1, 3, 255, 4097, 1 << 20, 40 << 20)] int bytes) =>
        Assert.That(Allocate(bytes) % 256, Is.Zero);

    [Test]
    public void ZeroBytesIsAnInvalidValue() => Expect(cuMemAlloc_v2(out _, 0), Result.InvalidValue);

    [Test]
    public void MoreThanTheMachineHasIsOutOfMemory()
    {
        Ok(cuDeviceTotalMem_v2(out nuint total, Device));
        Expect(cuMemAlloc_v2(out _, total + 1), Result.OutOfMemory);
        Expect(cuMemAlloc_v2(out _, nuint.MaxValue), Result.OutOfMemory);
    }

    [Test]
    public void FreeingTwiceOrAnInnerPointerIsAnInvalidValue()
    {
        ulong p = Allocate(1000);
        Expect(cuMemFree_v2(p + 256), Result.InvalidValue);
        Ok(cuMemFree_v2(p));
        Expect(cuMemFree_v2(p), Result.InvalidValue);
        Expect(cuMemFree_v2(12345), Result.InvalidValue);
        Ok(cuMemFree_v2(0));
    }

    [TestCase(0, 101)]
    [TestCase(1, 100)]
    [TestCase(-1, 1)]
    [TestCase(0, int.MaxValue)]
    public void CopiesOutOfAnAllocationAreInvalidValues(int offset, int bytes)
    {
        ulong p = Allocate(100) + (ulong)offset, other = Allocate(4000);
        byte[] host = new byte[4096];
        fixed (byte* h = host)
        {
            Expect(cuMemcpyHtoD_v2(p, h, (nuint)bytes), Result.InvalidValue);
            Expect(cuMemcpyDtoH_v2(h, p, (nuint)bytes), Result.InvalidValue);
        }

        Expect(cuMemcpyDtoDAsync_v2(p, other, (nuint)bytes, 0), Result.InvalidValue);
        Expect(cuMemcpyDtoDAsync_v2(other, p, (nuint)bytes, 0), Result.InvalidValue);
        Expect(cuMemsetD8Async(p, 1, (nuint)bytes, 0), Result.InvalidValue);
    }

    [Test]
    public void HostAndDevicePointersAreNotMixedUp()
    {
        ulong p = Allocate(64), q = Allocate(64);
        float value = 1;
        Expect(cuMemcpyHtoD_v2(p, null, 4), Result.InvalidValue);
        Expect(cuMemcpyHtoD_v2(p, (void*)q, 4), Result.InvalidValue);
        Expect(cuMemcpyDtoDAsync_v2(p, (ulong)(nint)(&value), 4, 0), Result.InvalidValue);
        Expect(cuMemsetD8Async((ulong)(nint)(&value), 0, 4, 0), Result.InvalidValue);
    }

    [Test]
    public void AnotherModesMemoryIsRefused()
    {
        ulong mine = Allocate(64);
        Ok(cuCtxCreate_v2(out nint other, 0, 1 - Device));
        ulong theirs = Allocate(64);
        Expect(cuMemcpyDtoDAsync_v2(theirs, mine, 64, 0), Result.InvalidValue);
        Ok(cuCtxDestroy_v2(other));
        Expect(cuMemFree_v2(theirs), Result.InvalidValue);  // it went with its context
    }

    [Test]
    public void CopiesArriveAtAllSizes([Values(1, 31, 4096, 1 << 20, (1 << 20) + 77, 9_000_001)] int bytes)
    {
        byte[] sent = new byte[bytes];
        new Random(bytes).NextBytes(sent);
        ulong p = Upload(sent), q = Allocate(bytes);
        Ok(cuMemcpyDtoDAsync_v2(q, p, (nuint)bytes, 0));
        Assert.That(Download<byte>(q, bytes).AsSpan().SequenceEqual(sent));
    }

    [Test]
    public void OverlappingCopiesMoveTheBytes()
    {
        ulong p = Upload(Range(3000));
        Ok(cuMemcpyDtoDAsync_v2(p + 400, p, 2000 * 4, 0));
        Assert.That(Download<float>(p, 3000), Is.EqualTo(Range(100).Concat(Range(2000)).Concat(Range(3000).Skip(2100))));
    }

    [Test]
    public void FillsWriteTheirPatternAndNoMore()
    {
        const int Bytes = 3_000_000;
        ulong p = Allocate(Bytes);
        Ok(cuMemsetD8Async(p, 0x11, Bytes, 0));
        Ok(cuMemsetD8Async(p + 3, 0x22, 1_000_001, 0));
        Ok(cuMemsetD32Async(p + 1_500_000, 0x44556677, 300_001, 0));
        byte[] expected = new byte[Bytes];
        Array.Fill(expected, (byte)0x11);
        Array.Fill(expected, (byte)0x22, 3, 1_000_001);
        for (int i = 0; i < 300_001; i++)
        {
            BitConverter.TryWriteBytes(expected.AsSpan(1_500_000 + (4 * i)), 0x44556677);
        }

        Assert.That(Download<byte>(p, Bytes).AsSpan().SequenceEqual(expected));
        Expect(cuMemsetD32Async(p + 2, 0, 1, 0), Result.InvalidValue);
        Expect(cuMemsetD32Async(p, 0, nuint.MaxValue, 0), Result.InvalidValue);
    }

    [Test]
    public void ThePeakIsTold()
    {
        sltt_cpu_reset_peak_memory(Device);
        ulong before = sltt_cpu_peak_memory(Device);
        _ = Allocate(5000);
        Ok(cuMemFree_v2(Allocate(7000)));
        Assert.That(sltt_cpu_peak_memory(Device) - before, Is.EqualTo(12000));
        Assert.That(sltt_cpu_peak_memory(7), Is.Zero);
    }

    [Test]
    public void FreeMemoryFallsByWhatIsAllocated()
    {
        Ok(cuMemGetInfo_v2(out nuint free, out nuint total));
        Assert.That(free, Is.GreaterThan((nuint)0).And.LessThanOrEqualTo(total));
        Ok(cuDeviceTotalMem_v2(out nuint device, Device));
        Assert.That(total, Is.EqualTo(device));
    }

    [Test]
    public void PinnedMemoryIsFreedASingleTime()
    {
        Ok(cuMemHostAlloc(out nint pinned, 4096, 0));
        new Span<byte>((void*)pinned, 4096).Fill(7);
        Expect(cuMemFree_v2((ulong)pinned), Result.InvalidValue);
        Ok(cuMemFreeHost(pinned));
        Expect(cuMemFreeHost(pinned), Result.InvalidValue);
    }

    [Test]
    public void WithoutAContextNothingIsAllocated()
    {
        Result result = Result.Success;
        Thread thread = new(() => result = cuMemAlloc_v2(out _, 16));
        thread.Start();
        thread.Join();
        Expect(result, Result.InvalidContext);
        Expect(cuCtxSetCurrent(1234), Result.InvalidContext);
    }

    [Test]
    public void UntouchedMemoryIsNotResident()
    {
        // The faithful mode poisons all of it.
        const long Size = 128 << 20, Touched = 8 << 20, Around = 56 << 20;
        long resident = Device == Faithful ? Size : Touched;
        long before = Resident();
        ulong p = Allocate(Size);
        Ok(cuMemsetD8Async(p, 1, (nuint)Touched, 0));
        Assert.That(Resident() - before, Is.InRange(resident - (1 << 20), resident + Around));
    }

    private static long Resident()
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
