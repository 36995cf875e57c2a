using ManagedCuda;
using ManagedCuda.BasicTypes;
using SlttEngine.Device;

namespace SlttEngine.Graph;

/// <summary>
/// What a run keeps on the device from iteration to iteration: parameters, gradients, optimiser state, statistics, run state.
/// </summary>
/// <remarks>
/// It is laid out at once and has memory from <see cref="Allocate"/> on; until then every address is null.
/// Parameters, gradients and each optimiser state are one contiguous float buffer each with the same offsets, so that the
/// optimiser is one launch, the overflow check one, and an all-reduce over processes would be one.
/// </remarks>
public sealed class ParameterStore : IDisposable
{
    /// <summary>Each parameter begins at a multiple of this many elements (256 bytes).</summary>
    private const int Alignment = 64;

    private readonly int optimizerStates;
    private readonly long statisticsElements;
    private readonly Dictionary<string, Parameter> byName;
    private readonly Dictionary<string, StatisticsBuffer> statisticsByName;
    private CudaDeviceVariable<float>? weights;
    private CudaDeviceVariable<float>? gradients;
    private CudaDeviceVariable<float>[] optimizerState = [];
    private CudaDeviceVariable<byte>? working;
    private CudaDeviceVariable<float>? statistics;
    private CudaDeviceVariable<long>? counters;
    private CudaDeviceVariable<byte>? runState;
    private CudaDeviceVariable<double>? metricSums;
    private CudaDeviceVariable<uint>? arrived;

    /// <summary>Lays the buffers out; nothing is allocated.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">Whose parameters.</param>
    /// <param name="type">Training's compute type.</param>
    /// <param name="optimizerStates">Float buffers that the optimiser keeps; negative: no gradients either (evaluation only).</param>
    /// <param name="workingType">Type of the working weights, where evaluation's is a 16-bit type and training's is not; null:
    /// training's.</param>
    public ParameterStore(
        ComputeDevice device, Network network, ComputeType type, int optimizerStates, ComputeType? workingType = null)
    {
        (Device, Network, Type, this.optimizerStates) = (device, network, type, optimizerStates);
        WorkingType = workingType ?? type;
        (Elements, statisticsElements) = AssignOffsets(network);
        byName = network.Parameters.ToDictionary(p => p.Name);
        statisticsByName = network.Statistics.ToDictionary(s => s.Name);
    }

    /// <summary>The device.</summary>
    public ComputeDevice Device { get; }

    /// <summary>Whose parameters.</summary>
    public Network Network { get; }

    /// <summary>Training's compute type.</summary>
    public ComputeType Type { get; }

    /// <summary>Type of the working weights: 16-bit types have some of their own, in float32 they are the master weights.</summary>
    public ComputeType WorkingType { get; }

    /// <summary>Elements of the parameter buffer, padding included.</summary>
    public long Elements { get; }

    /// <summary>Start of the master weights.</summary>
    public DevicePtr<float> Weights => Start(weights);

    /// <summary>Start of the gradients.</summary>
    public DevicePtr<float> Gradients => Start(gradients);

    /// <summary>What differs between steps and iterations.</summary>
    public DevicePtr<RunState> RunState => new(runState?.DevicePointer ?? default);

    /// <summary>Sums of loss, top-1, top-5 and samples over the batches since they were last read.</summary>
    public DevicePtr<double> MetricSums => Start(metricSums);

    /// <summary>
    /// Counters of the blocks that have come to the end of a launch whose last block finishes the sums: one for each tile of channels, 0
    /// between launches. All kernels share them, as they run one after the other.
    /// </summary>
    public DevicePtr<uint> Arrived => Start(arrived);

