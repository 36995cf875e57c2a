namespace ManagedCuda.CudaDNN;

/// <summary>Over what batch norm takes its statistics.</summary>
public enum cudnnBatchNormMode
{
    /// <summary>Over the batch.</summary>
    BatchNormPerActivation = 0,

    /// <summary>Over batch, height and width: a number a channel.</summary>
    BatchNormSpatial = 1,

    /// <summary>The same, faster for half precision; may overflow.</summary>
    BatchNormSpatialPersitent = 2,
}
