using SlttEngine.Graph;

namespace SlttEngine.Tests.Engine;

/// <summary>Naive double-precision forwards: activations (N, H, W, C), filters in PyTorch's order (O, I, H, W).</summary>
internal static class Reference
{
    public static double[] Convolve(double[] x, double[] w, int batch, Edge input, Edge output, int kernel, int stride, int padding)
    {
        double[] y = new double[batch * output.Elements];
        Each(batch, output, (n, h, v, o, index) =>
        {
            double sum = 0;
            for (int kh = 0; kh < kernel; kh++)
            {
                for (int kw = 0; kw < kernel; kw++)
                {
                    (int ih, int iw) = ((h * stride) + kh - padding, (v * stride) + kw - padding);
                    if (ih < 0 || iw < 0 || ih >= input.Height || iw >= input.Width)
                    {
                        continue;
                    }

                    for (int c = 0; c < input.Channels; c++)
                    {
                        sum += x[At(input, n, ih, iw, c)] * w[(((((o * input.Channels) + c) * kernel) + kh) * kernel) + kw];
                    }
                }
            }

            y[index] = sum;
        });
        return y;
    }

    public static double[] BatchNorm(double[] x, double[] gamma, double[] beta)
    {
        int channels = gamma.Length, rows = x.Length / channels;
        double[] y = new double[x.Length];
        for (int c = 0; c < channels; c++)
        {
            double[] column = [.. Enumerable.Range(0, rows).Select(r => x[(r * channels) + c])];
            double mean = column.Average(), variance = column.Average(v => (v - mean) * (v - mean));
            for (int r = 0; r < rows; r++)
            {
                y[(r * channels) + c] = ((column[r] - mean) / Math.Sqrt(variance + 1e-5) * gamma[c]) + beta[c];
            }
        }

        return y;
    }

    /// <summary>The function of z whose derivative is the triangle surrogate.</summary>
    public static double SmoothSpike(double z) => z <= -1 ? 0 : z <= 0 ? (1 + z) * (1 + z) / 2 : z <= 1 ? 1 - ((1 - z) * (1 - z) / 2) : 1;

    public static double[] Standardise(double[] w, double[] gain, int outputs)
    {
        int fanIn = w.Length / outputs;
        double[] y = new double[w.Length];
        for (int o = 0; o < outputs; o++)
        {
            double[] row = w[(o * fanIn)..((o + 1) * fanIn)];
            double mean = row.Average(), variance = row.Sum(v => (v - mean) * (v - mean)) / (fanIn - 1);
            for (int i = 0; i < fanIn; i++)
            {
                y[(o * fanIn) + i] = gain[o] * (row[i] - mean) / Math.Sqrt((variance * fanIn) + 1e-4);
            }
        }

        return y;
    }

    public static double[] AveragePool(double[] x, int batch, Edge input, Edge output, int kernel, int stride, int padding)
    {
        double[] y = new double[batch * output.Elements];
        Each(batch, output, (n, h, w, c, index) =>
        {
            for (int kh = 0; kh < kernel; kh++)
            {
                for (int kw = 0; kw < kernel; kw++)
                {
                    (int ih, int iw) = ((h * stride) + kh - padding, (w * stride) + kw - padding);
                    if (ih >= 0 && iw >= 0 && ih < input.Height && iw < input.Width)
                    {
                        y[index] += x[At(input, n, ih, iw, c)] / (kernel * kernel);
                    }
                }
            }
        });
        return y;
    }

    public static double[] AdaptivePool(double[] x, int batch, Edge input, Edge output)
    {
        double[] y = new double[batch * output.Elements];
        Each(batch, output, (n, h, w, c, index) =>
        {
            (int h0, int h1) = (h * input.Height / output.Height, (((h + 1) * input.Height) + output.Height - 1) / output.Height);
            (int w0, int w1) = (w * input.Width / output.Width, (((w + 1) * input.Width) + output.Width - 1) / output.Width);
            for (int ih = h0; ih < h1; ih++)
            {
                for (int iw = w0; iw < w1; iw++)
                {
                    y[index] += x[At(input, n, ih, iw, c)] / ((h1 - h0) * (w1 - w0));
                }
            }
        });
        return y;
    }

    /// <summary>Weights (classes, C·H·W) in PyTorch's order of features.</summary>
    public static double[] Linear(double[] x, double[] weight, double[] bias, int batch, Edge input, int classes)
    {
        double[] y = new double[batch * classes];
        for (int n = 0; n < batch; n++)
        {
            for (int k = 0; k < classes; k++)
            {
                double sum = bias[k];
                for (int c = 0; c < input.Channels; c++)
                {
                    for (int h = 0; h < input.Height; h++)
                    {
                        for (int w = 0; w < input.Width; w++)
                        {
                            sum += x[At(input, n, h, w, c)] * weight[(k * input.Elements) + (((c * input.Height) + h) * input.Width) + w];
                        }
                    }
                }

                y[(n * classes) + k] = sum;
            }
        }

        return y;
    }

    private static long At(Edge value, int n, int h, int w, int c) =>
        ((((((long)n * value.Height) + h) * value.Width) + w) * value.Channels) + c;

    private static void Each(int batch, Edge value, Action<int, int, int, int, long> visit)
    {
        for (int n = 0; n < batch; n++)
        {
            for (int h = 0; h < value.Height; h++)
            {
                for (int w = 0; w < value.Width; w++)
                {
                    for (int c = 0; c < value.Channels; c++)
                    {
                        visit(n, h, w, c, At(value, n, h, w, c));
                    }
                }
            }
        }
    }
}
