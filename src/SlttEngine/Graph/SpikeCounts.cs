using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>How often the neurons of a network fired in evaluation: added up for each neuron on the device, for each pixel of a layer here. Exact.</summary>
internal sealed class SpikeCounts : IDisposable
{
    /// <summary>A neuron's spikes add up in a float, which is exact up to here.</summary>
    private const long Exact = 1 << 24;

    private readonly ComputeDevice device;
    private readonly Dictionary<Edge, (long Offset, long[] Pixels)> layers = [];
    private readonly CudaDeviceVariable<float> sums;
    private long most;

    /// <summary>Makes room for a float a neuron.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">Whose neurons.</param>
    public SpikeCounts(ComputeDevice device, Network network)
    {
        this.device = device;
        long end = 0;
        foreach (Edge spikes in network.Layers.Select(l => l.Spikes).OfType<Edge>())
        {
            layers.Add(spikes, (end, new long[spikes.Height * spikes.Width]));
            end += ParameterStore.Padded(spikes.Elements);
        }

        sums = new CudaDeviceVariable<float>(end);
        sums.MemsetAsync(0u, device.Stream.Stream);
    }

    /// <summary>Where the device adds up a layer's spikes: a float for each neuron of a sample.</summary>
    /// <param name="spikes">The layer's <see cref="Layer.Spikes"/>.</param>
    public CUdeviceptr Of(Edge spikes) => new((ulong)sums.DevicePointer.Pointer + (ulong)(4 * layers[spikes].Offset));

    /// <summary>To be called before each evaluation, so that no sum leaves the exact range.</summary>
    /// <param name="spikes">Most spikes that a neuron can add: samples · steps.</param>
    public void Reserve(long spikes)
    {
        if (most + spikes > Exact)
        {
            Collect();
        }

        most += spikes;
    }

    /// <summary>Spikes so far at each pixel (H·W) of a layer, all samples, steps and channels together.</summary>
    /// <param name="spikes">The layer's <see cref="Layer.Spikes"/>.</param>
    public IReadOnlyList<long> Pixels(Edge spikes)
    {
        Collect();
        return layers[spikes].Pixels;
    }

    /// <inheritdoc/>
    public void Dispose() => sums.Dispose();

    private void Collect()
    {
        if (most == 0)
        {
            return;
        }

        foreach ((Edge spikes, (_, long[] pixels)) in layers)
        {
            float[] counts = new float[spikes.Elements];
            HostCopy.ToHost<float>(device, Of(spikes), counts);
            for (int i = 0; i < counts.Length; i++)
            {
                pixels[i / spikes.Channels] += (long)counts[i];
            }
        }

        sums.MemsetAsync(0u, device.Stream.Stream);
        most = 0;
    }
}
