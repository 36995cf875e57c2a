using ManagedCuda.BasicTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class BasicTypeTests
{
    [Test]
    public void SizeTKeepsAllBits()
    {
        SizeT fromLong = 5_000_000_000L;
        Assert.Multiple(() =>
        {
            Assert.That((ulong)fromLong, Is.EqualTo(5_000_000_000UL));
            Assert.That((long)fromLong, Is.EqualTo(5_000_000_000L));
            Assert.That((ulong)(SizeT)ulong.MaxValue, Is.EqualTo(ulong.MaxValue));
            Assert.That((ulong)(SizeT)(-1L), Is.EqualTo(ulong.MaxValue));
            Assert.That(fromLong.ToString(), Is.EqualTo("5000000000"));
            Assert.That(fromLong == 5_000_000_000UL, Is.True);
            Assert.That(fromLong != 5_000_000_001UL, Is.True);
        });
    }

    /// <summary>The published SizeT reads an int as 32 unsigned bits. Ours must do the same.</summary>
    [Test]
    public void SizeTReadsANegativeIntAs32UnsignedBits() => Assert.That((ulong)(SizeT)(-1), Is.EqualTo(uint.MaxValue));

    [Test]
    public void DevicePointersCountBytes()
    {
        CUdeviceptr p = new(0x7000_0000_1000L);
        Assert.Multiple(() =>
        {
            Assert.That((ulong)(p + 256).Pointer, Is.EqualTo(0x7000_0000_1100UL));
            Assert.That(p + 0 == p, Is.True);
            Assert.That(default(CUdeviceptr) != p, Is.True);
            Assert.That(p.Equals(new CUdeviceptr(0x7000_0000_1000L)), Is.True);
        });
    }
}
