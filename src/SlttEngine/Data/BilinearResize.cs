namespace SlttEngine.Data;

/// <summary>
/// Resizes 8-bit images as the Python Imaging Library's bilinear filter does, to the bit: antialiased (the triangle widens with the
/// scale), weights in 22-bit fixed point, rows first, rounded to 8 bits between the two passes.
/// </summary>
/// <remarks>An instance holds the weights of one size and scratch memory: one thread at a time may use it.</remarks>
internal sealed class BilinearResize
{
    private const int Precision = 32 - 8 - 2;

    private readonly Axis columns;
    private readonly Axis rows;
    private byte[] between = [];

    /// <summary>Weights from (inHeight, inWidth) to (outHeight, outWidth).</summary>
    internal BilinearResize(int inHeight, int inWidth, int outHeight, int outWidth)
    {
        columns = new Axis(inWidth, outWidth);
        rows = new Axis(inHeight, outHeight);
    }

    /// <summary>Resizes one plane.</summary>
    /// <param name="source">The first pixel is at <paramref name="offset"/>.</param>
    /// <param name="offset">Bytes before the first pixel.</param>
    /// <param name="pixelStride">Bytes from one pixel to the next (3 for one channel of packed RGB).</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="target">Receives (outHeight, outWidth).</param>
    internal void Plane(ReadOnlySpan<byte> source, int offset, int pixelStride, int rowStride, Span<byte> target)
    {
        int inHeight = rows.In, outWidth = columns.Out;
        if (between.Length < inHeight * outWidth)
        {
            between = new byte[inHeight * outWidth];
        }

        // Rows first; only the rows that the second pass reads.
        int firstRow = rows.Start[0];
        int lastRow = rows.Start[^1] + rows.Length[^1];
        for (int y = firstRow; y < lastRow; y++)
        {
            ReadOnlySpan<byte> line = source[(offset + (y * rowStride))..];
            Span<byte> result = between.AsSpan(y * outWidth, outWidth);
            for (int x = 0; x < outWidth; x++)
            {
                ReadOnlySpan<int> weights = columns.Weights(x);
                int sum = 1 << (Precision - 1);
                int at = columns.Start[x] * pixelStride;
                for (int k = 0; k < weights.Length; k++, at += pixelStride)
                {
                    sum += line[at] * weights[k];
                }

                result[x] = Clip(sum);
            }
        }

        Span<int> sums = outWidth <= 1024 ? stackalloc int[outWidth] : new int[outWidth];
        for (int y = 0; y < rows.Out; y++)
        {
            sums.Fill(1 << (Precision - 1));
            ReadOnlySpan<int> weights = rows.Weights(y);
            for (int k = 0; k < weights.Length; k++)
            {
                ReadOnlySpan<byte> line = between.AsSpan((rows.Start[y] + k) * outWidth, outWidth);
                int weight = weights[k];
                for (int x = 0; x < line.Length; x++)
                {
                    sums[x] += line[x] * weight;
                }
            }

            Span<byte> result = target.Slice(y * outWidth, outWidth);
            for (int x = 0; x < result.Length; x++)
            {
                result[x] = Clip(sums[x]);
            }
        }
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> Precision, 0, 255);

    /// <summary>The inputs of each output position, and their weights.</summary>
    private sealed class Axis
    {
        private readonly int[] weights;
        private readonly int stride;

        internal Axis(int inSize, int outSize)
        {
            In = inSize;
            Out = outSize;
            Start = new int[outSize];
            Length = new int[outSize];
            double scale = (double)inSize / outSize;
            double support = Math.Max(scale, 1.0);
            stride = ((int)Math.Ceiling(support) * 2) + 1;
            weights = new int[outSize * stride];
            Span<double> w = new double[stride];
            for (int i = 0; i < outSize; i++)
            {
                double center = (i + 0.5) * scale;
                int first = Math.Max((int)(center - support + 0.5), 0);
                int end = Math.Min((int)(center + support + 0.5), inSize);
                double total = 0;
                for (int k = 0; k < end - first; k++)
                {
                    w[k] = Math.Max(0, 1 - Math.Abs((k + first - center + 0.5) * (1.0 / support)));
                    total += w[k];
                }

                for (int k = 0; k < end - first; k++)
                {
                    weights[(i * stride) + k] = (int)(0.5 + (w[k] / total * (1 << Precision)));
                }

                Start[i] = first;
                Length[i] = end - first;
            }
        }

        internal int In { get; }

        internal int Out { get; }

        internal int[] Start { get; }

        internal int[] Length { get; }

        internal ReadOnlySpan<int> Weights(int i) => weights.AsSpan(i * stride, Length[i]);
    }
}
