using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>An address in device memory that holds elements of a known type.</summary>
internal interface IDevicePtr
{
    /// <summary>The address.</summary>
    CUdeviceptr Pointer { get; }
}

/// <summary>An address in device memory that a kernel may write to; the default is the null pointer.</summary>
/// <typeparam name="T">Type of the elements: a compute type, another number type of the kernels, or <see cref="RunState"/>.</typeparam>
/// <param name="Pointer">The address of the first element.</param>
public readonly record struct DevicePtr<T>(CUdeviceptr Pointer) : IDevicePtr
    where T : unmanaged
{
    /// <summary>True for the null pointer.</summary>
    internal bool IsNull => Pointer.Pointer == 0;

    /// <summary>Passes the pointer to a <see cref="CompiledKernel"/>.</summary>
    public static implicit operator KernelArgument(DevicePtr<T> pointer) => KernelArgument.Pointer<T>(pointer.Pointer, isConst: false);
}

/// <summary>An address in device memory that a kernel only reads; the default is the null pointer.</summary>
/// <typeparam name="T">Type of the elements.</typeparam>
/// <param name="Pointer">The address of the first element.</param>
public readonly record struct ConstDevicePtr<T>(CUdeviceptr Pointer) : IDevicePtr
    where T : unmanaged
{
    /// <summary>True for the null pointer.</summary>
    internal bool IsNull => Pointer.Pointer == 0;

    /// <summary>What may be written may also be read. There is no way back.</summary>
    public static implicit operator ConstDevicePtr<T>(DevicePtr<T> pointer) => new(pointer.Pointer);

    /// <summary>Passes the pointer to a <see cref="CompiledKernel"/>, for a const parameter.</summary>
    public static implicit operator KernelArgument(ConstDevicePtr<T> pointer) => KernelArgument.Pointer<T>(pointer.Pointer, isConst: true);
}
