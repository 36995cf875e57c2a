using ManagedCuda;
using ManagedCuda.BasicTypes;
using ManagedCuda.VectorTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class KernelAndStreamTests : CpuDeviceContext
{
    [Test]
    public void AKernelGetsItsArguments()
    {
        using CudaDeviceVariable<float> x = Variable([1f, 2, 3, 4, 5]);
        using CudaDeviceVariable<float> y = new(5);
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        Scale(blocks: 2, threads: 32).RunAsync(stream.Stream, y.DevicePointer, x.DevicePointer, 3f, 5L);
        stream.Synchronize();
        Assert.That(Read(y), Is.EqualTo(new float[] { 3, 6, 9, 12, 15 }));
    }

    /// <summary>The launch that takes the arguments' addresses, without a CudaKernel.</summary>
    [Test]
    public unsafe void ANativeLaunchGetsItsArguments()
    {
        using CudaDeviceVariable<float> x = Variable([1f, 2, 3]);
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        CUfunction function = default;
        Check(DriverAPINativeMethods.ModuleManagement.cuModuleGetFunction(ref function, Module, "scale_f32"));
        CUdeviceptr pointer = x.DevicePointer;
        float factor = 2;
        long count = 3;
        nint[] addresses = [(nint)(&pointer), (nint)(&pointer), (nint)(&factor), (nint)(&count)];
        Check(DriverAPINativeMethods.Launch.cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, stream.Stream, addresses, null!));
        stream.Synchronize();
        Assert.That(Read(x), Is.EqualTo(new float[] { 2, 4, 6 }));
    }

    [Test]
    public void ALaunchThatFailsNamesKernelAndShape()
    {
        using CudaDeviceVariable<float> x = new(1);
        CudaKernel kernel = Scale(blocks: 3, threads: 2048);
        CudaException error = Assert.Throws<CudaException>(() => kernel.RunAsync(default, x.DevicePointer, x.DevicePointer, 1f, 1L))!;
        Assert.That(error.Message, Does.StartWith("cuLaunchKernel (scale_f32, grid (3; 1; 1), block (2048; 1; 1), 4 arguments): Error"));
        Assert.That(() => kernel.RunAsync(default, null!, x.DevicePointer, 1f, 1L), Throws.ArgumentNullException);
        Assert.That(() => kernel.RunAsync(default, "x", x.DevicePointer, 1f, 1L), Throws.ArgumentException);
    }

    [Test]
    public void AMissingKernelIsNamed()
    {
        CudaException error = Assert.Throws<CudaException>(() => _ = new CudaKernel("no_such_kernel", Module))!;
        Assert.That(error.Message, Is.EqualTo("cuModuleGetFunction (no_such_kernel): ErrorNotFound (500), there is nothing of this name"));
    }

    [Test]
    public void EventsKeepOrderAndTime()
    {
        using CudaStream first = new(CUStreamFlags.NonBlocking);
        using CudaStream second = new(CUStreamFlags.NonBlocking);
        using CudaEvent done = new(CUEventFlags.Default);
        using CudaEvent later = new(CUEventFlags.Default);
        using CudaDeviceVariable<uint> memory = new(1 << 16);
        memory.MemsetAsync(1u, first.Stream);
        done.Record(first.Stream);
        second.WaitEvent(done.Event);
        memory.MemsetAsync(2u, second.Stream);
        later.Record(second.Stream);
        later.Synchronize();
        Assert.That(Read(memory)[1 << 15], Is.EqualTo(2u));
        Assert.That(CudaEvent.ElapsedTime(done, later), Is.GreaterThanOrEqualTo(0));
    }

    [Test]
    public void ACapturedGraphReplays()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDeviceVariable<float> x = Variable([1f, 2, 3]);
        CUgraph graph = default;
        CUgraphExec exec = default;
        Check(DriverAPINativeMethods.Streams.cuStreamBeginCapture(stream.Stream, CUstreamCaptureMode.Local));
        Scale(blocks: 1, threads: 32).RunAsync(stream.Stream, x.DevicePointer, x.DevicePointer, 2f, 3L);
        Check(DriverAPINativeMethods.Streams.cuStreamEndCapture(stream.Stream, ref graph));
        Check(DriverAPINativeMethods.GraphManagment.cuGraphInstantiate(ref exec, graph, CUgraphInstantiate_flags.None));
        Assert.That(Read(x), Is.EqualTo(new float[] { 1, 2, 3 }), "nothing runs while the stream is captured");
        for (int i = 0; i < 3; i++)
        {
            Check(DriverAPINativeMethods.GraphManagment.cuGraphLaunch(exec, stream.Stream));
        }

        stream.Synchronize();
        Check(DriverAPINativeMethods.GraphManagment.cuGraphExecDestroy(exec));
        Check(DriverAPINativeMethods.GraphManagment.cuGraphDestroy(graph));
        Assert.That(Read(x), Is.EqualTo(new float[] { 8, 16, 24 }));
    }

    [Test]
    public void HandlesAreReleasedOnAThreadWithoutAContext()
    {
        CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaEvent mark = new(CUEventFlags.Default);
        CUstream native = stream.Stream;
        Exception? thrown = null;
        Thread thread = new(() =>
        {
            try
            {
                mark.Dispose();
                stream.Dispose();
            }
            catch (CudaException e)
            {
                thrown = e;
            }
        });
        thread.Start();
        thread.Join();
        Assert.That(thrown, Is.Null);
        CUResult result = DriverAPINativeMethods.Streams.cuStreamSynchronize(native);
        Assert.That(result, Is.EqualTo(CUResult.ErrorInvalidHandle), "the stream is destroyed");
        Assert.That(stream.Synchronize, Throws.InstanceOf<ObjectDisposedException>());
    }

    private CudaKernel Scale(uint blocks, uint threads) =>
        new("scale_f32", Module) { GridDimensions = new dim3(blocks), BlockDimensions = new dim3(threads) };
}
