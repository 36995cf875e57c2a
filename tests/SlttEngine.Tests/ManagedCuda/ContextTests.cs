using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class ContextTests : CpuDeviceContext
{
    [Test]
    public void TheDeviceIsDescribed()
    {
        CudaDeviceProperties properties = Context.GetDeviceInfo();
        Assert.Multiple(() =>
        {
            Assert.That(properties.DeviceName, Is.EqualTo("CPU"));
            Assert.That(properties.MultiProcessorCount, Is.EqualTo(16));
            Assert.That((ulong)properties.TotalGlobalMemory, Is.GreaterThan(1UL << 30));
        });
    }

    [TestCase(99)]
    [TestCase(-1)]
    public void ThereIsNoSuchDevice(int device)
    {
        CudaException error = Assert.Throws<CudaException>(() => _ = new PrimaryContext(device))!;
        string meaning = "ErrorInvalidDevice (101), there is no device of this number";
        Assert.That(error.Message, Is.EqualTo($"cuDeviceGet ({device} of 2 devices): {meaning}"));
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

    [TestCase(CUResult.ErrorOutOfMemory)]
    [TestCase(CUResult.ErrorNoDevice)]
    [TestCase(CUResult.ErrorIllegalAddress)]
    [TestCase(CUResult.ErrorNoBinaryForGPU)]
    public void AnErrorSaysWhatItMeans(CUResult result) =>
        Assert.That(new CudaException(result).Message, Does.StartWith($"{result} ({(int)result}), "));

    [Test]
    public void AnUnknownErrorIsANumber() => Assert.That(new CudaException((CUResult)12345).Message, Is.EqualTo("error 12345"));

    /// <summary>Two objects retain one context. It lives until both are disposed of.</summary>
    [Test]
    public void APrimaryContextIsSharedAndCounted()
    {
        using (PrimaryContext second = new(0))
        {
            Assert.That(second.Context.Pointer, Is.EqualTo(Context.Context.Pointer));
        }

        using CudaDeviceVariable<int> memory = new(1);
        Assert.That((ulong)memory.DevicePointer.Pointer, Is.Not.Zero);
    }

    [Test]
    public void ADisposedContextIsNotUsed()
    {
        PrimaryContext second = new(0);
        second.Dispose();
        second.Dispose();
        Assert.That(second.SetCurrent, Throws.InstanceOf<ObjectDisposedException>());
    }
}
