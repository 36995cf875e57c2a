namespace SlttEngine.Device;

/// <summary>The compute type that a C# type stands for: float, <see cref="Half"/> or <see cref="BFloat16"/>.</summary>
/// <typeparam name="T">The C# type.</typeparam>
internal static class KernelType<T>
    where T : unmanaged
{
    /// <summary>The compute type.</summary>
    /// <exception cref="NotSupportedException">The kernels have no variant for this type.</exception>
    public static ComputeType Type =>
        typeof(T) == typeof(float) ? ComputeType.Float32
        : typeof(T) == typeof(Half) ? ComputeType.Float16
        : typeof(T) == typeof(BFloat16) ? ComputeType.BFloat16
        : throw new NotSupportedException($"kernels compute in float, Half and BFloat16, not in {typeof(T).Name}");

    /// <summary>The kernels' suffix: f32, f16, bf16.</summary>
    public static string Suffix => Type.Suffix();

    /// <summary>Where a kernel's variant for this type stands among the three.</summary>
    internal static int Variant => (int)Type;
}
