namespace ManagedCuda.CudaDNN;

/// <summary>What becomes of NaN.</summary>
public enum cudnnNanPropagation
{
    /// <summary>May be dropped.</summary>
    NotPropagateNan = 0,

    /// <summary>Stays.</summary>
    PropagateNan = 1,
}
