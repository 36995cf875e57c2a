using System.Runtime.CompilerServices;
using ManagedCuda.BasicTypes;
using ManagedCuda.VectorTypes;

namespace ManagedCuda;

/// <summary>A kernel of a module, with the shape of its next launches.</summary>
public class CudaKernel
{
    private readonly CUfunction function;
    private readonly string name;

    /// <summary>Finds a kernel in a module. The shape is one block of 16 × 16 threads until it is set.</summary>
    /// <exception cref="CudaException">The module has no kernel of this name.</exception>
    public CudaKernel(string kernelName, CUmodule module)
    {
        name = kernelName;
        Driver.Check(DriverAPINativeMethods.ModuleManagement.cuModuleGetFunction(ref function, module, kernelName), kernelName);
        BlockDimensions = new dim3(16, 16, 1);
        GridDimensions = new dim3(1);
    }

    /// <summary>Threads of a block.</summary>
    public dim3 BlockDimensions { get; set; }

    /// <summary>Blocks of the grid.</summary>
    public dim3 GridDimensions { get; set; }

    /// <summary>Launches the kernel in a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="parameters">
    /// The kernel's arguments, in the types of its C signature: CUdeviceptr (a null pointer is its default), int, uint, long,
    /// ulong, float or double. They are copied before this returns.
    /// </param>
    /// <exception cref="ArgumentException">An argument has another type.</exception>
    /// <exception cref="CudaException">The driver refused the launch.</exception>
    public virtual unsafe void RunAsync(CUstream stream, params object[] parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        long* slots = stackalloc long[parameters.Length];
        nint[] addresses = new nint[parameters.Length];
        for (int i = 0; i < parameters.Length; i++)
        {
            addresses[i] = (nint)(slots + i);
            Store(parameters[i], slots + i);
        }

        (dim3 grid, dim3 block) = (GridDimensions, BlockDimensions);
        CUResult result = DriverAPINativeMethods.Launch.cuLaunchKernel(
            function, grid.x, grid.y, grid.z, block.x, block.y, block.z, 0, stream, addresses, null!);
        if (result != CUResult.Success)
        {
            throw Driver.Failure(result, "cuLaunchKernel", $"{name}, grid {grid}, block {block}, {parameters.Length} arguments");
        }
    }

    private static unsafe void Store(object? argument, void* slot)
    {
        switch (argument)
        {
            case CUdeviceptr pointer:
                Unsafe.WriteUnaligned(slot, pointer);
                break;
            case int value:
                Unsafe.WriteUnaligned(slot, value);
                break;
            case float value:
                Unsafe.WriteUnaligned(slot, value);
                break;
            case long value:
                Unsafe.WriteUnaligned(slot, value);
                break;
            case uint value:
                Unsafe.WriteUnaligned(slot, value);
                break;
            case ulong value:
                Unsafe.WriteUnaligned(slot, value);
                break;
            case double value:
                Unsafe.WriteUnaligned(slot, value);
                break;
            case null:
                throw new ArgumentNullException(nameof(argument), "a null pointer is given as default(CUdeviceptr)");
            default:
                throw new ArgumentException($"a kernel's argument can't be a {argument.GetType()}", nameof(argument));
        }
    }
}
