using System.Runtime.InteropServices;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Reports;

namespace SlttEngine.Training;

/// <summary>What a look at the network found.</summary>
/// <param name="Samples">Test samples that were looked at.</param>
/// <param name="Layers">Layers of neurons, and of weights that read real numbers.</param>
/// <param name="Firing">How often the layers of neurons fired.</param>
/// <param name="Sample">One of the samples through the network.</param>
internal sealed record NetworkInspection(
    int Samples, IReadOnlyList<LayerInspection> Layers, IReadOnlyList<LayerFiring> Firing, SampleSpikes? Sample);

/// <summary>Looks at a network through a few test samples: the same ones each time, so that looks can be compared.</summary>
internal sealed class RunInspector
{
    private const int MaxSamples = 8;
    private const int MaxShown = 6; // layers whose spikes are shown
    private const int MaxTries = 10;

    /// <summary>Share of an epoch's work that a look's forward passes may be; reading potentials comes on top.</summary>
    private const double Affordable = 0.002;

    /// <summary>An iteration of training takes about as long as so many evaluations of its samples.</summary>
    private const int EvaluationsInTraining = 3;

    private readonly TrainingEngine engine;
    private readonly IDataSet test;
    private readonly int steps;
    private readonly NetworkProgram? program;
    private readonly int[] samples;
    private readonly int[] labels;
    private readonly byte[] input;
    private readonly NetworkCost cost;

    /// <summary>Reads the samples, spread over the test set, and plans the program.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="test">The test set.</param>
    /// <param name="trainSamples">Samples of an epoch's training.</param>
    /// <param name="steps">T.</param>
    /// <exception cref="SlttException">A sample can't be read.</exception>
    public RunInspector(TrainingEngine engine, IDataSet test, int trainSamples, int steps)
    {
        (this.engine, this.test, this.steps) = (engine, test, steps);
        cost = new NetworkCost(engine.Network);
        double affordable = Affordable * ((EvaluationsInTraining * (double)trainSamples) + test.Count);
        program = engine.Inspection(Math.Min((int)Math.Clamp(affordable, 1, MaxSamples), test.Count));
        int count = program?.Shape.Batch ?? 0;
        samples = [.. Enumerable.Range(0, count).Select(i => (int)(((2L * i) + 1) * test.Count / (2 * count)))];
        input = test is IFrameSet frames ? Read(frames) : MemoryMarshal.AsBytes(samples.AsSpan()).ToArray();
        labels = [.. samples.Select(i => CheckedSamples.Label(test, i))];
    }

    /// <summary>Looks at the network as it is now.</summary>
    /// <param name="pictures">Also the first sample: its frames and the spikes that they cause.</param>
    /// <returns>null if the engine's memory is too small for a look.</returns>
    /// <exception cref="SlttException">The sample can't be read.</exception>
    public NetworkInspection? Inspect(bool pictures)
    {
        if (program is null)
        {
            return null;
        }

        // Layers of users' own may keep their potentials to themselves.
        LayerCost[] neurons = [.. cost.Layers.Where(l => l.Neurons > 0 && program.Neurons.ContainsKey(l.Output.Name))];
        int shown = Math.Min(MaxShown, neurons.Length);
        HashSet<int> spread = [.. Enumerable.Range(0, shown).Select(i => i * (neurons.Length - 1) / Math.Max(1, shown - 1))];
        List<(LayerWatch Watch, LayerCost Cost, DeviceBuffer U)> watched = [.. neurons.Select((layer, i) =>
        {
            (_, DeviceBuffer u, float threshold) = program.Neurons[layer.Output.Name];
            return (new LayerWatch(layer, threshold, samples.Length, pictures && spread.Contains(i)), layer, u);
        })];
        float[] potentials = new float[neurons.Select(l => l.Neurons * samples.Length).DefaultIfEmpty().Max()];
        engine.Inspect(program, input, labels, t => watched.ForEach(w => w.Watch.Add(
            ReadPotentials(w.U, t, potentials.AsSpan(0, (int)w.Cost.Neurons * samples.Length)))));
        IReadOnlyList<(string Layer, bool Fired, bool Silent)> flags = engine.FiringFlags!.Read(); // of the test pass: a look sets none
        int answer = TestAnswers.Answer(program.ReadTotal().AsSpan(0, engine.Network.Classes));
        return new NetworkInspection(
            samples.Length,
            [.. cost.Layers.Select(l => Inspection(l, watched)).OfType<LayerInspection>()],
            [.. watched.Select(w => w.Watch.Firing(
                flags.Any(f => f.Layer == w.Cost.Name && f.Fired), flags.Any(f => f.Layer == w.Cost.Name && f.Silent)))],
            !pictures ? null : new SampleSpikes(
                samples[0],
                labels[0],
                answer,
                SamplePictures.Frames(test, samples[0]),
                [.. watched.Where((_, i) => spread.Contains(i)).Select(w => w.Watch.Spikes())]));
    }

    private LayerInspection? Inspection(LayerCost layer, List<(LayerWatch Watch, LayerCost Cost, DeviceBuffer U)> watched)
    {
        double multiplyAdds = Evaluation.MultiplyAdds(layer, test.Shape, steps);
        return layer.Neurons == 0 ? new LayerInspection(layer.Name, 0, 0, 0, 0, [], 0, 0, multiplyAdds)
            : watched.Find(w => w.Cost == layer).Watch?.Inspection(multiplyAdds);
    }

    private Span<float> ReadPotentials(DeviceBuffer u, int t, Span<float> values)
    {
        switch (program!.Shape.Type)
        {
            case ComputeType.Float16:
                Half[] halves = new Half[values.Length];
                HostCopy.ToHost<Half>(engine.Device, u.Address(t), halves);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)halves[i];
                }

                break;
            case ComputeType.BFloat16:
                BFloat16[] brains = new BFloat16[values.Length];
                HostCopy.ToHost<BFloat16>(engine.Device, u.Address(t), brains);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)brains[i];
                }

                break;
            default:
                HostCopy.ToHost(engine.Device, u.Address(t), values);
                break;
        }

        return values;
    }

    /// <summary>The samples' frames as a batch: (steps, N, channels, height, width). The next one stands in for a damaged one.</summary>
    private byte[] Read(IFrameSet frames)
    {
        int frame = frames.Shape.FrameLength * frames.Element.Size();
        byte[] sample = new byte[frames.Shape.Steps * frame];
        byte[] batch = new byte[samples.Length * sample.Length];
        for (int i = 0; i < samples.Length; i++)
        {
            for (int tries = 1; !TryRead(frames, samples[i], sample, isLast: tries == MaxTries); tries++)
            {
                samples[i] = (samples[i] + 1) % frames.Count;
            }

            for (int t = 0; t < frames.Shape.Steps; t++)
            {
                sample.AsSpan(t * frame, frame).CopyTo(batch.AsSpan(((t * samples.Length) + i) * frame));
            }
        }

        return batch;
    }

    private static bool TryRead(IFrameSet frames, int index, byte[] sample, bool isLast)
    {
        try
        {
            CheckedSamples.Read(frames, index, 0, sample);
            return true;
        }
        catch (DamagedSampleException) when (!isLast)
        {
            return false;
        }
    }
}
