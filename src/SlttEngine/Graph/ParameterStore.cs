using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>A network's parameters, gradients, optimiser state and statistics on the device.</summary>
/// <remarks>
/// Parameters, gradients and each optimiser state are one contiguous float buffer each with the same offsets, so that the
/// optimiser is one launch, the overflow check one, and an all-reduce over processes would be one.
/// </remarks>
public sealed class ParameterStore : IDisposable
{
    /// <summary>Each parameter begins at a multiple of this many elements (256 bytes).</summary>
    private const int Alignment = 64;

    private readonly int optimizerStates;
    private readonly long statisticsElements;
    private readonly CudaDeviceVariable<float>? weights;
    private readonly CudaDeviceVariable<float>? gradients;
    private readonly CudaDeviceVariable<float>[] optimizerState = [];
    private readonly CudaDeviceVariable<byte>? working;
    private readonly CudaDeviceVariable<byte>? stepGradients;
    private readonly CudaDeviceVariable<float>? statistics;
    private readonly CudaDeviceVariable<long>? counters;
    private readonly Dictionary<string, Parameter> byName;
    private readonly Dictionary<string, StatisticsBuffer> statisticsByName;

    /// <summary>Lays the buffers out; allocates them and sets the statistics to their initial values, or only counts their bytes.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">Whose parameters.</param>
    /// <param name="type">Compute type: 16-bit types have working weights and step gradients of their own.</param>
    /// <param name="optimizerStates">Float buffers that the optimiser keeps; negative: no gradients either (evaluation only).</param>
    /// <param name="allocate">False: for a plan; every address is then an offset from zero.</param>
    public ParameterStore(ComputeDevice device, Network network, ComputeType type, int optimizerStates, bool allocate = true)
    {
        (Device, Network, Type, this.optimizerStates) = (device, network, type, optimizerStates);
        (Elements, statisticsElements) = AssignOffsets(network);
        byName = network.Parameters.ToDictionary(p => p.Name);
        statisticsByName = network.Statistics.ToDictionary(s => s.Name);
        if (!allocate)
        {
            return;
        }

        weights = Zeroed(Elements);
        gradients = optimizerStates >= 0 ? Zeroed(Elements) : null;
        optimizerState = [.. Enumerable.Range(0, Math.Max(0, optimizerStates)).Select(_ => Zeroed(Elements))];
        if (type != ComputeType.Float32)
        {
            working = new CudaDeviceVariable<byte>(Elements * type.Size());
            if (optimizerStates >= 0)
            {
                // What no layer writes (biases, batch norm) must add nothing when the step's gradients are added up.
                stepGradients = new CudaDeviceVariable<byte>(Elements * type.Size());
                stepGradients.MemsetAsync((byte)0, device.Stream.Stream);
            }
        }

        statistics = Zeroed(statisticsElements);
        counters = new CudaDeviceVariable<long>(Counters);
        counters.MemsetAsync(0u, device.Stream.Stream);
        foreach (StatisticsBuffer buffer in network.Statistics.Where(s => !s.IsCounter))
        {
            float[] initial = new float[buffer.Count];
            Array.Fill(initial, buffer.Initial);
            Write(statistics, buffer.Offset, initial);
        }
    }

    /// <summary>The device.</summary>
    public ComputeDevice Device { get; }

    /// <summary>Whose parameters.</summary>
    public Network Network { get; }

    /// <summary>Compute type of the working weights.</summary>
    public ComputeType Type { get; }

    /// <summary>Elements of the parameter buffer, padding included.</summary>
    public long Elements { get; }

    /// <summary>Start of the master weights (float).</summary>
    public CUdeviceptr Weights => weights?.DevicePointer ?? default;

    /// <summary>Start of the gradients (float).</summary>
    public CUdeviceptr Gradients => gradients?.DevicePointer ?? default;

    /// <summary>Start of the working weights in the compute type; the master weights with float32.</summary>
    public CUdeviceptr WorkingWeights => working?.DevicePointer ?? Weights;

    /// <summary>Start of one step's filter gradients in the compute type; with float32 the gradients themselves.</summary>
    public CUdeviceptr StepGradients => stepGradients?.DevicePointer ?? Gradients;

