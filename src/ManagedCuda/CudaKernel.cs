using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;
using ManagedCuda.VectorTypes;

namespace ManagedCuda;

/// <summary>A kernel of a module, with the shape of its next launches.</summary>
public class CudaKernel
{
    private readonly CUfunction function;

    /// <summary>Takes a kernel from a module; blocks of 16 × 16 threads, one block.</summary>
    public CudaKernel(string kernelName, CUmodule module)
    {
        KernelName = kernelName;
        CUModule = module;
        CUResult result = DriverAPINativeMethods.ModuleManagement.cuModuleGetFunction(ref function, module, kernelName);
        if (result != CUResult.Success)
        {
            throw Driver.Failure(result, "cuModuleGetFunction", kernelName);
        }

        BlockDimensions = new dim3(16, 16, 1);
        GridDimensions = new dim3(1, 1, 1);
        MaxThreadsPerBlock = Attribute(CUFunctionAttribute.MaxThreadsPerBlock);
        SharedMemory = Attribute(CUFunctionAttribute.SharedSizeBytes);
        ConstMemory = Attribute(CUFunctionAttribute.ConstSizeBytes);
        LocalMemory = Attribute(CUFunctionAttribute.LocalSizeBytes);
        Registers = Attribute(CUFunctionAttribute.NumRegs);
        PtxVersion = TenthsVersion(Attribute(CUFunctionAttribute.PTXVersion));
        BinaryVersion = TenthsVersion(Attribute(CUFunctionAttribute.BinaryVersion));
        CacheModeCA = Attribute(CUFunctionAttribute.CacheModeCA) != 0;
    }

    /// <summary>Takes a kernel from a module.</summary>
    public CudaKernel(string kernelName, CUmodule module, CudaContext cuda)
        : this(kernelName, module)
    {
    }

    /// <summary>Takes a kernel from a module, with its shape.</summary>
    public CudaKernel(string kernelName, CUmodule module, dim3 blockDim)
        : this(kernelName, module) => BlockDimensions = blockDim;

    /// <summary>Takes a kernel from a module, with its shape.</summary>
    public CudaKernel(string kernelName, CUmodule module, dim3 blockDim, dim3 gridDim)
        : this(kernelName, module, blockDim) => GridDimensions = gridDim;

    /// <summary>Takes a kernel from a module, with its shape and dynamic shared memory in bytes.</summary>
    public CudaKernel(string kernelName, CUmodule module, dim3 blockDim, dim3 gridDim, uint sharedMemory)
        : this(kernelName, module, blockDim, gridDim) => DynamicSharedMemory = sharedMemory;

    /// <summary>Takes a kernel from a module, with its shape.</summary>
    public CudaKernel(string kernelName, CUmodule module, CudaContext cuda, dim3 blockDim)
        : this(kernelName, module, blockDim)
    {
    }

    /// <summary>Takes a kernel from a module, with its shape.</summary>
    public CudaKernel(string kernelName, CUmodule module, CudaContext cuda, dim3 blockDim, dim3 gridDim)
        : this(kernelName, module, blockDim, gridDim)
    {
    }

    /// <summary>Takes a kernel from a module, with its shape and dynamic shared memory in bytes.</summary>
    public CudaKernel(string kernelName, CUmodule module, CudaContext cuda, dim3 blockDim, dim3 gridDim, uint sharedMemory)
        : this(kernelName, module, blockDim, gridDim, sharedMemory)
    {
    }

    /// <summary>The kernel's symbol.</summary>
    public string KernelName { get; }

    /// <summary>The module.</summary>
    public CUmodule CUModule { get; }

    /// <summary>The native handle.</summary>
    public CUfunction CUFunction => function;

    /// <summary>Threads of a block.</summary>
    public dim3 BlockDimensions { get; set; }

    /// <summary>Blocks of the grid.</summary>
    public dim3 GridDimensions { get; set; }

    /// <summary>Shared memory of a block beyond what the kernel declares, bytes.</summary>
    public uint DynamicSharedMemory { get; set; }

    /// <summary>Most threads of a block of this kernel.</summary>
    public int MaxThreadsPerBlock { get; }

    /// <summary>Shared memory that the kernel declares, bytes.</summary>
    public int SharedMemory { get; }

    /// <summary>Constant memory that the kernel declares, bytes.</summary>
    public int ConstMemory { get; }

    /// <summary>Local memory of a thread, bytes.</summary>
    public int LocalMemory { get; }

    /// <summary>Registers of a thread.</summary>
    public int Registers { get; }

    /// <summary>The PTX version that the kernel was compiled for.</summary>
    public Version PtxVersion { get; }

    /// <summary>The architecture that the kernel was compiled for.</summary>
    public Version BinaryVersion { get; }

    /// <summary>Whether global loads are cached in L1 by the compiler's option.</summary>
    public bool CacheModeCA { get; }

