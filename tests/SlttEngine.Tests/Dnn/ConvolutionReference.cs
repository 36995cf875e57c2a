namespace SlttEngine.Tests.Dnn;

/// <summary>A convolution's passes as plain loops in double.</summary>
internal static class ConvolutionReference
{
    /// <summary>The result of a pass, and for each number of it the sum of the magnitudes of its terms.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="pass">Which of the three arrays is computed from the two others.</param>
    /// <param name="x">(n, h, w, c).</param>
    /// <param name="filter">(k, size, size, c).</param>
    /// <param name="y">(n, p, q, k).</param>
    public static (double[] Sum, double[] Magnitude) Compute(ConvolutionTests.Shape shape, ConvolutionTests.Pass pass, float[] x,
        float[] filter, float[] y)
    {
        int count = pass switch
        {
            ConvolutionTests.Pass.Forward => y.Length,
            ConvolutionTests.Pass.BackwardData => x.Length,
            _ => filter.Length,
        };
        double[] sum = new double[count], magnitude = new double[count];
        for (int n = 0; n < shape.N; n++)
        {
            for (int p = 0; p < shape.P; p++)
            {
                for (int q = 0; q < shape.Q; q++)
                {
                    for (int k = 0; k < shape.K; k++)
                    {
                        int yAt = (((((n * shape.P) + p) * shape.Q) + q) * shape.K) + k;
                        for (int r = 0; r < shape.Size; r++)
                        {
                            int h = (p * shape.Stride) - shape.Pad + (r * shape.Dilation);
                            if (h < 0 || h >= shape.H)
                            {
                                continue;
                            }

                            for (int s = 0; s < shape.Size; s++)
                            {
                                int w = (q * shape.Stride) - shape.Pad + (s * shape.Dilation);
                                if (w < 0 || w >= shape.W)
                                {
                                    continue;
                                }

                                int xAt = (((n * shape.H) + h) * shape.W + w) * shape.C;
                                int filterAt = (((k * shape.Size) + r) * shape.Size + s) * shape.C;
                                for (int c = 0; c < shape.C; c++, xAt++, filterAt++)
                                {
                                    int at;
                                    double term;
                                    switch (pass)
                                    {
                                        case ConvolutionTests.Pass.Forward:
                                            (at, term) = (yAt, (double)x[xAt] * filter[filterAt]);
                                            break;
                                        case ConvolutionTests.Pass.BackwardData:
                                            (at, term) = (xAt, (double)y[yAt] * filter[filterAt]);
                                            break;
                                        default:
                                            (at, term) = (filterAt, (double)x[xAt] * y[yAt]);
                                            break;
                                    }

                                    sum[at] += term;
                                    magnitude[at] += Math.Abs(term);
                                }
                            }
                        }
                    }
                }
            }
        }

        return (sum, magnitude);
    }
}
