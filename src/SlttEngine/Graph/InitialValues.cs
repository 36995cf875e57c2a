namespace SlttEngine.Graph;

/// <summary>Draws initial values from a counter-based generator: parameter i of a seed is the same on any machine.</summary>
internal static class InitialValues
{
    /// <summary>The initial elements of a parameter, in PyTorch's order.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="stream">The parameter's place in order.</param>
    public static float[] Draw(Parameter parameter, ulong seed, ulong stream)
    {
        float[] values = new float[parameter.Count];
        switch (parameter.Initializer)
        {
            case Initializer.Constant constant:
                Array.Fill(values, constant.Value);
                break;
            case Initializer.Uniform uniform:
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)(((2.0 * Unit(seed, stream, (ulong)i)) - 1.0) * uniform.Bound);
                }

                break;
            case Initializer.Normal normal:
                for (int i = 0; i < values.Length; i++)
                {
                    // Box-Muller; 1 - u lies in (0, 1].
                    double radius = Math.Sqrt(-2.0 * Math.Log(1.0 - Unit(seed, stream, 2 * (ulong)i)));
                    values[i] = (float)(
                        normal.StandardDeviation * radius * Math.Cos(2.0 * Math.PI * Unit(seed, stream, (2 * (ulong)i) + 1)));
                }

                break;
        }

        return values;
    }

    /// <summary>Uniform in [0, 1), 53 bits: SplitMix64's finaliser over (seed, stream, index).</summary>
    public static double Unit(ulong seed, ulong stream, ulong index)
    {
        ulong x = Mix(Mix(Mix(seed + 0x9E3779B97F4A7C15UL) ^ (stream + 0xD1B54A32D192ED03UL)) ^ index);
        return (x >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15UL;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}
