using ManagedCuda.BasicTypes;
using SlttEngine.Device;
using SlttEngine.Tests.Dnn;

namespace SlttEngine.Tests.Kernels;

/// <summary>The memory of one run of a kernel over several steps, which one launch or one launch a step does.</summary>
internal sealed class StepMemory(ComputeDevice device, int steps) : IDisposable
{
    private readonly List<DeviceArray<byte>> arrays = [];

    /// <summary>Stands for the number of steps that a launch does.</summary>
    public static object Steps { get; } = new();

    /// <summary>An array with a part for each step, of these values.</summary>
    public StepArray ByStep(ComputeType type, float[] values) =>
        Add(Numbers.Encode(values, type), values.Length / steps * type.Size(), address => Tensor.Typed(type, address));

    /// <summary>A poisoned array with so many elements for each step.</summary>
    public StepArray ByStep(ComputeType type, int elements) =>
        Add(Poison(steps * elements * type.Size()), elements * type.Size(), address => Tensor.Typed(type, address));

    /// <summary>A poisoned array of partial sums.</summary>
    public StepArray Partials(int elements) =>
        Add(Poison(steps * elements * sizeof(double)), elements * sizeof(double), address => new DevicePtr<double>(address));

    /// <summary>Counters, 0, that all steps share.</summary>
    public StepArray Counters(int count) => Add(new byte[count * sizeof(uint)], 0, address => new DevicePtr<uint>(address));

    /// <summary>An array that all steps share.</summary>
    public StepArray Once(ComputeType type, float[] values) =>
        Add(Numbers.Encode(values, type), 0, address => Tensor.Typed(type, address));

    /// <summary>A poisoned array that all steps share.</summary>
    public StepArray Once(ComputeType type, int elements) =>
        Add(Poison(elements * type.Size()), 0, address => Tensor.Typed(type, address));

    /// <summary>What a launch gets that begins at a step.</summary>
    public static object Each(Func<int, object> argument) => argument;

    /// <summary>The step before: what is before the first step, then the array's own.</summary>
    public static object Before(object first, StepArray array) =>
        Each(step => step > 0 ? array.At(step - 1) : first is StepArray other ? other.At(0) : first);

    /// <summary>The arguments of a launch of so many steps from one on.</summary>
    public static object[] Of(object[] arguments, int first, int count) => [
        .. arguments.Select(a => a == Steps ? count : a switch
        {
            StepArray array => array.At(first),
            Func<int, object> each => each(first),
            _ => a,
        })];

    /// <summary>All that the memory holds.</summary>
    public byte[][] Read() => [.. arrays.Select(a => a.Read())];

    public void Dispose() => arrays.ForEach(a => a.Dispose());

    private static byte[] Poison(int bytes)
    {
        byte[] all = new byte[bytes];
        all.AsSpan().Fill(0xff);
        return all;
    }

    private StepArray Add(byte[] bytes, int stride, Func<CUdeviceptr, object> typed)
    {
        DeviceArray<byte> memory = new(device, bytes);
        arrays.Add(memory);
        return new(memory, stride, typed);
    }
}

/// <summary>An array in device memory, and how many bytes its steps are apart.</summary>
internal sealed record StepArray(DeviceArray<byte> Memory, int Stride, Func<CUdeviceptr, object> Typed)
{
    /// <summary>The address of a step's part.</summary>
    public object At(int step) => Typed(Memory.Pointer.Pointer + (step * Stride));
}
