using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Tests.Engine;

/// <summary>
/// On the device whose streams wait until they are waited for: there a copy reads page-locked memory when it runs, as on a GPU, and a
/// stream that should wait for another and does not runs before it.
/// </summary>
public sealed class BatchUploadTests
{
    private static ComputeDevice Open() =>
        ComputeDevice.Open(SharedDevice.Choice == DeviceChoice.Cuda ? DeviceKind.Cuda : DeviceKind.CpuFaithful);

    [Test]
    public void Batches_given_one_after_the_other_all_arrive_though_their_memory_is_reused()
    {
        using ComputeDevice device = Open();
        int[] sizes = [100_000, 100_000, 64, 100_000, 200_000, 100_000, 200_000];
        CudaDeviceVariable<byte>[] targets = [.. sizes.Select(size => new CudaDeviceVariable<byte>(size))];
        byte[] batch = new byte[sizes.Max()];
        using (BatchUpload uploads = new(device))
        {
            for (int i = 0; i < sizes.Length; i++)
            {
                Array.Fill(batch, (byte)(i + 1));
                uploads.Write(this, targets[i].DevicePointer, batch.AsSpan(0, sizes[i]));
            }

            Array.Clear(batch);
        }

        for (int i = 0; i < sizes.Length; i++)
        {
            AssertAll(device, targets[i], (byte)(i + 1), $"batch {i}");
        }
    }

    /// <summary>The fourth batch waits for the second's copy. That must not run before the first batch was read.</summary>
    [Test]
    public void A_batch_does_not_arrive_before_the_last_one_was_read()
    {
        const int Bytes = 100_000, Batches = 6;
        using ComputeDevice device = Open();
        using BatchUpload uploads = new(device);
        using CudaDeviceVariable<byte> batch = new(Bytes);
        CudaDeviceVariable<byte>[] read = [.. Enumerable.Range(0, Batches).Select(_ => new CudaDeviceVariable<byte>(Bytes))];
        for (int i = 0; i < Batches; i++)
        {
            uploads.Write(this, batch.DevicePointer, [.. Enumerable.Repeat((byte)(i + 1), Bytes)]);
            read[i].AsyncCopyToDevice(batch, device.Stream);
            uploads.Release();
        }

        for (int i = 0; i < Batches; i++)
        {
            AssertAll(device, read[i], (byte)(i + 1), $"batch {i}");
        }
    }

    /// <summary>Programs share their memory: what one is still at may lie where the other's batch goes.</summary>
    [Test]
    public void A_batch_of_another_program_waits_for_all_earlier_work([Values] bool smallOnes)
    {
        const int Bytes = 100_000;
        using ComputeDevice device = Open();
        using BatchUpload uploads = new(device);
        using CudaDeviceVariable<byte> shared = new(Bytes), other = new(Bytes), result = new(Bytes);
        byte[] batch = [.. Enumerable.Repeat((byte)9, Bytes)];
        object first = new(), second = new();
        uploads.Write(second, shared.DevicePointer, batch);
        uploads.Release();
        uploads.Write(first, other.DevicePointer, batch.AsSpan(0, smallOnes ? 16 : Bytes));
        uploads.Release();
        shared.MemsetAsync((byte)1, device.Stream.Stream);
        result.AsyncCopyToDevice(shared, device.Stream);
        for (int i = 0; i < 4; i++)
        {
            uploads.Write(second, shared.DevicePointer, batch);
            uploads.Release();
        }

        AssertAll(device, result, 1, "the first program's result");
        AssertAll(device, shared, 9, "the second program's batch");
    }

    /// <summary>A captured iteration is cut behind the last operation that reads the frames.</summary>
    [Test]
    public void Frames_copied_beside_the_work_train_as_direct_launches_do([Values] bool staticInput)
    {
        const int Steps = 2, Batch = 2, Side = 64, Iterations = 4;
        using ComputeDevice device = Open();
        Assert.That(Train(captured: true), Is.EqualTo(Train(captured: false)));

        float[] Train(bool captured)
        {
            NetworkBuilder builder = new(2, Side, Side);
            Network network = builder.Conv(4, 3, stride: 4, padding: 1).BatchNorm().Lif().AvgPool(2).Linear(4).Build();
            int frames = staticInput ? 1 : Steps;
            InputFormat.Frames format = new(staticInput ? "f32" : "u16", frames, [0.01f, 0.02f], [0, -1]);
            using TrainingEngine engine = new(device, network, new EngineOptions
            {
                Steps = Steps,
                StaticInput = staticInput,
                TrainInput = format,
                TestInput = format,
                TrainBatches = [Batch],
            });
            engine.Store.Initialize(3);
            int bytes = frames * Batch * 2 * Side * Side * format.ElementSize;
            Assert.That(device.Uploads.Overlaps(bytes), Is.True);
            for (int i = 0; i < Iterations; i++)
            {
                byte[] input = new byte[bytes];
                for (int j = 0; j < bytes; j++)
                {
                    input[j] = (byte)(j % 4 == 3 ? 62 : (j * (i + 7)) >> 3);
                }

                engine.TrainIteration(input, [i % 4, (i + 1) % 4], 0.1, captured ? null : _ => { });
            }

            return [.. network.Parameters.SelectMany(engine.Store.GetWeight)];
        }
    }

    private static void AssertAll(ComputeDevice device, CudaDeviceVariable<byte> memory, byte expected, string what)
    {
        byte[] arrived = new byte[(int)(ulong)memory.SizeInBytes];
        HostCopy.ToHost<byte>(device, memory.DevicePointer, arrived);
        Assert.That(arrived, Has.All.EqualTo(expected), what);
        memory.Dispose();
    }
}
