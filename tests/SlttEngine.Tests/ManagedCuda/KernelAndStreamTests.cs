using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Tests.ManagedCudaApi;

public sealed class KernelAndStreamTests : CpuDeviceContext
{
    [Test]
    public void AKernelGetsItsArguments()
    {
        using CudaDeviceVariable<float> x = Variable([1f, 2, 3, 4, 5]);
        using CudaDeviceVariable<float> y = new(5);
        using CudaStream stream = new(CUStreamFlags.NonBlocking);
        Check(Scale(stream, y, x, 3));
        stream.Synchronize();
        Assert.That(Read(y), Is.EqualTo(new float[] { 3, 6, 9, 12, 15 }));
    }

    [Test]
    public void AMissingKernelIsNotFound()
    {
        CUfunction function = default;
        CUResult result = DriverAPINativeMethods.ModuleManagement.cuModuleGetFunction(ref function, Module, "no_such_kernel");
        Assert.That(result, Is.EqualTo(CUResult.ErrorNotFound));
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
        Check(Scale(stream, x, x, 2));
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

    /// <summary>Launches to = factor · from.</summary>
    private unsafe CUResult Scale(CudaStream stream, CudaDeviceVariable<float> to, CudaDeviceVariable<float> from, float factor)
    {
        CUfunction function = default;
        Check(DriverAPINativeMethods.ModuleManagement.cuModuleGetFunction(ref function, Module, "scale_f32"));
        (CUdeviceptr target, CUdeviceptr source) = (to.DevicePointer, from.DevicePointer);
        long count = (long)from.SizeInBytes / sizeof(float);
        nint[] addresses = [(nint)(&target), (nint)(&source), (nint)(&factor), (nint)(&count)];
        return DriverAPINativeMethods.Launch.cuLaunchKernel(function, 2, 1, 1, 32, 1, 1, 0, stream.Stream, addresses, null!);
    }
}
