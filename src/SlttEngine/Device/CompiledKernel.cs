using System.Runtime.InteropServices;
using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>A kernel of a user's own, compiled and loaded: launched by its name, with the arguments checked.</summary>
/// <remarks>As with <see cref="Kernels"/>, one thread at a time may launch, and a launch allocates nothing.</remarks>
public sealed class CompiledKernel
{
    private readonly ComputeDevice device;
    private readonly string source;
    private readonly SourceKernel kernel;
    private readonly CUfunction function;
    private readonly long[] values;
    private readonly nint[] addresses;

    internal CompiledKernel(ComputeDevice device, string source, SourceKernel kernel, CUfunction function)
    {
        (this.device, this.source, this.kernel, this.function) = (device, source, kernel, function);

        // Pinned: the driver reads the arguments through their addresses.
        values = GC.AllocateArray<long>(Math.Max(kernel.Parameters.Count, 1), pinned: true);
        addresses = [.. values.Select((_, i) => Marshal.UnsafeAddrOfPinnedArrayElement(values, i))];
    }

    /// <summary>Its symbol, with the compute type's suffix if it has one.</summary>
    public string Name => kernel.Name;

    /// <summary>Launches the kernel on the device's stream, or records the launch while the stream is captured.</summary>
    /// <param name="shape">Blocks and threads.</param>
    /// <param name="arguments">The kernel's arguments, in the source's order.</param>
    /// <exception cref="SlttException">Their number or a type is not the kernel's, or the driver refuses the launch.</exception>
    public void Launch(LaunchShape shape, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (arguments.Length != kernel.Parameters.Count)
        {
            string list = string.Join(", ", kernel.Parameters.Select(p => $"{p} {p.Name}".TrimEnd()));
            throw new SlttException(
                ErrorKind.Usage,
                $"{source}: {Name} has {kernel.Parameters.Count} parameters, but {arguments.Length} arguments are passed",
                $"pass ({list})");
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            SourceParameter parameter = kernel.Parameters[i];
            if (!parameter.Takes(arguments[i]))
            {
                string name = parameter.Name.Length == 0 ? "" : $", {parameter.Name},";
                throw new SlttException(
                    ErrorKind.Usage,
                    $"{source}: {Name}'s parameter {i + 1}{name} is {parameter}, "
                        + $"but the argument is {SourceParameter.Describe(arguments[i])}",
                    $"pass {parameter.CSharp}, or change the kernel's parameter");
            }

            values[i] = arguments[i].Bits;
        }

        CUResult result = DriverAPINativeMethods.Launch.cuLaunchKernel(
            function, (uint)shape.Blocks, (uint)shape.Steps, (uint)shape.Tiles, (uint)shape.Threads, 1, 1, 0, device.Stream.Stream,
            addresses, null!);
        if (result != CUResult.Success)
        {
            throw new SlttException(
                ErrorKind.Device,
                $"{source}: {Name}, grid {shape.Grid}, block {shape.Threads}, on {device.Name}: {new CudaException(result).Message}",
                "check the launch's shape, and that each pointer is a buffer of this device");
        }
    }
}
