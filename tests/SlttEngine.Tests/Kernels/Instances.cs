using SlttEngine.Device;

namespace SlttEngine.Tests.Kernels;

/// <summary>Symbols of the kernels that are compiled for a neuron and for the arrays that they are given.</summary>
internal static class Instances
{
    /// <summary>The kernel of a compute type for a surrogate and for arrays, in the order of its parameters.</summary>
    public static string Of(string kernel, ComputeType type, int? surrogate, params (string Name, bool Given)[] arrays)
    {
        string neuron = surrogate is { } s ? "_of_" + NeuronKernels.Of(s).ToString().ToLowerInvariant() : string.Empty;
        string[] given = [.. arrays.Where(a => a.Given).Select(a => a.Name)];
        string with = given.Length == 0 ? string.Empty : "_with_" + string.Join("_and_", given);
        return $"{kernel}{neuron}{with}_{type.Suffix()}";
    }

    /// <summary>batch_norm_statistics.</summary>
    public static string Statistics(ComputeType type, bool residual, bool spikes) =>
        Of("batch_norm_statistics", type, null, ("residual", residual), ("residual_u", spikes));

    /// <summary>batch_norm_lif_backward.</summary>
    public static string Backward(ComputeType type, int surrogate, bool residual, bool carried) =>
        Of("batch_norm_lif_backward", type, surrogate, ("grad_residual", residual), ("carried", carried));

    /// <summary>batch_norm_lif_pool_backward.</summary>
    public static string PoolBackward(ComputeType type, int surrogate, bool carried) =>
        Of("batch_norm_lif_pool_backward", type, surrogate, ("carried", carried));
}