    /// <summary>Bytes on the device by kind: weights (master and working), gradients (sum and step), optimiser, statistics.</summary>
    public (long Weights, long Gradients, long Optimizer, long Statistics) Bytes
    {
        get
        {
            (long weights, long gradients, long optimizer) = BytesOf(Elements);
            return (weights, gradients, optimizer, (statisticsElements * 4) + (Counters * 8));
        }
    }

    /// <summary>Bytes of a parameter in each of the buffers: weights, gradients, optimiser states.</summary>
    /// <param name="parameter">The parameter.</param>
    public (long Weights, long Gradients, long Optimizer) BytesOf(Parameter parameter) => BytesOf(Padded(parameter.Count));

    private (long Weights, long Gradients, long Optimizer) BytesOf(long elements)
    {
        long twice = Type == ComputeType.Float32 ? 0 : elements * Type.Size();
        return ((elements * 4) + twice, optimizerStates >= 0 ? (elements * 4) + twice : 0, Math.Max(0, optimizerStates) * elements * 4);
    }

    /// <summary>Bytes of a statistics buffer.</summary>
    /// <param name="buffer">The buffer.</param>
    public static long BytesOf(StatisticsBuffer buffer) => buffer.IsCounter ? 8 : Padded(buffer.Count) * 4;

    private int Counters => Math.Max(1, Network.Statistics.Count(s => s.IsCounter));

    /// <summary>Start of an optimiser state (float).</summary>
    /// <param name="index">SGD: 0 momentum_buffer; AdamW: 0 exp_avg, 1 exp_avg_sq.</param>
    public CUdeviceptr OptimizerState(int index) => optimizerState[index].DevicePointer;

    /// <summary>Address of a parameter's master weights (float).</summary>
    /// <param name="parameter">The parameter.</param>
    public CUdeviceptr Weight(Parameter parameter) => At(Weights, parameter.Offset * 4);

    /// <summary>Address of a parameter's working weights in the compute type.</summary>
    /// <param name="parameter">The parameter.</param>
    public CUdeviceptr WorkingWeight(Parameter parameter) => At(WorkingWeights, parameter.Offset * Type.Size());

    /// <summary>Address of a parameter's gradient (float).</summary>
    /// <param name="parameter">The parameter.</param>
    public CUdeviceptr Gradient(Parameter parameter) => At(Gradients, parameter.Offset * 4);

    /// <summary>Address of a parameter's step gradient in the compute type.</summary>
    /// <param name="parameter">The parameter.</param>
    public CUdeviceptr StepGradient(Parameter parameter) => At(StepGradients, parameter.Offset * Type.Size());

    /// <summary>Address of a statistics buffer (float, or the 64-bit counter).</summary>
    /// <param name="buffer">The buffer.</param>
    public CUdeviceptr Statistic(StatisticsBuffer buffer) => buffer.IsCounter
        ? At(counters?.DevicePointer ?? default, buffer.Offset * 8)
        : At(statistics?.DevicePointer ?? default, buffer.Offset * 4);

    /// <summary>Sets a parameter.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="values">Elements in PyTorch's order.</param>
    public void SetWeight(Parameter parameter, ReadOnlySpan<float> values) => Write(weights!, parameter.Offset, parameter.ToDevice(values));

    /// <summary>A parameter's elements in PyTorch's order.</summary>
    /// <param name="parameter">The parameter.</param>
    public float[] GetWeight(Parameter parameter) => parameter.FromDevice(Read(weights!, parameter.Offset, parameter.Count));

    /// <summary>A parameter's gradient in PyTorch's order.</summary>
    /// <param name="parameter">The parameter.</param>
    public float[] GetGradient(Parameter parameter) => parameter.FromDevice(Read(gradients!, parameter.Offset, parameter.Count));

    /// <summary>A parameter's optimiser state in PyTorch's order.</summary>
    /// <param name="index">As <see cref="OptimizerState"/>.</param>
    /// <param name="parameter">The parameter.</param>
    public float[] GetOptimizerState(int index, Parameter parameter) => parameter.FromDevice(Read(optimizerState[index], parameter.Offset, parameter.Count));

