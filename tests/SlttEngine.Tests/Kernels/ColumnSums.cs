namespace SlttEngine.Tests.Kernels;

/// <summary>Column sums that kernels leave as a partial sum for each block.</summary>
internal static class ColumnSums
{
    /// <summary>Fails unless partials (parts, K, channels), added up over the parts, are the sums of the K terms of each element.</summary>
    /// <param name="terms">The K terms of element i in channel c.</param>
    public static void AssertPartials(double[] partials, int parts, Matrix size, Func<int, int, Approx[]> terms)
    {
        int sums = partials.Length / parts / size.Channels;
        for (int c = 0; c < size.Channels; c++)
        {
            Approx[][] column = [.. Enumerable.Range(0, size.Rows).Select(r => terms((r * size.Channels) + c, c))];
            for (int k = 0; k < sums; k++)
            {
                Approx expected = Approx.Sum(column.Select(t => t[k]));
                double actual = Enumerable.Range(0, parts).Sum(b => partials[(((b * sums) + k) * size.Channels) + c]);
                if (!expected.Admits(actual))
                {
                    Assert.Fail($"sum {k} of channel {c} is {actual:R}, should be {expected.Value:R} within {expected.Error:G3}");
                }
            }
        }
    }
}
