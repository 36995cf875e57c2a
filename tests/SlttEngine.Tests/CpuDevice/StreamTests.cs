using static SlttEngine.Tests.CpuDevice.CpuDriver;

namespace SlttEngine.Tests.CpuDevice;

/// <summary>Streams, events, capture and graphs, in both modes.</summary>
[TestFixture(Fast)]
[TestFixture(Faithful)]
internal sealed unsafe class StreamTests(int device) : CpuDeviceTest(device)
{
    private const int Global = 0;
    private const int ThreadLocal = 1;
    private const int N = 1000;

    private ulong x;
    private ulong y;
    private nint add;

    [SetUp]
    public void MakeData()
    {
        x = Upload(Range(N));
        y = Upload(new float[N]);
        add = Kernel("test_add");
    }

    [Test]
    public void AReplayGivesWhatTheCallsGive()
    {
        nint stream = NewStream();
        Step(stream);
        Ok(cuStreamSynchronize(stream));
        float[] direct = Download<float>(y, N);
        Ok(cuMemsetD32Async(y, 0, N, 0));
        (nint graph, nint exec) = Capture(stream, Step);
        Ok(cuStreamSynchronize(stream));
        Assert.That(Download<float>(y, N), Is.All.Zero, "a capture runs nothing");
        Ok(cuGraphDestroy(graph));
        for (int replay = 0; replay < 6; replay++)
        {
            Ok(cuMemsetD32Async(y, 0, N, stream));
            Ok(cuGraphLaunch(exec, stream));
            Ok(cuStreamSynchronize(stream));
            Assert.That(Download<float>(y, N), Is.EqualTo(direct));
        }

        Ok(cuGraphExecDestroy(exec));
        Expect(cuGraphLaunch(exec, stream), Result.InvalidValue);
        Expect(cuGraphExecDestroy(exec), Result.InvalidValue);
        Expect(cuGraphDestroy(graph), Result.InvalidValue);
    }

    [Test]
    public void AReplaySeesWhatMemoryHoldsThen()
    {
        nint stream = NewStream();
        (_, nint exec) = Capture(stream, s => Ok(Launch(add, 4, 64, s, y, y, Word(1), N)));
        for (int i = 0; i < 5; i++)
        {
            Ok(cuGraphLaunch(exec, stream));
        }

        Ok(cuStreamSynchronize(stream));
        Assert.That(Download<float>(y, N), Is.All.EqualTo(5f));
    }

    [Test]
    public void AGraphInAGraphRuns()
    {
        nint stream = NewStream();
        (_, nint inner) = Capture(stream, s => Ok(Launch(add, 4, 64, s, y, y, Word(1), N)));
        (_, nint outer) = Capture(stream, s =>
        {
            Ok(cuGraphLaunch(inner, s));
            Ok(cuGraphLaunch(inner, s));
        });
        Ok(cuGraphLaunch(outer, stream));
        Ok(cuStreamSynchronize(stream));
        Assert.That(Download<float>(y, N), Is.All.EqualTo(2f));
    }

    [Test]
    public void AReplayAfterItsMemoryWasFreedIsAnIllegalAddress()
    {
        nint stream = NewStream();
        ulong gone = Allocate(N * 4);
        (_, nint exec) = Capture(stream, s => Ok(Launch(add, 4, 64, s, gone, x, Word(1), N)));
        Ok(cuMemFree_v2(gone));
        Result result = cuGraphLaunch(exec, stream);
        Expect(Device == Fast ? result : cuStreamSynchronize(stream), Result.IllegalAddress);
        Assert.That(LastMessage, Does.Contain("test_add").And.Contain("memory was freed before the launch ran"));
    }

    [Test]
    public void AnotherStreamJoinsACaptureByEvents()
    {
        nint main = NewStream(), side = NewStream(), fork = NewEvent(), join = NewEvent();
        (nint graph, nint exec) = Capture(main, s =>
        {
            Ok(cuEventRecord(fork, s));
            Ok(cuStreamWaitEvent(side, fork, 0));
            Ok(Launch(add, 4, 64, side, y, x, Word(1), N));
            Ok(cuEventRecord(join, side));
            Ok(cuStreamWaitEvent(s, join, 0));
            Ok(Launch(add, 4, 64, s, y, y, Word(10), N));
        });
        Ok(cuGraphLaunch(exec, main));
        Ok(cuStreamSynchronize(main));
        Assert.That(Download<float>(y, N), Is.EqualTo(Range(N).Select(v => v + 11)));
        Ok(cuGraphDestroy(graph));
        Ok(Launch(add, 1, 1, side, y, x, Word(3), N));
        Ok(cuStreamSynchronize(side));
        Assert.That(Download<float>(y, N)[5], Is.EqualTo(8f), "the stream is no longer captured");
        Expect(cuEventSynchronize(fork), Result.CapturedEvent);
    }

