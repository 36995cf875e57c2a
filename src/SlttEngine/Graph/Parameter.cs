namespace SlttEngine.Graph;

/// <summary>How a parameter starts.</summary>
public abstract record Initializer
{
    /// <summary>Every element the same.</summary>
    /// <param name="Value">The value.</param>
    public sealed record Constant(float Value) : Initializer;

    /// <summary>Normal with mean 0.</summary>
    /// <param name="StandardDeviation">Its standard deviation.</param>
    public sealed record Normal(double StandardDeviation) : Initializer;

    /// <summary>Uniform in [−Bound, Bound].</summary>
    /// <param name="Bound">The bound.</param>
    public sealed record Uniform(double Bound) : Initializer;

    /// <summary>kaiming_normal_(mode='fan_out', nonlinearity='relu'): standard deviation √2 / √(out · kh · kw).</summary>
    /// <param name="outChannels">Output channels.</param>
    /// <param name="kernel">Kernel size.</param>
    public static Initializer KaimingFanOut(int outChannels, int kernel) =>
        new Normal(Math.Sqrt(2.0 / ((double)outChannels * kernel * kernel)));
}

/// <summary>A parameter: a view of the contiguous float buffer of all parameters.</summary>
/// <param name="Name">PyTorch's name.</param>
/// <param name="Shape">PyTorch's shape.</param>
/// <param name="Initializer">How it starts.</param>
/// <param name="Layout">(O, I, H, W) of a filter, which is stored as (O, H, W, I) on the device; null: stored as it is.</param>
public sealed record Parameter(string Name, int[] Shape, Initializer Initializer, int[]? Layout = null)
{
    /// <summary>Elements.</summary>
    public int Count { get; } = Shape.Aggregate(1, (a, b) => a * b);

    /// <summary>First element in the buffer; each parameter begins at a multiple of 64 elements.</summary>
    public long Offset { get; internal set; } = -1;

    /// <summary>Reorders from PyTorch's (O, I, H, W) to the device's (O, H, W, I).</summary>
    /// <param name="values">Elements in PyTorch's order.</param>
    public float[] ToDevice(ReadOnlySpan<float> values) => Permute(values, toDevice: true);

    /// <summary>Reorders from the device's (O, H, W, I) to PyTorch's (O, I, H, W).</summary>
    /// <param name="values">Elements in the device's order.</param>
    public float[] FromDevice(ReadOnlySpan<float> values) => Permute(values, toDevice: false);

    private float[] Permute(ReadOnlySpan<float> values, bool toDevice)
    {
        float[] result = values.ToArray();
        if (Layout is not [int o, int i, int h, int w])
        {
            return result;
        }

        int area = h * w;
        for (int a = 0; a < o; a++)
        {
            int start = a * i * area;
            for (int c = 0; c < i; c++)
            {
                for (int p = 0; p < area; p++)
                {
                    (int torch, int device) = (start + (c * area) + p, start + (p * i) + c);
                    if (toDevice)
                    {
                        result[device] = values[torch];
                    }
                    else
                    {
                        result[torch] = values[device];
                    }
                }
            }
        }

        return result;
    }
}

/// <summary>A buffer that is not trained: batch norm's running statistics.</summary>
/// <param name="Name">PyTorch's name.</param>
/// <param name="Count">Elements; 0: the scalar num_batches_tracked, a 64-bit integer.</param>
/// <param name="Initial">Value at the start.</param>
public sealed record StatisticsBuffer(string Name, int Count, float Initial)
{
    /// <summary>First element in the statistics buffer, or index of the counter.</summary>
    public long Offset { get; internal set; } = -1;

    /// <summary>True for num_batches_tracked.</summary>
    public bool IsCounter => Count == 0;
}
