using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Tests.Kernels;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>Captured graphs whose small fills of memory become launches of a kernel.</summary>
public sealed class GraphClearsTests
{
    private const int Count = 3000;

    private static IEnumerable<DeviceKind> Kinds => KernelTest.Kinds;

    [Test]
    public void Small_fills_become_launches_and_the_order_stays([ValueSource(nameof(Kinds))] DeviceKind kind)
    {
        using ComputeDevice device = ComputeDevice.Open(kind);
        Assert.That(device.ClearsAreKernels, Is.False, "off until a GPU has measured it");
        (float[] fills, int fillNodes, int kernelNodes, int copyNodes) = Run();
        device.ClearsAreKernels = true;
        (float[] launches, int fewer, int more, int sameCopies) = Run();
        Assert.Multiple(() =>
        {
            Assert.That(launches, Is.EqualTo(fills));
            Assert.That((fillNodes, kernelNodes, copyNodes), Is.EqualTo((5, 2, 1)));
            Assert.That((fewer, more, sameCopies), Is.EqualTo((2, 5, 1)), "the large one, and the one of 3 bytes, stay");
        });

        (float[] Memory, int Fills, int Kernels, int Copies) Run()
        {
            using CudaDeviceVariable<float> x = new(Count), y = new(Count);
            x.MemsetAsync(0x3f800000u, device.Stream.Stream); // 1
            y.MemsetAsync(0u, device.Stream.Stream);
            using CapturedGraph graph = CapturedGraph.Capture(device, () =>
            {
                // Each is overwritten, or read, by what runs behind it: out of order the results differ.
                Clear(x, 0, 4);
                Scale(y, x, 2);
                device.Context.ClearMemoryAsync(y.DevicePointer, (byte)0x3f, 1024, device.Stream.Stream);
                Scale(x, y, 3);
                Clear(x, 40, 3);
                Clear(x, 4, 4);
                Clear(x, 6000, 5000);
                y.AsyncCopyToDevice(x.DevicePointer, 0, 2000, 2000, device.Stream);
            });
            graph.Launch();
            graph.Launch();
            float[] memory = new float[2 * Count];
            HostCopy.ToHost<float>(device, x.DevicePointer, memory.AsSpan(0, Count));
            HostCopy.ToHost<float>(device, y.DevicePointer, memory.AsSpan(Count));
            return (memory, graph.Count(GraphNodeType.Fill), graph.Count(GraphNodeType.Kernel), graph.Count(GraphNodeType.Copy));
        }

        void Clear(CudaDeviceVariable<float> at, int offset, int bytes) => device.Context.ClearMemoryAsync(
            new((ulong)at.DevicePointer.Pointer + (ulong)offset), (byte)0, bytes, device.Stream.Stream);

        void Scale(CudaDeviceVariable<float> to, CudaDeviceVariable<float> from, float factor) => device.Kernels.Scale<float>(
            LaunchShape.Elements(device, Count, 4), new(to.DevicePointer), new(from.DevicePointer), factor, Count);
    }

    [Test]
    public void A_captured_iteration_trains_the_same([ValueSource(nameof(Kinds))] DeviceKind kind)
    {
        using ComputeDevice device = ComputeDevice.Open(kind);
        float[] fills = Train();
        device.ClearsAreKernels = true;
        Assert.That(Train(), Is.EqualTo(fills));

        float[] Train()
        {
            Network network = new NetworkBuilder(2, 4, 4).Conv(4, 3).BatchNorm().Lif().Linear(4).Build();
            InputFormat.Frames format = new("u8", 2, [0.01f, 0.02f], [0, -1]);
            using TrainingEngine engine = new(device, network, new EngineOptions
            {
                Steps = 2,
                StaticInput = false,
                TrainInput = format,
                TestInput = format,
                TrainBatches = [2],
            });
            engine.Store.Initialize(3);
            for (int i = 0; i < 4; i++)
            {
                byte[] input = [.. Enumerable.Range(0, 2 * 2 * 2 * 16).Select(j => (byte)(j * (i + 5)))];
                engine.TrainIteration(input, [i % 4, (i + 1) % 4], 0.1);
            }

            return [.. network.Parameters.SelectMany(engine.Store.GetWeight)];
        }
    }
}