    /// <summary>Most dynamic shared memory that a launch may ask for, bytes.</summary>
    public int MaxDynamicSharedSizeBytes
    {
        get => Attribute(CUFunctionAttribute.MaxDynamicSharedSizeBytes);
        set => SetAttribute(CUFunctionAttribute.MaxDynamicSharedSizeBytes, value);
    }

    /// <summary>Preferred share of on-chip memory used as shared memory.</summary>
    public CUshared_carveout PreferredSharedMemoryCarveout
    {
        get => (CUshared_carveout)Attribute(CUFunctionAttribute.PreferredSharedMemoryCarveout);
        set => SetAttribute(CUFunctionAttribute.PreferredSharedMemoryCarveout, (int)value);
    }

    /// <summary>As many blocks as it takes to have this many threads along each axis.</summary>
    public void SetComputeSize(uint computeSizeX, uint computeSizeY, uint computeSizeZ) => GridDimensions = new dim3(
        (computeSizeX + BlockDimensions.x - 1) / BlockDimensions.x,
        (computeSizeY + BlockDimensions.y - 1) / BlockDimensions.y,
        (computeSizeZ + BlockDimensions.z - 1) / BlockDimensions.z);

    /// <summary>As many blocks as it takes to have this many threads along x and y.</summary>
    public void SetComputeSize(uint computeSizeX, uint computeSizeY) => SetComputeSize(computeSizeX, computeSizeY, 1);

    /// <summary>As many blocks as it takes to have this many threads along x.</summary>
    public void SetComputeSize(uint computeSizeX) => SetComputeSize(computeSizeX, 1, 1);

    /// <summary>As many blocks as it takes to have this many threads along each axis.</summary>
    public void SetComputeSize(dim3 computeSize) => SetComputeSize(computeSize.x, computeSize.y, computeSize.z);

    /// <summary>How on-chip memory is split for this kernel.</summary>
    public void SetCacheConfig(CUFuncCache config) => Driver.Check(DriverAPINativeMethods.FunctionManagement.cuFuncSetCacheConfig(function, config));

    /// <summary>Waits for all work, launches on the default stream, waits for the kernel; milliseconds that it took.</summary>
    /// <param name="parameters">The kernel's arguments, in the types of its C signature.</param>
    public virtual float Run(params object[] parameters)
    {
        Driver.Check(DriverAPINativeMethods.ContextManagement.cuCtxSynchronize());
        using CudaStopWatch watch = new();
        watch.Start();
        RunAsync(default, parameters);
        watch.Stop();
        return watch.GetElapsedTime();
    }

    /// <summary>Launches the kernel in a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="parameters">
    /// The kernel's arguments, in the types of its C signature: CUdeviceptr (a null pointer is its default), int, uint,
    /// long, ulong, float, double, or any other structure without references. They are copied before this returns.
    /// </param>
    public virtual unsafe void RunAsync(CUstream stream, params object[] parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        long* slots = stackalloc long[parameters.Length];
        void** pointers = stackalloc void*[parameters.Length];
        GCHandle[]? pinned = null;
        try
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                pointers[i] = slots + i;
                if (!Store(parameters[i], slots + i))
                {
                    pinned ??= new GCHandle[parameters.Length];
                    pinned[i] = GCHandle.Alloc(parameters[i], GCHandleType.Pinned);
                    pointers[i] = (void*)pinned[i].AddrOfPinnedObject();
                }
            }

            CUResult result = DriverAPINativeMethods.Launch.cuLaunchKernel(
                function,
                GridDimensions.x, GridDimensions.y, GridDimensions.z,
                BlockDimensions.x, BlockDimensions.y, BlockDimensions.z,
                DynamicSharedMemory, stream, pointers, null);
            if (result != CUResult.Success)
            {
                string shape = $"{KernelName}, grid {GridDimensions}, block {BlockDimensions}, {DynamicSharedMemory} bytes of dynamic shared memory, {parameters.Length} arguments";
                throw Driver.Failure(result, "cuLaunchKernel", shape);
            }
        }
        finally
        {
            foreach (GCHandle handle in pinned ?? [])
            {
                if (handle.IsAllocated)
                {
                    handle.Free();
                }
            }
        }
    }

    /// <summary>Copies an argument of a usual type; false for others.</summary>
    private static unsafe bool Store(object? argument, void* slot)
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
                return false;
        }

        return true;
    }

    private static Version TenthsVersion(int tenths) => new(tenths / 10, tenths % 10);

    private int Attribute(CUFunctionAttribute attribute)
    {
        int value = 0;
        Driver.Check(DriverAPINativeMethods.FunctionManagement.cuFuncGetAttribute(ref value, attribute, function));
        return value;
    }

    private void SetAttribute(CUFunctionAttribute attribute, int value) =>
        Driver.Check(DriverAPINativeMethods.FunctionManagement.cuFuncSetAttribute(function, attribute, value));
}
