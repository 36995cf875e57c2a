using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class ContextTests : CpuDeviceContext
{
    [Test]
    public void TheDeviceIsDescribed()
    {
        CudaDeviceProperties properties = CudaContext.GetDeviceInfo(0);
        Assert.Multiple(() =>
        {
            Assert.That(CudaContext.GetDeviceCount(), Is.EqualTo(2));
            Assert.That(properties.DeviceName, Is.EqualTo("CPU"));
            Assert.That(properties.ComputeCapability, Is.EqualTo(new Version(9, 0)));
            Assert.That(properties.MultiProcessorCount, Is.EqualTo(16));
            Assert.That(properties.MaxThreadsPerBlock, Is.EqualTo(1024));
            Assert.That(properties.WarpSize, Is.EqualTo(32));
            Assert.That((ulong)properties.TotalGlobalMemory, Is.GreaterThan(1UL << 30));
            Assert.That(properties.SharedMemoryPerBlock, Is.GreaterThanOrEqualTo(48 << 10));
            Assert.That(CudaContext.GetDeviceName(0), Is.EqualTo(properties.DeviceName));
        });
    }

    [Test]
    public void ThereIsNoSuchDevice()
    {
        CudaException error = Assert.Throws<CudaException>(() => _ = new PrimaryContext(99))!;
        Assert.That(error.Message, Is.EqualTo("cuDeviceGet (99 of 2 devices): ErrorInvalidDevice (101), there is no device of this number"));
        Assert.That(() => CudaContext.GetDeviceInfo(-1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void WithoutAContextTheCallIsNamed()
    {
        CudaException? error = null;
        Thread thread = new(() => error = Assert.Throws<CudaException>(() => _ = new CudaDeviceVariable<int>(1)));
        thread.Start();
        thread.Join();
        Assert.That(error!.CudaError, Is.EqualTo(CUResult.ErrorInvalidContext));
        Assert.That(error.Message, Does.StartWith("cuMemAlloc_v2 (4 bytes): ErrorInvalidContext (201), no context is current"));
    }

    [Test]
    public void ADamagedImageIsRefused()
    {
        CudaException error = Assert.Throws<CudaException>(() => Context.LoadModuleFatBin([1, 2, 3, 4]))!;
        Assert.That(error.Message, Does.StartWith("cuModuleLoadFatBinary: Error"));
    }

    [Test]
    public void EachErrorSaysWhatItMeans()
    {
        foreach (CUResult result in new[] { CUResult.ErrorOutOfMemory, CUResult.ErrorNoDevice, CUResult.ErrorIllegalAddress, CUResult.ErrorNoBinaryForGPU })
        {
            string message = new CudaException(result).Message;
            Assert.That(message, Does.StartWith($"{result} ({(int)result}), "));
        }

        Assert.That(new CudaException((CUResult)12345).Message, Is.EqualTo("error 12345"));
    }

    [Test]
    public void APrimaryContextIsSharedAndCounted()
    {
        using PrimaryContext again = new(0);
        Assert.That(again.Context.Pointer, Is.EqualTo(Context.Context.Pointer));
        PrimaryContext.GetState(0, out _, out bool active);
        Assert.That(active, Is.True);
    }
}