    [Test]
    public void WorkThatIsNotJoinedFailsTheCapture()
    {
        nint main = NewStream(), side = NewStream(), fork = NewEvent(), join = NewEvent();
        Ok(cuStreamBeginCapture_v2(main, ThreadLocal));
        Ok(cuEventRecord(fork, main));
        Ok(cuStreamWaitEvent(side, fork, 0));
        Ok(cuEventRecord(join, side));
        Ok(cuStreamWaitEvent(main, join, 0));
        Ok(Launch(add, 4, 64, side, y, x, Word(1), N));
        Expect(cuStreamEndCapture(side, out _), Result.CaptureUnmatched);
        Expect(cuStreamEndCapture(main, out nint graph), Result.CaptureUnjoined);
        Assert.That(graph, Is.EqualTo((nint)0));
    }

    [Test]
    public void CallsThatACaptureForbidsEndIt([Values("alloc", "free", "sync", "context", "outside event")] string call)
    {
        nint stream = NewStream(), outside = NewEvent(), other = NewStream();
        Ok(cuEventRecord(outside, other));
        Ok(cuStreamBeginCapture_v2(stream, ThreadLocal));
        (Result got, Result expected) = call switch
        {
            "alloc" => (cuMemAlloc_v2(out _, 64), Result.CaptureUnsupported),
            "free" => (cuMemFree_v2(y), Result.CaptureUnsupported),
            "sync" => (cuStreamSynchronize(stream), Result.CaptureUnsupported),
            "context" => (cuCtxSynchronize(), Result.CaptureUnsupported),
            _ => (cuStreamWaitEvent(stream, outside, 0), Result.CaptureIsolation),
        };
        Expect(got, expected);
        Expect(Launch(add, 1, 1, stream, y, x, Word(1), 1), Result.CaptureInvalidated);
        Expect(cuStreamEndCapture(stream, out _), Result.CaptureInvalidated);
        Ok(Launch(add, 1, 1, stream, y, x, Word(1), 1));
        Ok(cuStreamSynchronize(stream));
    }

    [Test]
    public void ACaptureForbidsNothingToOtherThreadsAndStreams()
    {
        nint stream = NewStream(), other = NewStream();
        Ok(cuStreamBeginCapture_v2(stream, ThreadLocal));
        Ok(cuCtxGetCurrent(out nint context));
        Result allocated = Result.NotReady;
        Thread thread = new(() =>
        {
            Ok(cuCtxSetCurrent(context));
            allocated = cuMemAlloc_v2(out _, 64);
            Ok(cuCtxSetCurrent(0));
        });
        thread.Start();
        thread.Join();
        Ok(allocated);
        Ok(Launch(add, 1, 1, other, y, x, Word(1), 1));
        Ok(Launch(add, 1, 1, 0, y, x, Word(1), 1));
        Ok(cuStreamEndCapture(stream, out _));
    }

    [Test]
    public void CaptureOutOfPlaceIsAnError()
    {
        nint stream = NewStream();
        Expect(cuStreamBeginCapture_v2(0, ThreadLocal), Result.CaptureUnsupported);
        Expect(cuStreamBeginCapture_v2(stream, Global), Result.NotSupported);
        Expect(cuStreamBeginCapture_v2(stream, 9), Result.InvalidValue);
        Expect(cuStreamEndCapture(stream, out _), Result.IllegalState);
        Ok(cuStreamBeginCapture_v2(stream, ThreadLocal));
        Expect(cuStreamBeginCapture_v2(stream, ThreadLocal), Result.IllegalState);
        Ok(cuStreamDestroy_v2(stream));
        _ = Allocate(64);
    }

    [Test]
    public void AGraphIsInstantiatedAsOftenAsWanted()
    {
        nint stream = NewStream();
        Ok(cuStreamBeginCapture_v2(stream, ThreadLocal));
        Ok(Launch(add, 1, 1, stream, y, y, Word(1), N));
        Ok(cuStreamEndCapture(stream, out nint graph));
        Ok(cuGraphInstantiateWithFlags(out nint first, graph, 0));
        Ok(cuGraphInstantiateWithFlags(out nint second, graph, 0));
        Ok(cuGraphLaunch(first, stream));
        Ok(cuGraphLaunch(second, stream));
        Ok(cuStreamSynchronize(stream));
        Assert.That(Download<float>(y, 3), Is.All.EqualTo(2f));
        Expect(cuGraphInstantiateWithFlags(out _, 99, 0), Result.InvalidValue);
    }

