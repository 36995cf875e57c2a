using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>
/// Launches the engine's kernels: a method a kernel, generated from the kernels' own C++ signatures (Kernels.g.cs).
/// A launch goes to the device's stream, or is recorded while the stream is captured. It allocates nothing.
/// </summary>
/// <remarks>
/// Parameters have the names and types of the .cu. A pointer's default is the null pointer. <c>T</c> is float, Half or BFloat16.
/// One thread at a time may launch.
/// </remarks>
public sealed partial class Kernels
{
    private readonly CUmodule module;
    private readonly CUstream stream;
    private readonly string device;
    private readonly CUfunction[] functions = new CUfunction[Names.Length];
    private readonly nint[] addresses = new nint[MaxArguments];

    /// <summary>Creates the launchers of a module's kernels.</summary>
    /// <param name="module">The kernels.</param>
    /// <param name="stream">Where they run.</param>
    /// <param name="device">The device's name, for messages.</param>
    internal Kernels(CUmodule module, CUstream stream, string device)
    {
        this.module = module;
        this.stream = stream;
        this.device = device;
    }

    /// <summary>Launches a kernel.</summary>
    /// <param name="kernel">Its index in <see cref="Names"/>.</param>
    /// <param name="shape">Blocks and threads.</param>
    /// <param name="arguments">The address of each argument.</param>
    /// <exception cref="CudaException">The driver refused the launch, or the module lacks the kernel.</exception>
    internal void Launch(int kernel, LaunchShape shape, params ReadOnlySpan<nint> arguments)
    {
        CUfunction function = Function(kernel, shape);
        arguments.CopyTo(addresses);
        CUResult result = DriverAPINativeMethods.Launch.cuLaunchKernel(
            function, (uint)shape.Blocks, (uint)shape.Steps, (uint)shape.Tiles, (uint)shape.Threads, 1, 1, 0, stream, addresses, null!);
        Check(result, "cuLaunchKernel", kernel, shape);
    }

    /// <summary>A kernel's handle, for a graph's node.</summary>
    /// <param name="kernel">Its symbol.</param>
    /// <exception cref="CudaException">The module lacks it.</exception>
    internal CUfunction Function(string kernel) => Function(Array.IndexOf(Names, kernel), LaunchShape.Single);

    private CUfunction Function(int kernel, LaunchShape shape)
    {
        if (functions[kernel].Pointer == 0)
        {
            Check(
                DriverAPINativeMethods.ModuleManagement.cuModuleGetFunction(ref functions[kernel], module, Names[kernel]),
                "cuModuleGetFunction", kernel, shape);
        }

        return functions[kernel];
    }

    /// <summary>The number of a kernel's instance.</summary>
    /// <param name="instances">By the neuron's number and a bit for each array; -1: none.</param>
    /// <param name="neuron">The neuron's number.</param>
    /// <param name="given">Whether each array is given.</param>
    private static int Instance(ReadOnlySpan<sbyte> instances, int neuron, params ReadOnlySpan<bool> given)
    {
        int index = neuron;
        foreach (bool array in given)
        {
            index = (2 * index) + (array ? 1 : 0);
        }

        return instances[index] >= 0 ? instances[index] : throw new ArgumentException("no kernel takes these arrays together");
    }

    private void Check(CUResult result, string call, int kernel, LaunchShape shape)
    {
        if (result != CUResult.Success)
        {
            string launch = $"{Names[kernel]}, grid {shape.Grid}, block {shape.Threads}, on {device}";
            throw new CudaException(result, $"{call} ({launch}): {new CudaException(result).Message}", null);
        }
    }
}

/// <summary>The neurons that kernels are compiled for, each with its surrogate derivative (kernels/common/neuron.cuh).</summary>
internal enum NeuronKernel
{
    /// <summary>Triangle and rectangle.</summary>
    Piecewise,

    /// <summary>Sigmoid.</summary>
    Sigmoid,
}

/// <summary>Which neuron's kernels a surrogate takes.</summary>
internal static class NeuronKernels
{
    /// <summary>The neuron of a surrogate.</summary>
    /// <param name="surrogate">SurrogateKind of neuron.cuh.</param>
    public static NeuronKernel Of(int surrogate) => surrogate == 2 ? NeuronKernel.Sigmoid : NeuronKernel.Piecewise;
}

/// <summary>Names a kernel that a method of <see cref="Kernels"/> launches.</summary>
/// <param name="symbol">The kernel's symbol; of a generic method, without the compute type's suffix.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class KernelAttribute(string symbol) : Attribute
{
    /// <summary>The kernel's symbol.</summary>
    public string Symbol => symbol;
}
