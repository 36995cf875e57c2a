using ManagedCuda.CudaBlas;
using ManagedCuda.CudaDNN;

namespace SlttEngine.Device;

/// <summary>The number type that activations and working weights are stored in; arithmetic is in float.</summary>
public enum ComputeType
{
    /// <summary>32-bit float.</summary>
    Float32,

    /// <summary>16-bit float (IEEE half); wants a loss scale.</summary>
    Float16,

    /// <summary>bfloat16.</summary>
    BFloat16,
}

/// <summary>What each library calls a <see cref="ComputeType"/>.</summary>
public static class ComputeTypes
{
    /// <summary>Bytes an element.</summary>
    public static int Size(this ComputeType type) => type == ComputeType.Float32 ? 4 : 2;

    /// <summary>The kernels' suffix: f32, f16, bf16.</summary>
    public static string Suffix(this ComputeType type) => type switch
    {
        ComputeType.Float32 => "f32",
        ComputeType.Float16 => "f16",
        _ => "bf16",
    };

    /// <summary>cuDNN's name.</summary>
    public static cudnnDataType Dnn(this ComputeType type) => type switch
    {
        ComputeType.Float32 => cudnnDataType.Float,
        ComputeType.Float16 => cudnnDataType.Half,
        _ => cudnnDataType.BFloat16,
    };

    /// <summary>cuBLAS's name.</summary>
    public static DataType Blas(this ComputeType type) => type switch
    {
        ComputeType.Float32 => DataType.CUDA_R_32F,
        ComputeType.Float16 => DataType.CUDA_R_16F,
        _ => (DataType)14, // CUDA_R_16BF, which the published package does not name
    };
}