    /// <summary>Sets a parameter's optimiser state.</summary>
    /// <param name="index">As <see cref="OptimizerState"/>.</param>
    /// <param name="parameter">The parameter.</param>
    /// <param name="values">Elements in PyTorch's order.</param>
    public void SetOptimizerState(int index, Parameter parameter, ReadOnlySpan<float> values) =>
        Write(optimizerState[index], parameter.Offset, parameter.ToDevice(values));

    /// <summary>A statistics buffer's elements.</summary>
    /// <param name="buffer">A float buffer.</param>
    public float[] GetStatistic(StatisticsBuffer buffer) => Read(statistics!, buffer.Offset, buffer.Count);

    /// <summary>Sets a statistics buffer.</summary>
    /// <param name="buffer">A float buffer.</param>
    /// <param name="values">Its elements.</param>
    public void SetStatistic(StatisticsBuffer buffer, float[] values) => Write(statistics!, buffer.Offset, values);

    /// <summary>num_batches_tracked.</summary>
    /// <param name="buffer">A counter.</param>
    public long GetCounter(StatisticsBuffer buffer)
    {
        long[] value = new long[1];
        HostCopy.ToHost<long>(Device, At(counters!.DevicePointer, buffer.Offset * 8), value);
        return value[0];
    }

    /// <summary>Sets num_batches_tracked.</summary>
    /// <param name="buffer">A counter.</param>
    /// <param name="value">The count.</param>
    public void SetCounter(StatisticsBuffer buffer, long value) => HostCopy.ToDevice<long>(Device, At(counters!.DevicePointer, buffer.Offset * 8), [value]);

    /// <summary>Sets every parameter to its initial value, drawn from the seed and the parameter's place in order.</summary>
    /// <param name="seed">Seed of the run.</param>
    public void Initialize(ulong seed)
    {
        for (int i = 0; i < Network.Parameters.Count; i++)
        {
            SetWeight(Network.Parameters[i], InitialValues.Draw(Network.Parameters[i], seed, (ulong)i));
        }

        // The host's copies are as large as the weights; on the CPU device they would stay beside them for the whole run.
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    /// <summary>The parameter of that name, or null.</summary>
    /// <param name="name">PyTorch's name.</param>
    public Parameter? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>The statistics buffer of that name, or null.</summary>
    /// <param name="name">PyTorch's name.</param>
    public StatisticsBuffer? FindStatistic(string name) => statisticsByName.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Dispose()
    {
        weights?.Dispose();
        gradients?.Dispose();
        foreach (CudaDeviceVariable<float> state in optimizerState)
        {
            state.Dispose();
        }

        working?.Dispose();
        stepGradients?.Dispose();
        statistics?.Dispose();
        counters?.Dispose();
    }

    /// <summary>Elements that a parameter or statistics buffer takes up, padding included.</summary>
    /// <param name="count">Its own elements.</param>
    public static long Padded(long count) => (count + Alignment - 1) / Alignment * Alignment;

    /// <summary>Gives each parameter and statistics buffer its place; returns how many elements both buffers have.</summary>
    /// <param name="network">The network.</param>
    internal static (long Parameters, long Statistics) AssignOffsets(Network network)
    {
        long end = 0;
        foreach (Parameter parameter in network.Parameters)
        {
            parameter.Offset = end;
            end += Padded(parameter.Count);
        }

        (long floats, long counter) = (0, 0);
        foreach (StatisticsBuffer buffer in network.Statistics)
        {
            buffer.Offset = buffer.IsCounter ? counter++ : floats;
            floats += Padded(buffer.Count);
        }

        return (end, Math.Max(floats, Alignment));
    }

    private static CUdeviceptr At(CUdeviceptr start, long bytes) => new((ulong)start.Pointer + (ulong)bytes);

    private CudaDeviceVariable<float> Zeroed(long elements)
    {
        CudaDeviceVariable<float> buffer = new(elements);
        buffer.MemsetAsync(0u, Device.Stream.Stream);
        return buffer;
    }

    private void Write(CudaDeviceVariable<float> buffer, long offset, float[] values) =>
        HostCopy.ToDevice<float>(Device, At(buffer.DevicePointer, offset * 4), values);

    private float[] Read(CudaDeviceVariable<float> buffer, long offset, int count)
    {
        float[] values = new float[count];
        HostCopy.ToHost<float>(Device, At(buffer.DevicePointer, offset * 4), values);
        return values;
    }
}
