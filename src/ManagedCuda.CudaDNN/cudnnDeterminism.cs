namespace ManagedCuda.CudaDNN;

/// <summary>Whether an algorithm gives the same bits each time.</summary>
public enum cudnnDeterminism
{
    /// <summary>It may not.</summary>
    NonDeterministic = 0,

    /// <summary>It does.</summary>
    Deterministic = 1,
}
