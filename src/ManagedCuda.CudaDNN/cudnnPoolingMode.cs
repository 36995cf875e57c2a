namespace ManagedCuda.CudaDNN;

/// <summary>What a pool takes of its window.</summary>
public enum cudnnPoolingMode
{
    /// <summary>The maximum; its gradient may differ from run to run.</summary>
    Max = 0,

    /// <summary>The mean, padding counted as zeros.</summary>
    AverageCountIncludePadding = 1,

    /// <summary>The mean, padding not counted.</summary>
    AverageCountExcludePadding = 2,

    /// <summary>The maximum, deterministic.</summary>
    MaxDeterministic = 3,
}
