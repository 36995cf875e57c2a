namespace SlttEngine.Tests.Kernels;

/// <summary>The LIF neuron and its surrogates, for references.</summary>
internal static class Neuron
{
    public const int Triangle = 0, Rectangle = 1, Sigmoid = 2;
    public const float Threshold = 1;

    public static readonly int[] Surrogates = [Triangle, Rectangle, Sigmoid];

    /// <summary>What is left of a potential after firing: exact in float.</summary>
    public static double Reset(double u, double threshold) => u >= threshold ? u - threshold : u;

    /// <summary>Surrogate derivative at z = u - v_th, and how exact the kernels' is.</summary>
    public static Approx Surrogate(int kind, Approx z)
    {
        Approx size = new(Math.Abs(z.Value), z.Error);
        switch (kind)
        {
            case Triangle:
                return size.Value >= 1 ? new(0, z.Error) : 1 - size;
            case Rectangle:
                return size.Value <= 0.5 ? 1 : 0;
            default:
                // e = exp(-4|z|): 4 roundings of its own and the argument's error, which counts absolutely.
                Approx e = new Approx(Math.Exp(-4 * size.Value), 0).Roundings(4 + (4 * size.Value) + (4 * size.Error / Numbers));
                return 4 * e / ((1 + e) * (1 + e));
        }
    }

    /// <summary>A smooth spike whose derivative is the surrogate.</summary>
    public static double SmoothSpike(int kind, double z) => kind switch
    {
        Triangle => z <= -1 ? 0 : z >= 1 ? 1 : z < 0 ? (1 + z) * (1 + z) / 2 : 1 - ((1 - z) * (1 - z) / 2),
        Rectangle => Math.Clamp(z + 0.5, 0, 1),
        _ => 1 / (1 + Math.Exp(-4 * z)),
    };

    private const double Numbers = Dnn.Numbers.FloatRounding;
}
