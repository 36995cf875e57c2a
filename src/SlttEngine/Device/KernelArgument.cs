using ManagedCuda.BasicTypes;

namespace SlttEngine.Device;

/// <summary>
/// An argument of a <see cref="CompiledKernel"/>: a number or a pointer into device memory, converted from its C# type without a cast.
/// </summary>
public readonly struct KernelArgument
{
    private KernelArgument(long bits, string type)
        : this(bits, type, isPointer: false, isConst: false)
    {
    }

    private KernelArgument(long bits, string type, bool isPointer, bool isConst) =>
        (Bits, Type, IsPointer, IsConst) = (bits, type, isPointer, isConst);

    /// <summary>The value; the low bytes of a shorter one.</summary>
    internal long Bits { get; }

    /// <summary>The CPU device's name of the type (type_name in kernel_host.h), of a pointer that of its elements.</summary>
    internal string Type { get; }

    /// <summary>True for a pointer.</summary>
    internal bool IsPointer { get; }

    /// <summary>True for a pointer that the kernel may only read through.</summary>
    internal bool IsConst { get; }

    /// <summary>Passes a C++ float.</summary>
    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToInt32Bits(value), "f32");

    /// <summary>Passes a C++ double.</summary>
    public static implicit operator KernelArgument(double value) => new(BitConverter.DoubleToInt64Bits(value), "f64");

    /// <summary>Passes a C++ int.</summary>
    public static implicit operator KernelArgument(int value) => new(value, "i32");

    /// <summary>Passes a C++ uint32_t.</summary>
    public static implicit operator KernelArgument(uint value) => new(value, "u32");

    /// <summary>Passes a C++ int64_t.</summary>
    public static implicit operator KernelArgument(long value) => new(value, "i64");

    /// <summary>Passes a C++ uint64_t.</summary>
    public static implicit operator KernelArgument(ulong value) => new((long)value, "u64");

    /// <summary>Passes a pointer.</summary>
    /// <typeparam name="T">Type of the elements.</typeparam>
    /// <param name="address">The address.</param>
    /// <param name="isConst">True if the kernel may only read through it.</param>
    internal static KernelArgument Pointer<T>(CUdeviceptr address, bool isConst)
        where T : unmanaged => new((long)(ulong)address.Pointer, SourceParameter.NameOf<T>(), isPointer: true, isConst);
}