    /// <summary>Bytes on the device by kind: weights (master and working), gradients, optimiser, statistics.</summary>
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
        long working = WorkingType == ComputeType.Float32 ? 0 : elements * WorkingType.Size();
        return ((elements * 4) + working, optimizerStates >= 0 ? elements * 4 : 0, Math.Max(0, optimizerStates) * elements * 4);
    }

    /// <summary>Bytes of a statistics buffer.</summary>
    /// <param name="buffer">The buffer.</param>
    public static long BytesOf(StatisticsBuffer buffer) => buffer.IsCounter ? 8 : Padded(buffer.Count) * 4;

    private int Counters => Math.Max(1, Network.Statistics.Count(s => s.IsCounter));

    /// <summary>Start of an optimiser state.</summary>
    /// <param name="index">SGD: 0 momentum_buffer; AdamW: 0 exp_avg, 1 exp_avg_sq.</param>
    public DevicePtr<float> OptimizerState(int index) => Start(optimizerState[index]);

    /// <summary>Address of a parameter's optimiser state.</summary>
    /// <param name="index">As <see cref="OptimizerState(int)"/>.</param>
    /// <param name="parameter">The parameter.</param>
    public DevicePtr<float> OptimizerState(int index, Parameter parameter) => At(OptimizerState(index), parameter.Offset);

    /// <summary>Address of a parameter's master weights.</summary>
    /// <param name="parameter">The parameter.</param>
    public DevicePtr<float> Weight(Parameter parameter) => At(Weights, parameter.Offset);

    /// <summary>Address of a parameter's master weights; a null pointer if there is no parameter.</summary>
    /// <param name="parameter">The parameter, or null.</param>
    public DevicePtr<float> WeightOrNull(Parameter? parameter) => parameter is null ? default : Weight(parameter);

    /// <summary>Address of a parameter's gradient.</summary>
    /// <param name="parameter">The parameter.</param>
    public DevicePtr<float> Gradient(Parameter parameter) => At(Gradients, parameter.Offset);

    /// <summary>Start of the working weights in a compute type; in float the master weights.</summary>
    /// <typeparam name="T">float, or the store's 16-bit type.</typeparam>
    public DevicePtr<T> WorkingWeights<T>()
        where T : unmanaged => OfType<T>(weights, working);

    /// <summary>Address of a parameter's working weights in a compute type; in float the master weights.</summary>
    /// <typeparam name="T">float, or the store's 16-bit type.</typeparam>
    /// <param name="parameter">The parameter.</param>
    public DevicePtr<T> WorkingWeight<T>(Parameter parameter)
        where T : unmanaged => At(WorkingWeights<T>(), parameter.Offset);

    /// <summary>Address of a statistics buffer.</summary>
    /// <param name="buffer">A float buffer.</param>
    public DevicePtr<float> Statistic(StatisticsBuffer buffer) => At(Start(statistics), buffer.Offset);

    /// <summary>Address of a counter.</summary>
    /// <param name="buffer">num_batches_tracked.</param>
    public DevicePtr<long> Counter(StatisticsBuffer buffer) => At(Start(counters), buffer.Offset);

    /// <summary>Gives the buffers their memory and sets the statistics to their initial values.</summary>
    public void Allocate()
    {
        weights = Zeroed(Elements);
        gradients = optimizerStates >= 0 ? Zeroed(Elements) : null;
        optimizerState = [.. Enumerable.Range(0, Math.Max(0, optimizerStates)).Select(_ => Zeroed(Elements))];
        if (WorkingType != ComputeType.Float32)
        {
            working = new CudaDeviceVariable<byte>(Elements * WorkingType.Size());
        }

        statistics = Zeroed(statisticsElements);
        counters = new CudaDeviceVariable<long>(Counters);
        counters.MemsetAsync(0u, Device.Stream.Stream);
        foreach (StatisticsBuffer buffer in Network.Statistics.Where(s => !s.IsCounter))
        {
            float[] initial = new float[buffer.Count];
            Array.Fill(initial, buffer.Initial);
            SetStatistic(buffer, initial);
        }

        runState = new CudaDeviceVariable<byte>(System.Runtime.InteropServices.Marshal.SizeOf<RunState>());
        runState.MemsetAsync((byte)0, Device.Stream.Stream);
        metricSums = new CudaDeviceVariable<double>(4);
        metricSums.MemsetAsync(0u, Device.Stream.Stream);

        // Sums by channel are those of batch norms' and biases' gradients: parameters with one number a channel.
        int channels = Network.Parameters.Where(p => p.Shape.Length == 1).Select(p => p.Count).Append(1).Max();
        arrived = new CudaDeviceVariable<uint>(LaunchShape.TilesOf(channels));
        arrived.MemsetAsync(0u, Device.Stream.Stream);
    }

    /// <summary>Sets a parameter.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="values">Elements in PyTorch's order.</param>
    public void SetWeight(Parameter parameter, ReadOnlySpan<float> values) => Write(Weight(parameter), parameter.ToDevice(values));

    /// <summary>A parameter's elements in PyTorch's order.</summary>
    /// <param name="parameter">The parameter.</param>
    public float[] GetWeight(Parameter parameter) => parameter.FromDevice(Read(Weight(parameter), parameter.Count));

    /// <summary>A parameter's gradient in PyTorch's order.</summary>
    /// <param name="parameter">The parameter.</param>
    public float[] GetGradient(Parameter parameter) => parameter.FromDevice(Read(Gradient(parameter), parameter.Count));

    /// <summary>A parameter's optimiser state in PyTorch's order.</summary>
    /// <param name="index">As <see cref="OptimizerState(int)"/>.</param>
    /// <param name="parameter">The parameter.</param>
    public float[] GetOptimizerState(int index, Parameter parameter) =>
        parameter.FromDevice(Read(OptimizerState(index, parameter), parameter.Count));

    /// <summary>Sets a parameter's optimiser state.</summary>
    /// <param name="index">As <see cref="OptimizerState(int)"/>.</param>
    /// <param name="parameter">The parameter.</param>
    /// <param name="values">Elements in PyTorch's order.</param>
    public void SetOptimizerState(int index, Parameter parameter, ReadOnlySpan<float> values) =>
        Write(OptimizerState(index, parameter), parameter.ToDevice(values));

    /// <summary>A statistics buffer's elements.</summary>
    /// <param name="buffer">A float buffer.</param>
    public float[] GetStatistic(StatisticsBuffer buffer) => Read(Statistic(buffer), buffer.Count);

    /// <summary>Sets a statistics buffer.</summary>
    /// <param name="buffer">A float buffer.</param>
    /// <param name="values">Its elements.</param>
    public void SetStatistic(StatisticsBuffer buffer, float[] values) => Write(Statistic(buffer), values);

    /// <summary>num_batches_tracked.</summary>
    /// <param name="buffer">A counter.</param>
    public long GetCounter(StatisticsBuffer buffer)
    {
        long[] value = new long[1];
        HostCopy.ToHost<long>(Device, Counter(buffer).Pointer, value);
        return value[0];
    }

    /// <summary>Sets num_batches_tracked.</summary>
    /// <param name="buffer">A counter.</param>
    /// <param name="value">The count.</param>
    public void SetCounter(StatisticsBuffer buffer, long value) => HostCopy.ToDevice<long>(Device, Counter(buffer).Pointer, [value]);

    /// <summary>Sets every parameter to its initial value, drawn from the seed and the parameter's place in order.</summary>
    /// <param name="seed">Seed of the run.</param>
    public void Initialize(ulong seed)
    {
        for (int i = 0; i < Network.Parameters.Count; i++)
        {
            SetWeight(Network.Parameters[i], InitialValues.Draw(Network.Parameters[i], seed, (ulong)i));
        }

        // The host's copies are as large as the weights. On the CPU device they would stay in memory for the whole run.
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
        statistics?.Dispose();
        counters?.Dispose();
        runState?.Dispose();
        metricSums?.Dispose();
        arrived?.Dispose();
    }

    /// <summary>Elements that a parameter or statistics buffer takes up, padding included.</summary>
    /// <param name="count">Its elements.</param>
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

    private static DevicePtr<T> Start<T>(CudaDeviceVariable<T>? memory)
        where T : unmanaged => new(memory?.DevicePointer ?? default);

    private static unsafe DevicePtr<T> At<T>(DevicePtr<T> start, long element)
        where T : unmanaged => new(new CUdeviceptr((ulong)start.Pointer.Pointer + (ulong)(element * sizeof(T))));

    private DevicePtr<T> OfType<T>(CudaDeviceVariable<float>? single, CudaDeviceVariable<byte>? half)
        where T : unmanaged => KernelType<T>.Type == ComputeType.Float32
        ? new(single?.DevicePointer ?? default)
        : KernelType<T>.Type == WorkingType ? new(half?.DevicePointer ?? default)
        : throw new InvalidOperationException($"the store's working type is {WorkingType}, not {KernelType<T>.Type}");

    private CudaDeviceVariable<float> Zeroed(long elements)
    {
        CudaDeviceVariable<float> buffer = new(elements);
        buffer.MemsetAsync(0u, Device.Stream.Stream);
        return buffer;
    }

    private void Write(DevicePtr<float> target, float[] values) => HostCopy.ToDevice<float>(Device, target.Pointer, values);

    private float[] Read(DevicePtr<float> source, int count)
    {
        float[] values = new float[count];
        HostCopy.ToHost<float>(Device, source.Pointer, values);
        return values;
    }
}
