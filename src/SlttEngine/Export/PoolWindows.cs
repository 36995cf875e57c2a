using SlttEngine.Graph;

namespace SlttEngine.Export;

/// <summary>The windows of an adaptive average pool: output o covers ⌊o · in / out⌋ up to ⌈(o + 1) · in / out⌉.</summary>
internal static class PoolWindows
{
    /// <summary>The size of all windows, if they are alike and do not overlap; else null.</summary>
    /// <param name="from">What is pooled.</param>
    /// <param name="size">Outputs in a line.</param>
    internal static (int Height, int Width)? Regular(MapShape from, int size) =>
        from.Height % size == 0 && from.Width % size == 0 ? (from.Height / size, from.Width / size) : null;

    /// <summary>What an output takes of each position in a line: (size, length), each row a window's average.</summary>
    /// <param name="length">Positions.</param>
    /// <param name="size">Outputs.</param>
    /// <param name="transposed">(length, size) instead.</param>
    internal static float[] Shares(int length, int size, bool transposed)
    {
        float[] shares = new float[length * size];
        for (int o = 0; o < size; o++)
        {
            (int begin, int end) = (o * length / size, (((o + 1) * length) + size - 1) / size);
            for (int i = begin; i < end; i++)
            {
                shares[transposed ? (i * size) + o : (o * length) + i] = 1f / (end - begin);
            }
        }

        return shares;
    }

    /// <summary>Weights of a linear layer behind such a pool, for the map in front of the pool.</summary>
    /// <param name="weight">(outputs, C · size · size).</param>
    /// <param name="from">The map.</param>
    /// <param name="size">Outputs in a line.</param>
    /// <returns>(outputs, C · H · W).</returns>
    internal static float[] Behind(float[] weight, MapShape from, int size)
    {
        float[] rows = Shares(from.Height, size, transposed: false), columns = Shares(from.Width, size, transposed: false);
        int pooled = size * size, area = from.Height * from.Width, maps = weight.Length / pooled;
        float[] result = new float[maps * area];
        for (int map = 0; map < maps; map++)
        {
            for (int y = 0; y < from.Height; y++)
            {
                for (int x = 0; x < from.Width; x++)
                {
                    double sum = 0;
                    for (int p = 0; p < pooled; p++)
                    {
                        double share = (double)rows[(p / size * from.Height) + y] * columns[(p % size * from.Width) + x];
                        sum += weight[(map * pooled) + p] * share;
                    }

                    result[(map * area) + (y * from.Width) + x] = (float)sum;
                }
            }
        }

        return result;
    }
}
