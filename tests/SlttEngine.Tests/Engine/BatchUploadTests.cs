using ManagedCuda;
using SlttEngine.Device;

namespace SlttEngine.Tests.Engine;

/// <summary>
/// On the device whose streams wait until they are waited for: there a copy reads page-locked memory when it runs, as on a GPU.
/// </summary>
public sealed class BatchUploadTests
{
    [Test]
    public void Batches_given_one_after_the_other_all_arrive_though_their_memory_is_reused()
    {
        using ComputeDevice device = ComputeDevice.Open(
            SharedDevice.Choice == DeviceChoice.Cuda ? DeviceKind.Cuda : DeviceKind.CpuFaithful);
        int[] sizes = [100_000, 100_000, 64, 100_000, 200_000, 100_000, 200_000];
        CudaDeviceVariable<byte>[] targets = [.. sizes.Select(size => new CudaDeviceVariable<byte>(size))];
        byte[] batch = new byte[sizes.Max()];
        using (BatchUpload uploads = new(device))
        {
            for (int i = 0; i < sizes.Length; i++)
            {
                Array.Fill(batch, (byte)(i + 1));
                uploads.Write(targets[i].DevicePointer, batch.AsSpan(0, sizes[i]));
            }

            Array.Clear(batch);
        }

        for (int i = 0; i < sizes.Length; i++)
        {
            byte[] arrived = new byte[sizes[i]];
            HostCopy.ToHost<byte>(device, targets[i].DevicePointer, arrived);
            Assert.That(arrived, Has.All.EqualTo((byte)(i + 1)), $"batch {i}");
            targets[i].Dispose();
        }
    }
}
