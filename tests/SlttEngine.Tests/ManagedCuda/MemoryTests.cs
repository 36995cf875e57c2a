using System.Runtime.InteropServices;
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
        using CudaDeviceVariable<float> device = new(count);
        device.CopyToDevice(sent);
        float[] got = new float[count];
        device.CopyToHost(got);
        Assert.Multiple(() =>
        {
            Assert.That(got, Is.EqualTo(sent));
            Assert.That((ulong)device.SizeInBytes, Is.EqualTo((ulong)count * 4));
            Assert.That((ulong)device.Size, Is.EqualTo((ulong)count));
            Assert.That((ulong)device.DevicePointer % 256, Is.Zero);
        });
    }

    [Test]
    public void PartsAreGivenInBytes()
    {
        using CudaDeviceVariable<int> device = new(8);
        device.Memset(0u);
        device.CopyToDevice([10, 11, 12, 13], 4, 8, 12);
        int[] got = new int[8];
        device.CopyToHost(got, 8, 16, 12);
        Assert.That(got, Is.EqualTo(new[] { 0, 0, 0, 0, 11, 12, 13, 0 }));
        Assert.That(() => device.CopyToDevice([1, 2], 4, 0, 8), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => device.CopyToHost(new int[2], 0, 16, 4), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void ElementsAreReadAndWrittenOneByOne()
    {
        using CudaDeviceVariable<double> device = new double[] { 1, 2, 3 };
        device[1] = 20;
        double first = device;
        double[] all = device;
        Assert.Multiple(() =>
        {
            Assert.That(device[1], Is.EqualTo(20));
            Assert.That(first, Is.EqualTo(1));
            Assert.That(all, Is.EqualTo(new[] { 1d, 20, 3 }));
        });
    }

    [Test]
    public void MemsetFillsTheWidthItNames()
    {
        using CudaDeviceVariable<uint> device = new(4);
        device.Memset((byte)0x11);
        Assert.That((uint[])device, Is.All.EqualTo(0x11111111u));
        device.Memset((ushort)0x2233);
        Assert.That((uint[])device, Is.All.EqualTo(0x22332233u));
        device.Memset(0x44556677u);
        Assert.That((uint[])device, Is.All.EqualTo(0x44556677u));
        Context.ClearMemory(device.DevicePointer + 4, 9u, 8);
        Assert.That((uint[])device, Is.EqualTo(new[] { 0x44556677u, 9u, 9u, 0x44556677u }));
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        Context.ClearMemoryAsync(device.DevicePointer, (byte)0, 16, stream.Stream);
        stream.Synchronize();
        Assert.That((uint[])device, Is.All.Zero);
    }

    [Test]
    public void ContextCopiesArraysAndValues()
    {
        CUdeviceptr memory = Context.AllocateMemory(64);
        Context.CopyToDevice(memory, new short[] { 1, -2, 3 });
        Context.CopyToDevice(memory + 6, (short)-4);
        short[] got = new short[4];
        Context.CopyToHost(got, memory);
        Context.FreeMemory(memory);
        Assert.That(got, Is.EqualTo(new short[] { 1, -2, 3, -4 }));
    }

    [Test]
    public void NativeCopiesTakeArraysAndReferences()
    {
        using CudaDeviceVariable<int> device = new(3);
        int last = 33;
        Assert.That(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(device.DevicePointer, new[] { 11, 22 }, 8), Is.EqualTo(CUResult.Success));
        Assert.That(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyHtoD_v2(device.DevicePointer + 8, ref last, 4), Is.EqualTo(CUResult.Success));
        int[] got = new int[3];
        int middle = 0;
        Assert.That(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2(got, device.DevicePointer, 12), Is.EqualTo(CUResult.Success));
        Assert.That(DriverAPINativeMethods.SynchronousMemcpy_v2.cuMemcpyDtoH_v2(ref middle, device.DevicePointer + 4, 4), Is.EqualTo(CUResult.Success));
        Assert.That(got, Is.EqualTo(new[] { 11, 22, 33 }));
        Assert.That(middle, Is.EqualTo(22));
    }

    [Test]
    public void PinnedMemoryIsCopiedInStreams()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaPageLockedHostMemory<float> sent = new(100);
        using CudaPageLockedHostMemory<float> got = new(100);
        using CudaDeviceVariable<float> a = new(100);
        using CudaDeviceVariable<float> b = new(100);
        for (int i = 0; i < 100; i++)
        {
            sent[i] = i;
        }

        sent.AsyncCopyToDevice(a.DevicePointer, stream.Stream);
        b.AsyncCopyToDevice(a, stream.Stream);
        got.AsyncCopyFromDevice(b, stream.Stream);
        stream.Synchronize();
        Assert.That(got, Is.EqualTo(Enumerable.Range(0, 100).Select(i => (float)i)));
    }

    [Test]
    public unsafe void RegisteredMemoryIsCopied()
    {
        int[] values = [3, 1, 4, 1, 5];
        GCHandle pin = GCHandle.Alloc(values, GCHandleType.Pinned);
        try
        {
            using CudaRegisteredHostMemory<int> host = new(pin.AddrOfPinnedObject(), 5);
            host.Register(CUMemHostRegisterFlags.None);
            using CudaDeviceVariable<int> device = new(5);
            host.SynchronCopyToDevice(device.DevicePointer);
            Array.Clear(values);
            host.SynchronCopyToHost(device.DevicePointer);
            Assert.That(values, Is.EqualTo(new[] { 3, 1, 4, 1, 5 }));
        }
        finally
        {
            pin.Free();
        }
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
        using CudaDeviceVariable<byte> device = new(16);
        CudaException error = Assert.Throws<CudaException>(() => Context.CopyToDevice(device.DevicePointer, new byte[1 << 20]))!;
        Assert.That(error.Message, Does.StartWith("cuMemcpyHtoD_v2: ErrorInvalidValue (1), "));
    }

    [Test]
    public void WrappedMemoryMustBeWholeElements()
    {
        using CudaDeviceVariable<byte> device = new(12);
        Assert.That((ulong)new CudaDeviceVariable<int>(device.DevicePointer, 12).Size, Is.EqualTo(3UL));
        Assert.That(() => new CudaDeviceVariable<long>(device.DevicePointer, 12), Throws.InstanceOf<CudaException>());
    }

    [Test]
    public void ADisposedVariableIsNotUsed()
    {
        CudaDeviceVariable<int> device = new(1);
        device.Dispose();
        device.Dispose();
        Assert.That(() => device.CopyToDevice(1), Throws.InstanceOf<ObjectDisposedException>());
    }
}
