using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>A tensor that holds a number that is not finite.</summary>
/// <param name="Name">PyTorch's name: of a parameter, of a running statistic, or of a parameter's optimiser state.</param>
/// <param name="Value">The first such number.</param>
internal readonly record struct NonFiniteTensor(string Name, float Value);

/// <summary>Searches what a run keeps for NaN and infinity, on the device: parameters, optimiser state, running statistics.</summary>
/// <remarks>Not the gradients: they are scaled, and an update whose gradients overflow is skipped.</remarks>
internal sealed class NonFiniteSearch : IDisposable
{
    private const ulong None = ulong.MaxValue;

    private readonly ComputeDevice device;
    private readonly CudaDeviceVariable<ulong> first = new(1);
    private readonly List<(DevicePtr<float> Start, long Elements)> buffers = [];
    private readonly List<(string Name, DevicePtr<float> Start, long Elements)> tensors = [];

    /// <summary>Lists what is searched.</summary>
    /// <param name="store">The parameters, with their memory.</param>
    /// <param name="states">The optimiser's names of its states.</param>
    public NonFiniteSearch(ParameterStore store, IReadOnlyList<string> states)
    {
        device = store.Device;
        buffers.Add((store.Weights, store.Elements));
        tensors.AddRange(store.Network.Parameters.Select(p => (p.Name, store.Weight(p), (long)p.Count)));
        for (int i = 0; i < states.Count; i++)
        {
            int state = i;
            buffers.Add((store.OptimizerState(i), store.Elements));
            tensors.AddRange(store.Network.Parameters.Select(
                p => ($"{states[state]} of {p.Name}", store.OptimizerState(state, p), (long)p.Count)));
        }

        StatisticsBuffer[] statistics = [.. store.Network.Statistics.Where(s => !s.IsCounter)];
        if (statistics.Length > 0)
        {
            buffers.Add((store.Statistic(statistics[0]), statistics.Sum(s => ParameterStore.Padded(s.Count))));
            tensors.AddRange(statistics.Select(s => (s.Name, store.Statistic(s), (long)s.Count)));
        }
    }

    /// <summary>Tensors that are searched.</summary>
    public int Tensors => tensors.Count;

    /// <summary>Waits for the device; the tensors that hold NaN or infinity: none, in a run that is well.</summary>
    public IReadOnlyList<NonFiniteTensor> Find()
    {
        if (Search(buffers) == None)
        {
            return [];
        }

        List<NonFiniteTensor> found = [];
        foreach ((string name, DevicePtr<float> start, long elements) in tensors)
        {
            ulong index = Search([(start, elements)]);
            if (index != None)
            {
                float[] value = new float[1];
                HostCopy.ToHost<float>(device, new(start.Pointer.Pointer + (index * sizeof(float))), value);
                found.Add(new NonFiniteTensor(name, value[0]));
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => first.Dispose();

    /// <summary>The smallest index in any of the buffers.</summary>
    private ulong Search(IEnumerable<(DevicePtr<float> Start, long Elements)> where)
    {
        first.MemsetAsync(uint.MaxValue, device.Stream.Stream);
        foreach ((DevicePtr<float> start, long elements) in where)
        {
            device.Kernels.FindNonfinite(LaunchShape.Elements(device, elements, 4), new(first.DevicePointer), start, elements);
        }

        ulong[] index = new ulong[1];
        HostCopy.ToHost<ulong>(device, first.DevicePointer, index);
        return index[0];
    }
}
