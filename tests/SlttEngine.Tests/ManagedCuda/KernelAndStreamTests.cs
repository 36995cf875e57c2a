using ManagedCuda;
using ManagedCuda.BasicTypes;
using ManagedCuda.VectorTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class KernelAndStreamTests : CpuDeviceContext
{
    [Test]
    public void AKernelGetsItsArguments()
    {
        using CudaDeviceVariable<float> x = new float[] { 1, 2, 3, 4, 5 };
        using CudaDeviceVariable<float> y = new(5);
        CudaKernel kernel = new("scale_f32", Module, new dim3(32), new dim3(2));
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        kernel.RunAsync(stream.Stream, y.DevicePointer, x.DevicePointer, 3f, 5L);
        stream.Synchronize();
        Assert.That((float[])y, Is.EqualTo(new float[] { 3, 6, 9, 12, 15 }));
        Assert.That(kernel.Run(x.DevicePointer, y.DevicePointer, 2f, 5L), Is.GreaterThanOrEqualTo(0));
        Assert.That((float[])x, Is.EqualTo(new float[] { 6, 12, 18, 24, 30 }));
    }

    [Test]
    public void ALaunchThatFailsNamesKernelAndShape()
    {
        using CudaDeviceVariable<float> x = new(1);
        CudaKernel kernel = new("scale_f32", Module, new dim3(2048), new dim3(3));
        CudaException error = Assert.Throws<CudaException>(() => kernel.RunAsync(default, x.DevicePointer, x.DevicePointer, 1f, 1L))!;
        Assert.That(error.Message, Does.StartWith("cuLaunchKernel (scale_f32, grid (3; 1; 1), block (2048; 1; 1), 0 bytes of dynamic shared memory, 4 arguments): Error"));
        Assert.That(() => kernel.RunAsync(default, null!, x.DevicePointer, 1f, 1L), Throws.ArgumentNullException);
    }

    [Test]
    public void AMissingKernelIsNamed()
    {
        CudaException error = Assert.Throws<CudaException>(() => _ = new CudaKernel("no_such_kernel", Module))!;
        Assert.That(error.Message, Is.EqualTo("cuModuleGetFunction (no_such_kernel): ErrorNotFound (500), there is nothing of this name"));
        Assert.That(error.CudaInternalErrorName, Is.EqualTo("CUDA_ERROR_NOT_FOUND"));
        Assert.That(error.CudaInternalErrorDescription, Is.Not.Empty);
    }

    [Test]
    public void ComputeSizeRoundsUp()
    {
        CudaKernel kernel = new("scale_f32", Module, new dim3(64));
        kernel.SetComputeSize(129);
        Assert.That(kernel.GridDimensions, Is.EqualTo(new dim3(3)));
        Assert.That(kernel.MaxThreadsPerBlock, Is.EqualTo(1024));
    }

    [Test]
    public void EventsKeepOrderAndTime()
    {
        using CudaStream first = new(CUStreamFlags.NonBlocking);
        using CudaStream second = new(CUStreamFlags.NonBlocking);
        using CudaEvent done = new();
        using CudaEvent later = new();
        using CudaDeviceVariable<uint> memory = new(1 << 16);
        memory.MemsetAsync(1u, first.Stream);
        done.Record(first.Stream);
        second.WaitEvent(done.Event);
        memory.MemsetAsync(2u, second.Stream);
        later.Record(second.Stream);
        later.Synchronize();
        Assert.Multiple(() =>
        {
            Assert.That(memory[1 << 15], Is.EqualTo(2u));
            Assert.That(done.Query(), Is.True);
            Assert.That(second.Query(), Is.True);
            Assert.That(CudaEvent.ElapsedTime(done, later), Is.GreaterThanOrEqualTo(0));
            Assert.That(second.GetFlags(), Is.EqualTo(CUStreamFlags.NonBlocking));
        });
    }

    [Test]
    public void ACapturedGraphReplays()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaDeviceVariable<float> x = new float[] { 1, 2, 3 };
        CudaKernel kernel = new("scale_f32", Module, new dim3(32), new dim3(1));
        CUgraph graph = default;
        CUgraphExec exec = default;
        Check(DriverAPINativeMethods.Streams.cuStreamBeginCapture(stream.Stream, CUstreamCaptureMode.Local));
        kernel.RunAsync(stream.Stream, x.DevicePointer, x.DevicePointer, 2f, 3L);
        CUstreamCaptureStatus status = default;
        Check(DriverAPINativeMethods.Streams.cuStreamIsCapturing(stream.Stream, ref status));
        Assert.That(status, Is.EqualTo(CUstreamCaptureStatus.Active));
        Check(DriverAPINativeMethods.Streams.cuStreamEndCapture(stream.Stream, ref graph));
        Check(DriverAPINativeMethods.GraphManagment.cuGraphInstantiate(ref exec, graph, CUgraphInstantiate_flags.None));
        Assert.That((float[])x, Is.EqualTo(new float[] { 1, 2, 3 }), "nothing runs while it is captured");
        for (int i = 0; i < 3; i++)
        {
            Check(DriverAPINativeMethods.GraphManagment.cuGraphLaunch(exec, stream.Stream));
        }

        stream.Synchronize();
        Check(DriverAPINativeMethods.GraphManagment.cuGraphExecDestroy(exec));
        Check(DriverAPINativeMethods.GraphManagment.cuGraphDestroy(graph));
        Assert.That((float[])x, Is.EqualTo(new float[] { 8, 16, 24 }));
    }

    [Test]
    public void AnEmptyGraphIsLaunched()
    {
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        using CudaGraph graph = new();
        using CudaGraphExec exec = graph.Instantiate(CUgraphInstantiate_flags.None);
        exec.Launch(stream);
        stream.Synchronize();
        Assert.That(graph.GetNodes(), Is.Empty);
        Assert.That(exec.Flags, Is.EqualTo(CUgraphInstantiate_flags.None));
    }

    [Test]
    public void HandlesAreReleasedOnAThreadWithoutAContext()
    {
        CudaStream stream = new(CUStreamFlags.NonBlocking);
        CudaEvent mark = new();
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
        Assert.That(DriverAPINativeMethods.Streams.cuStreamQuery(native), Is.EqualTo(CUResult.ErrorInvalidHandle), "it is gone");
    }

    private static void Check(CUResult result) => Assert.That(result, Is.EqualTo(CUResult.Success));
}
