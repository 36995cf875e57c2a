using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>
/// How often the neurons of a network fired in evaluation: added up for each neuron on the device, for each pixel of a layer here. Exact.
/// </summary>
internal sealed class SpikeCounts : IDisposable
{
    /// <summary>A neuron's spikes add up in a float, which is exact up to here.</summary>
    private const long Exact = 1 << 24;

    private readonly ComputeDevice device;
    private readonly Dictionary<Edge, (long Offset, long[] Pixels)> layers = [];
    private readonly long elements;
    private CudaDeviceVariable<float>? sums;
    private long reserved;

    /// <summary>Lays out a float a neuron; nothing is allocated.</summary>
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

        elements = end;
    }

    /// <summary>Gives the counts their memory and sets them to zero.</summary>
    public void Allocate()
    {
        sums = new CudaDeviceVariable<float>(elements);
        sums.MemsetAsync(0u, device.Stream.Stream);
    }

    /// <summary>Where the device adds up a layer's spikes: a float for each neuron of a sample.</summary>
    /// <param name="spikes">The layer's <see cref="Layer.Spikes"/>.</param>
    public DevicePtr<float> Of(Edge spikes) =>
        new(new CUdeviceptr((ulong)sums!.DevicePointer.Pointer + (ulong)(4 * layers[spikes].Offset)));

    /// <summary>To be called before each evaluation, so that no sum leaves the exact range.</summary>
    /// <param name="spikes">Most spikes that a neuron can add: samples · steps.</param>
    public void Reserve(long spikes)
    {
        if (reserved + spikes > Exact)
        {
            Collect();
        }

        reserved += spikes;
    }

    /// <summary>Spikes so far at each pixel (H·W) of a layer, all samples, steps and channels together.</summary>
    /// <param name="spikes">The layer's <see cref="Layer.Spikes"/>.</param>
    public IReadOnlyList<long> Pixels(Edge spikes)
    {
        Collect();
        return layers[spikes].Pixels;
    }

    /// <inheritdoc/>
    public void Dispose() => sums?.Dispose();

    private void Collect()
    {
        if (reserved == 0)
        {
            return;
        }

        foreach ((Edge spikes, (_, long[] pixels)) in layers)
        {
            float[] counts = new float[spikes.Elements];
            HostCopy.ToHost<float>(device, Of(spikes).Pointer, counts);
            for (int i = 0; i < counts.Length; i++)
            {
                pixels[i / spikes.Channels] += (long)counts[i];
            }
        }

        sums!.MemsetAsync(0u, device.Stream.Stream);
        reserved = 0;
    }
}
