using ManagedCuda.BasicTypes;
using ManagedCuda.VectorTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class BasicTypeTests
{
    [Test]
    public void SizeTConvertsWithoutLoss()
    {
        SizeT fromLong = 5_000_000_000L;
        Assert.Multiple(() =>
        {
            Assert.That((ulong)fromLong, Is.EqualTo(5_000_000_000UL));
            Assert.That((long)fromLong, Is.EqualTo(5_000_000_000L));
            Assert.That((nint)fromLong, Is.EqualTo(unchecked((nint)5_000_000_000L)));
            Assert.That((ulong)(SizeT)ulong.MaxValue, Is.EqualTo(ulong.MaxValue));
            Assert.That((ulong)(SizeT)(-1), Is.EqualTo(uint.MaxValue), "as the published type converts");
            Assert.That((ulong)(SizeT)(-1L), Is.EqualTo(ulong.MaxValue));
            Assert.That(() => (int)fromLong, Throws.InstanceOf<OverflowException>());
            Assert.That((uint)(SizeT)7, Is.EqualTo(7u));
            Assert.That(fromLong.ToString(), Is.EqualTo("5000000000"));
        });
    }

    [Test]
    public void SizeTCounts()
    {
        SizeT a = 100;
        SizeT b = 7;
        Assert.Multiple(() =>
        {
            Assert.That((ulong)(a + b), Is.EqualTo(107UL));
            Assert.That((ulong)(a - 7), Is.EqualTo(93UL));
            Assert.That((ulong)(a + -1), Is.EqualTo(99UL));
            Assert.That((ulong)(3u * a), Is.EqualTo(300UL));
            Assert.That((ulong)(a / b), Is.EqualTo(14UL));
            Assert.That((ulong)(b - a), Is.EqualTo(ulong.MaxValue - 92), "wraps");
            Assert.That(b < a, Is.True);
            Assert.That(a > 99, Is.True);
            Assert.That(a == new SizeT(100L), Is.True);
            Assert.That(a != b, Is.True);
        });
    }

    [Test]
    public void DevicePointersCountBytes()
    {
        CUdeviceptr p = new(0x7000_0000_1000L);
        Assert.Multiple(() =>
        {
            Assert.That((ulong)(p + 256), Is.EqualTo(0x7000_0000_1100UL));
            Assert.That((ulong)(p - 4096), Is.EqualTo(0x7000_0000_0000UL));
            Assert.That(p + 16 - 16 == p, Is.True);
            Assert.That(default(CUdeviceptr) != p, Is.True);
        });
    }

    [Test]
    public void Dim3FillsWithOnes()
    {
        Assert.Multiple(() =>
        {
            Assert.That(new dim3(5), Is.EqualTo(new dim3(5, 1, 1)));
            Assert.That(new dim3(5u, 6u), Is.EqualTo(new dim3(5, 6, 1)));
            Assert.That((dim3)9, Is.EqualTo(new dim3(9, 1, 1)));
            Assert.That(new dim3(2, 3, 4) * new dim3(5, 6, 7), Is.EqualTo(new dim3(10, 18, 28)));
            Assert.That(dim3.Max(new dim3(1, 9, 3), new dim3(2, 8, 4)), Is.EqualTo(new dim3(2, 9, 4)));
        });
    }
}
