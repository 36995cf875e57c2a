using Shape = SlttEngine.Tests.Dnn.ConvolutionTests.Shape;

namespace SlttEngine.Tests.Dnn;

/// <summary>
/// What rounding can do to a data gradient by Winograd's F(4x4, 3x3), A'[(G g G') o (B' d B)]A: each number is a sum whose terms pass
/// so many roundings, and the sum of the terms' magnitudes is the same formula on the magnitudes of all matrices.
/// </summary>
internal static class WinogradMagnitude
{
    private const int Patch = 6, Tile = 4;

    private static readonly double[,] Input =
    {
        { 4, 0, 5, 0, 1, 0 }, { 0, 4, 4, 1, 1, 0 }, { 0, 4, 4, 1, 1, 0 }, { 0, 2, 1, 2, 1, 0 }, { 0, 2, 1, 2, 1, 0 }, { 0, 4, 0, 5, 0, 1 },
    };

    private static readonly double[,] Filter =
    {
        { 1.0 / 4, 0, 0 }, { 1.0 / 6, 1.0 / 6, 1.0 / 6 }, { 1.0 / 6, 1.0 / 6, 1.0 / 6 },
        { 1.0 / 24, 1.0 / 12, 1.0 / 6 }, { 1.0 / 24, 1.0 / 12, 1.0 / 6 }, { 0, 0, 1 },
    };

    private static readonly double[,] Output =
    {
        { 1, 1, 1, 1, 1, 0 }, { 0, 1, 1, 2, 2, 0 }, { 0, 1, 1, 4, 4, 0 }, { 0, 1, 1, 8, 8, 1 },
    };

    /// <summary>
    /// Roundings that a term passes: two passes of 2 in the input's transform, of 4 and the scaling in the filter's, one for each
    /// product, two of 3 in the output's, and the blend.
    /// </summary>
    public static double Roundings(Shape shape) => 4 + 9 + shape.K + 6 + 1;

    /// <summary>The convolution whose data gradient computes what this one's forward pass does.</summary>
    public static Shape AsGradient(Shape shape) => new(shape.N, shape.K, shape.P, shape.Q, shape.C, shape.Size, 1, 2 - shape.Pad);

    /// <summary>Its filter (c, 3, 3, k): this one's turned, with its channels in the other order.</summary>
    /// <param name="shape">This one.</param>
    /// <param name="filter">(k, 3, 3, c).</param>
    public static float[] AsGradient(Shape shape, float[] filter)
    {
        float[] turned = new float[filter.Length];
        for (int k = 0; k < shape.K; k++)
        {
            for (int tap = 0; tap < 9; tap++)
            {
                for (int c = 0; c < shape.C; c++)
                {
                    turned[(((c * 9) + 8 - tap) * shape.K) + k] = filter[(((k * 9) + tap) * shape.C) + c];
                }
            }
        }

        return turned;
    }

    /// <summary>The magnitude of each number of x.</summary>
    /// <param name="shape">Sizes; 3x3, stride 1.</param>
    /// <param name="filter">(k, 3, 3, c).</param>
    /// <param name="y">(n, p, q, k).</param>
    public static double[] Compute(Shape shape, float[] filter, float[] y)
    {
        int points = Patch * Patch;
        double[] x = new double[shape.N * shape.H * shape.W * shape.C], filters = new double[shape.K * shape.C * points];
        for (int k = 0; k < shape.K; k++)
        {
            for (int c = 0; c < shape.C; c++)
            {
                double[,] g = new double[3, 3];
                for (int tap = 0; tap < 9; tap++)
                {
                    g[2 - (tap / 3), 2 - (tap % 3)] = Math.Abs(filter[(((k * 9) + tap) * shape.C) + c]);
                }

                Sandwich(Filter, g).CopyTo(filters, ((k * shape.C) + c) * points);
            }
        }

        for (int n = 0; n < shape.N; n++)
        {
            for (int h = 0; h < shape.H; h += Tile)
            {
                for (int w = 0; w < shape.W; w += Tile)
                {
                    double[][] patches = [.. Enumerable.Range(0, shape.K).Select(k =>
                        Sandwich(Input, Cut(shape, y, n, h - 2 + shape.Pad, w - 2 + shape.Pad, k)))];
                    for (int c = 0; c < shape.C; c++)
                    {
                        double[,] products = new double[Patch, Patch];
                        for (int k = 0; k < shape.K; k++)
                        {
                            for (int i = 0; i < points; i++)
                            {
                                products[i / Patch, i % Patch] += patches[k][i] * filters[(((k * shape.C) + c) * points) + i];
                            }
                        }

                        double[] tile = Sandwich(Output, products);
                        for (int i = 0; i < tile.Length; i++)
                        {
                            (int row, int column) = (h + (i / Tile), w + (i % Tile));
                            if (row < shape.H && column < shape.W)
                            {
                                x[(((((n * shape.H) + row) * shape.W) + column) * shape.C) + c] = tile[i];
                            }
                        }
                    }
                }
            }
        }

        return x;
    }

    private static double[,] Cut(Shape shape, float[] y, int n, int top, int left, int k)
    {
        double[,] patch = new double[Patch, Patch];
        for (int i = Math.Max(0, -top); i < Patch && top + i < shape.P; i++)
        {
            for (int j = Math.Max(0, -left); j < Patch && left + j < shape.Q; j++)
            {
                patch[i, j] = Math.Abs(y[(((((n * shape.P) + top + i) * shape.Q) + left + j) * shape.K) + k]);
            }
        }

        return patch;
    }

    // m a m', row by row.
    private static double[] Sandwich(double[,] m, double[,] a)
    {
        int rows = m.GetLength(0), inner = m.GetLength(1);
        double[] result = new double[rows * rows];
        for (int i = 0; i < rows; i++)
        {
            for (int q = 0; q < inner; q++)
            {
                double half = 0;
                for (int p = 0; p < inner; p++)
                {
                    half += m[i, p] * a[p, q];
                }

                for (int j = 0; j < rows; j++)
                {
                    result[(i * rows) + j] += half * m[j, q];
                }
            }
        }

        return result;
    }
}