    /// <summary>A fill, then a kernel: of the nodes, the edge between them, and what is refused.</summary>
    [Test]
    public void AGraphsNodesCanBeReadAndChanged()
    {
        nint stream = NewStream();
        (nint graph, _) = Capture(stream, s =>
        {
            Ok(cuMemsetD32Async(y, (uint)Word(7), N, s));
            Ok(Launch(add, 4, 64, s, y, y, Word(1), N));
        });
        nint* nodes = stackalloc nint[] { 0, 0, 9 };
        nuint count = 0;
        Ok(cuGraphGetNodes(graph, null, ref count));
        Assert.That((int)count, Is.EqualTo(2));
        count = 3;
        Ok(cuGraphGetNodes(graph, nodes, ref count));
        Assert.That(((int)count, nodes[2]), Is.EqualTo((2, (nint)0)));
        (nint fill, nint kernel) = (nodes[0], nodes[1]);
        ulong* values = stackalloc ulong[5]; // target, pitch, value and size of an element, width, height
        Ok(cuGraphMemsetNodeGetParams(fill, values));
        Assert.That((values[0], values[2], values[3], values[4]), Is.EqualTo((y, Word(7) | (4UL << 32), (ulong)N, 1UL)));
        Ok(cuGraphNodeGetType(fill, out int type));
        Assert.That(type, Is.EqualTo(2));
        Ok(cuGraphNodeGetType(kernel, out type));
        Assert.That(type, Is.Zero);
        Expect(cuGraphMemsetNodeGetParams(kernel, values), Result.InvalidValue);
        Assert.That((Single(cuGraphNodeGetDependencies, kernel), Single(cuGraphNodeGetDependentNodes, fill)), Is.EqualTo((fill, kernel)));

        Expect(cuGraphAddDependencies(graph, &fill, &kernel, 1), Result.InvalidValue); // it is there
        Expect(cuGraphAddDependencies(graph, &fill, &fill, 1), Result.InvalidValue);
        Ok(cuGraphAddDependencies(graph, &kernel, &fill, 1));
        Expect(cuGraphInstantiateWithFlags(out _, graph, 0), Result.InvalidValue); // a cycle
        Ok(cuGraphDestroyNode(fill));
        Expect(cuGraphDestroyNode(fill), Result.InvalidValue);
        count = 0;
        Ok(cuGraphNodeGetDependencies(kernel, null, ref count));
        Assert.That((int)count, Is.Zero);

        Ok(cuGraphInstantiateWithFlags(out nint exec, graph, 0));
        Ok(cuGraphLaunch(exec, stream));
        Ok(cuStreamSynchronize(stream));
        Assert.That(Download<float>(y, N), Is.All.EqualTo(1f), "the kernel runs, the fill does not");
        Ok(cuGraphDestroy(graph));
        Expect(cuGraphNodeGetType(kernel, out _), Result.InvalidValue);
    }

    private delegate Result NodeList(nint node, nint* nodes, ref nuint count);

    private static nint Single(NodeList list, nint node)
    {
        nint found = 0;
        nuint count = 1;
        Ok(list(node, &found, ref count));
        Assert.That((int)count, Is.EqualTo(1));
        return found;
    }

    [Test]
    public void EventsTellTimeInOrder()
    {
        nint stream = NewStream(), start = NewEvent(), end = NewEvent(), untimed = NewEvent(2);
        Expect(cuEventElapsedTime(out _, start, end), Result.InvalidHandle);
        Ok(cuEventRecord(start, stream));
        Ok(Launch(add, 16, 64, stream, y, x, Word(1), N));
        Ok(cuEventRecord(end, stream));
        Ok(cuEventRecord(untimed, stream));
        if (Device == Faithful)
        {
            Expect(cuEventElapsedTime(out _, start, end), Result.NotReady);
        }

        Ok(cuEventSynchronize(end));
        Ok(cuEventElapsedTime(out float milliseconds, start, end));
        Assert.That(milliseconds, Is.GreaterThan(0f).And.LessThan(60000f));
        Expect(cuEventElapsedTime(out _, start, untimed), Result.InvalidHandle);
        Ok(cuEventDestroy_v2(start));
        Expect(cuEventDestroy_v2(start), Result.InvalidHandle);
        Expect(cuEventRecord(start, stream), Result.InvalidHandle);
    }

    [Test]
    public void WrongStreamsAreInvalidHandles()
    {
        nint stream = NewStream();
        Expect(cuStreamCreate(out _, 2), Result.InvalidValue);
        Expect(cuStreamCreate(out _, 0), Result.NotSupported);
        Ok(cuStreamDestroy_v2(stream));
        Expect(cuStreamDestroy_v2(stream), Result.InvalidHandle);
        Expect(cuStreamSynchronize(stream), Result.InvalidHandle);
        Expect(cuStreamSynchronize(4711), Result.InvalidHandle);
        Expect(cuStreamDestroy_v2(0), Result.InvalidHandle);
        Expect(cuMemsetD32Async(y, 0, 1, 4711), Result.InvalidHandle);
        Expect(cuStreamWaitEvent(0, 4711, 0), Result.InvalidHandle);
    }

    // A fill with 1, two kernels of which the second overwrites half, a copy.
    private void Step(nint stream)
    {
        Ok(cuMemsetD32Async(y, 0x3f800000, N, stream));
        Ok(Launch(add, 5, 96, stream, y, y, Word(2), N));
        Ok(Launch(add, 3, 32, stream, y, x, Word(0.25f), N / 2));
        Ok(cuMemcpyDtoDAsync_v2(y + (4 * 900), y, 400, stream));
    }

    private static (nint Graph, nint Exec) Capture(nint stream, Action<nint> calls)
    {
        Ok(cuStreamBeginCapture_v2(stream, ThreadLocal));
        calls(stream);
        Ok(cuStreamEndCapture(stream, out nint graph));
        Ok(cuGraphInstantiateWithFlags(out nint exec, graph, 0));
        return (graph, exec);
    }
}
