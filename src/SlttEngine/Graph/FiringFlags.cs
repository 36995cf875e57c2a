using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>Whether any neuron of a layer fired in evaluation, and whether any stayed silent: two numbers a layer on the device.</summary>
/// <param name="device">The device.</param>
/// <param name="network">Whose neurons.</param>
internal sealed class FiringFlags(ComputeDevice device, Network network) : IDisposable
{
    private readonly List<Edge> layers = [.. network.Layers.Select(l => l.Spikes).OfType<Edge>()];
    private CudaDeviceVariable<int>? flags;

    /// <summary>Gives the flags their memory and clears them.</summary>
    public void Allocate()
    {
        flags = new CudaDeviceVariable<int>(Math.Max(1, 2 * layers.Count));
        Clear();
    }

    /// <summary>Begins anew.</summary>
    public void Clear() => flags!.MemsetAsync(0u, device.Stream.Stream);

    /// <summary>Where the device notes that a neuron of a layer fired.</summary>
    /// <param name="spikes">The layer's <see cref="Layer.Spikes"/>.</param>
    public DevicePtr<int> Fired(Edge spikes) => At(2 * layers.IndexOf(spikes));

    /// <summary>Where the device notes that a neuron of a layer did not fire in a step.</summary>
    /// <param name="spikes">The layer's <see cref="Layer.Spikes"/>.</param>
    public DevicePtr<int> Silent(Edge spikes) => At((2 * layers.IndexOf(spikes)) + 1);

    /// <summary>Waits for the device; what the layers did since <see cref="Clear"/>.</summary>
    public IReadOnlyList<(string Layer, bool Fired, bool Silent)> Read()
    {
        int[] values = new int[2 * layers.Count];
        HostCopy.ToHost<int>(device, flags!.DevicePointer, values);
        return [.. layers.Select((layer, i) => (layer.Name, values[2 * i] != 0, values[(2 * i) + 1] != 0))];
    }

    /// <inheritdoc/>
    public void Dispose() => flags?.Dispose();

    private DevicePtr<int> At(int index) =>
        new(new CUdeviceptr((ulong)flags!.DevicePointer.Pointer + (ulong)(sizeof(int) * index)));
}
