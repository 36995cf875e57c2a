using ManagedCuda;
using SlttEngine.Data;
using SlttEngine.Device;

namespace SlttEngine.Training;

/// <summary>A wrong answer of a test pass.</summary>
/// <param name="Sample">The sample's place in the test set.</param>
/// <param name="Label">Its class.</param>
/// <param name="Answer">The network's.</param>
/// <param name="Probability">Softmax of the answer's mean logit.</param>
internal readonly record struct WrongAnswer(int Sample, int Label, int Answer, double Probability);

/// <summary>What the network answers to each sample of a test pass: copies of the logits that do not hold the device up.</summary>
/// <remarks>The copy of a batch's logits is enqueued behind its evaluation. Whoever waited for the batch's sums has the copy.</remarks>
internal sealed class TestAnswers : IDisposable
{
    /// <summary>A confusion matrix of more classes would take more memory than it tells.</summary>
    public const int MaxClasses = 2000;

    private const int MaxMistakes = 12;
    private const int MaxInFlight = 2; // as MetricsReads

    private readonly ComputeDevice device;
    private readonly int classes;
    private readonly int steps;
    private readonly int largest;
    private readonly CudaPageLockedHostMemory<float> logits;
    private readonly int[][] labels = new int[MaxInFlight][];
    private readonly int[][] samples = new int[MaxInFlight][];
    private readonly List<WrongAnswer> mistakes = [];
    private int begun;
    private int finished;

    /// <summary>Makes room on the host for two batches.</summary>
    /// <param name="device">The device.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="steps">T.</param>
    /// <param name="batch">Samples of a batch at most.</param>
    public TestAnswers(ComputeDevice device, int classes, int steps, int batch)
    {
        (this.device, this.classes, this.steps, largest) = (device, classes, steps, batch);
        logits = new CudaPageLockedHostMemory<float>((long)MaxInFlight * batch * classes);
        Confusion = classes <= MaxClasses ? new int[classes * classes] : [];
    }

    /// <summary>Samples by (class, answer), row by row; empty for more than <see cref="MaxClasses"/>.</summary>
    public int[] Confusion { get; }

    /// <summary>The wrong answers that the network was surest of, the worst first.</summary>
    public IReadOnlyList<WrongAnswer> Mistakes => mistakes;

    /// <summary>A batch's evaluation is enqueued: so is now the copy of its logits.</summary>
    /// <param name="engine">Evaluates.</param>
    /// <param name="batch">The batch.</param>
    public void Begin(TrainingEngine engine, Batch batch)
    {
        int slot = begun++ % MaxInFlight;
        (labels[slot], samples[slot]) = (batch.Labels.ToArray(), batch.Indices.ToArray());
        if (batch.Count > 0)
        {
            logits.AsyncCopyFromDevice(
                engine.Program(training: false, batch.Count).Total.Address(0),
                0,
                (long)slot * largest * classes * sizeof(float),
                (long)batch.Count * classes * sizeof(float),
                device.Stream.Stream);
        }
    }

    /// <summary>The device has done the oldest batch.</summary>
    public unsafe void Finish()
    {
        int slot = finished++ % MaxInFlight;
        ReadOnlySpan<float> all = new((float*)logits.PinnedHostPointer + ((long)slot * largest * classes), labels[slot].Length * classes);
        for (int i = 0; i < labels[slot].Length; i++)
        {
            ReadOnlySpan<float> sums = all.Slice(i * classes, classes);
            (int label, int answer) = (labels[slot][i], Answer(sums));
            if (Confusion.Length > 0)
            {
                Confusion[(label * classes) + answer]++;
            }

            if (answer != label)
            {
                Keep(new WrongAnswer(samples[slot][i], label, answer, Probability(sums, answer)));
            }
        }
    }

    /// <summary>The class that the network answers: of the largest sum of logits, the first among equals.</summary>
    /// <param name="sums">Sums of logits over the steps.</param>
    public static int Answer(ReadOnlySpan<float> sums)
    {
        int answer = 0;
        for (int c = 1; c < sums.Length; c++)
        {
            if (sums[c] > sums[answer])
            {
                answer = c;
            }
        }

        return answer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A copy may still write the memory, if the pass ended by an error.
        device.Synchronize();
        logits.Dispose();
    }

    private double Probability(ReadOnlySpan<float> sums, int answer)
    {
        double sum = 0;
        foreach (float logit in sums)
        {
            sum += Math.Exp(((double)logit - sums[answer]) / steps);
        }

        return 1 / sum;
    }

    private void Keep(WrongAnswer wrong)
    {
        int place = mistakes.FindIndex(m => wrong.Probability > m.Probability);
        place = place < 0 ? mistakes.Count : place;
        if (place < MaxMistakes)
        {
            mistakes.Insert(place, wrong);
            mistakes.RemoveRange(Math.Min(mistakes.Count, MaxMistakes), Math.Max(0, mistakes.Count - MaxMistakes));
        }
    }
}
