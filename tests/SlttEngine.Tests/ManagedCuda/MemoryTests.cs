using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class MemoryTests : CpuDeviceContext
{
    [TestCase(1)]
    [TestCase(31)]
    [TestCase(1000)]
    public void VariableGoesThereAndBack(int count)
    {
        float[] sent = Numbers(count, 1);
        using CudaDeviceVariable<float> device = Variable(sent);
        Assert.Multiple(() =>
        {
            Assert.That(Read(device), Is.EqualTo(sent));
            Assert.That((ulong)device.SizeInBytes, Is.EqualTo((ulong)count * 4));
            Assert.That((ulong)device.DevicePointer.Pointer % 256, Is.Zero);
        });
    }

    /// <summary>A copy ends where the shorter side ends.</summary>
    [Test]
    public void CopiesTakeAsManyElementsAsBothHave()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDeviceVariable<int> three = Variable([1, 2, 3]);
        using CudaDeviceVariable<int> five = Variable([9, 9, 9, 9, 9]);
        five.AsyncCopyToDevice(three, stream);
        stream.Synchronize();
        Assert.That(Read(five), Is.EqualTo(new[] { 1, 2, 3, 9, 9 }));
        three.CopyToDevice([4, 5, 6, 7, 8]);
        int[] longer = [0, 0, 0, 42];
        three.CopyToHost(longer);
        Assert.That(longer, Is.EqualTo(new[] { 4, 5, 6, 42 }));
    }

    [Test]
    public void PartsAreGivenInBytes()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDeviceVariable<int> source = Variable([10, 11, 12, 13]);
        using CudaDeviceVariable<int> device = Variable(new int[8]);
        device.AsyncCopyToDevice(source.DevicePointer, 4, 8, 12, stream);
        stream.Synchronize();
        Assert.That(Read(device), Is.EqualTo(new[] { 0, 0, 11, 12, 13, 0, 0, 0 }));
    }

    [Test]
    public void MemsetFillsTheWidthItNames()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDeviceVariable<uint> device = new(4);
        device.MemsetAsync((byte)0x11, stream.Stream);
        stream.Synchronize();
        Assert.That(Read(device), Is.All.EqualTo(0x11111111u));
        device.MemsetAsync(0x44556677u, stream.Stream);
        stream.Synchronize();
        Assert.That(Read(device), Is.All.EqualTo(0x44556677u));
        Context.ClearMemoryAsync(device.DevicePointer + 4, 0, 8, stream.Stream);
        stream.Synchronize();
        Assert.That(Read(device), Is.EqualTo(new[] { 0x44556677u, 0u, 0u, 0x44556677u }));
    }

    [Test]
    public void PinnedMemoryIsCopiedInStreams()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaPageLockedHostMemory<int> pinned = new(5);
        using CudaDeviceVariable<int> source = Variable([1, 2, 3, 4, 5]);
        using CudaDeviceVariable<int> target = Variable(new int[5]);
        pinned.AsyncCopyFromDevice(source.DevicePointer, 0, 0, 20, stream.Stream);
        pinned.AsyncCopyToDevice(target.DevicePointer, 4, 8, 8, stream.Stream);
        stream.Synchronize();
        Assert.Multiple(() =>
        {
            Assert.That(pinned, Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
            Assert.That(pinned[3], Is.EqualTo(4));
            Assert.That(Read(target), Is.EqualTo(new[] { 0, 0, 2, 3, 0 }));
        });
    }

    [Test]
    public void FreeMemoryIsPartOfAll()
    {
        Assert.That((ulong)Context.GetFreeDeviceMemorySize(), Is.GreaterThan(1UL << 20));
        Assert.That((ulong)Context.GetFreeDeviceMemorySize(), Is.LessThanOrEqualTo((ulong)Context.GetTotalDeviceMemorySize()));
        Assert.That((ulong)Context.GetTotalDeviceMemorySize(), Is.EqualTo((ulong)Context.GetDeviceInfo().TotalGlobalMemory));
    }

    [Test]
    public void TooLargeAnAllocationSaysHowLarge()
    {
        CudaException error = Assert.Throws<CudaException>(() => _ = new CudaDeviceVariable<byte>(1L << 60))!;
        Assert.Multiple(() =>
        {
            Assert.That(error.CudaError, Is.EqualTo(CUResult.ErrorOutOfMemory));
            Assert.That(error.Message, Is.EqualTo("cuMemAlloc_v2 (1152921504606846976 bytes): ErrorOutOfMemory (2), not enough memory"));
        });
    }

    [Test]
    public void ACopyOutsideAnAllocationFails()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDeviceVariable<byte> device = new(16);
        CudaException error = Assert.Throws<CudaException>(() => device.AsyncCopyToDevice(device.DevicePointer, 0, 0, 1 << 20, stream))!;
        Assert.That(error.Message, Does.StartWith("cuMemcpyDtoDAsync_v2: ErrorInvalidValue (1), "));
    }

    [Test]
    public void ADisposedVariableIsNotUsed()
    {
        CudaDeviceVariable<int> device = new(1);
        device.Dispose();
        device.Dispose();
        Assert.That(() => device.CopyToDevice([1]), Throws.InstanceOf<ObjectDisposedException>());
    }
}
