using System.Runtime.CompilerServices;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Reports;

namespace SlttEngine.Training;

/// <summary>Adds up what a layer's membrane potentials say, step by step, over a batch.</summary>
internal sealed class LayerWatch
{
    private const int Bins = 80;           // of a histogram
    private const int BinsInThreshold = 10;
    private const int MaxDoublings = 4;
    private const int FineBins = Bins << MaxDoublings;
    private const int FirstOfSpikes = (FineBins / 2) + BinsInThreshold;
    private const int LargestSide = 64;    // of what is shown of a layer
    private const int MaxChannels = 16;

    private readonly LayerCost cost;
    private readonly float threshold;
    private readonly int samples;
    private readonly long[] fine = new long[FineBins];
    private readonly bool[] fired;  // by neuron: in some step of some sample
    private readonly bool[] rested;
    private readonly List<bool[]>? shown;
    private long spikes;
    private long operations;
    private long potentials;

    /// <summary>Begins with nothing.</summary>
    /// <param name="cost">The layer.</param>
    /// <param name="threshold">v_th.</param>
    /// <param name="samples">Samples of the batch.</param>
    /// <param name="shows">Keep the first sample's spikes.</param>
    public LayerWatch(LayerCost cost, float threshold, int samples, bool shows)
    {
        (this.cost, this.threshold, this.samples) = (cost, threshold, samples);
        (fired, rested) = (new bool[cost.Output.Elements], new bool[cost.Output.Elements]);
        shown = shows ? [] : null;
    }

    /// <summary>Adds a step.</summary>
    /// <param name="u">Membrane potentials before firing, (N, height, width, channels).</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // else the first call, of millions of numbers, runs unoptimised
    public void Add(ReadOnlySpan<float> u)
    {
        (int channels, int pixels) = (cost.Output.Channels, cost.Output.Height * cost.Output.Width);
        float scale = BinsInThreshold / threshold;
        for (int row = 0; row < samples * pixels; row++)
        {
            int pixel = row % pixels;
            ReadOnlySpan<float> potentialsOfPixel = u.Slice(row * channels, channels);
            Span<bool> firedAtPixel = fired.AsSpan(pixel * channels, channels), restedAtPixel = rested.AsSpan(pixel * channels, channels);
            int count = 0;
            for (int c = 0; c < potentialsOfPixel.Length; c++)
            {
                float x = potentialsOfPixel[c];
                bool fires = x >= threshold;
                firedAtPixel[c] |= fires;
                restedAtPixel[c] |= !fires;

                // A bin ends at v_th: rounding must not put a spike below it.
                int bin = (int)Math.Clamp((x * scale) + (FineBins / 2), 0, FineBins - 1);
                bin = fires ? Math.Max(bin, FirstOfSpikes) : Math.Min(bin, FirstOfSpikes - 1);
                fine[bin]++;
                count += fires ? 1 : 0;
            }

            spikes += count;
            operations += count * cost.FanOut[pixel];
        }

        potentials += samples * cost.Output.Elements;
        shown?.Add(Show(u));
    }

    /// <summary>How often the layer fired. A share is 1 where the whole test pass says so, not where these samples alone do.</summary>
    /// <param name="anyFired">A neuron fired in some step of the test pass.</param>
    /// <param name="anyRested">A neuron did not.</param>
    public LayerFiring Firing(bool anyFired, bool anyRested)
    {
        double Share(bool[] states, bool isLess) =>
            isLess ? Math.Min(cost.Neurons - 1, states.Count(s => !s)) / (double)cost.Neurons : 1;
        return new LayerFiring(cost.Name, spikes / (double)potentials, Share(fired, anyFired), Share(rested, anyRested));
    }

    /// <summary>What was seen. The histogram spans 4, 8, 16 … 64 v_th on both sides of 0: the least that leaves out at most 1 %.</summary>
    /// <param name="multiplyAdds">Of the same weights for an image, all steps.</param>
    public LayerInspection Inspection(double multiplyAdds)
    {
        int doublings = Enumerable.Range(0, MaxDoublings).FirstOrDefault(d => Beyond(d) <= potentials / 100, MaxDoublings);
        long[] counts = new long[Bins];
        for (int i = 0; i < FineBins; i++)
        {
            int offset = (i - (FineBins / 2)) >> doublings; // rounds down
            counts[Math.Clamp(offset + (Bins / 2), 0, Bins - 1)] += fine[i];
        }

        double reach = (double)threshold * (Bins / 2 / BinsInThreshold << doublings);
        return new LayerInspection(
            cost.Name,
            cost.Neurons,
            threshold,
            -reach,
            reach,
            counts,
            spikes / (double)samples,
            operations / (double)samples,
            multiplyAdds);
    }

    /// <summary>The first sample's spikes.</summary>
    public LayerSpikes Spikes()
    {
        (int channels, int height, int width, _) = Shown;
        return new LayerSpikes(cost.Name, channels, height, width, shown!);
    }

    private (int Channels, int Height, int Width, int Stride) Shown
    {
        get
        {
            Edge all = cost.Output;
            int stride = (Math.Max(all.Height, all.Width) + LargestSide - 1) / LargestSide;
            return (Math.Min(all.Channels, MaxChannels), (all.Height + stride - 1) / stride, (all.Width + stride - 1) / stride, stride);
        }
    }

    /// <summary>Potentials beyond a histogram's range.</summary>
    private long Beyond(int doublings)
    {
        int half = Bins / 2 << doublings;
        return fine.AsSpan(0, (FineBins / 2) - half).ToArray().Sum() + fine.AsSpan((FineBins / 2) + half).ToArray().Sum();
    }

    private bool[] Show(ReadOnlySpan<float> u)
    {
        (int channels, int height, int width, int stride) = Shown;
        bool[] fires = new bool[channels * height * width];
        for (int i = 0; i < fires.Length; i++)
        {
            (int c, int y, int x) = (i / (height * width), i / width % height * stride, i % width * stride);
            fires[i] = u[(((y * cost.Output.Width) + x) * cost.Output.Channels) + c] >= threshold;
        }

        return fires;
    }
}
