using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Models;

namespace SlttEngine.Training;

/// <summary>What a layer did in an evaluation, and what that costs for an image.</summary>
/// <param name="Name">PyTorch's name of the neurons, or of a layer of weights that reads real numbers.</param>
/// <param name="Neurons">Its neurons; 0 for a layer of weights.</param>
/// <param name="FiringRate">Spikes for each neuron and step, 0 to 1; null for a layer of weights.</param>
/// <param name="SpikesPerImage">Spikes of an image, all steps; null for a layer of weights.</param>
/// <param name="SynapticOperations">Weights that these spikes meet, added up (<see cref="NetworkCost"/>); null for a layer of
/// weights.</param>
/// <param name="MultiplyAdds">Multiply-adds of the same weights for an image, computed in full, all steps; one step for a layer that reads
/// a static image alone.</param>
public sealed record LayerActivity(
    string Name, long Neurons, double? FiringRate, double? SpikesPerImage, double? SynapticOperations, double MultiplyAdds);

/// <summary>Results of an evaluation over the whole test set.</summary>
/// <param name="Samples">Samples.</param>
/// <param name="Loss">Mean loss, as training logs it.</param>
/// <param name="Top1">Share of samples whose class has the largest sum of logits, 0 to 1.</param>
/// <param name="Top5">Share whose class is among the five largest.</param>
/// <param name="Layers">In order of execution.</param>
public sealed record EvaluationResult(long Samples, double Loss, double Top1, double Top5, IReadOnlyList<LayerActivity> Layers)
{
    /// <summary>Spikes over neurons and steps, all layers together.</summary>
    public double FiringRate => Layers.Sum(l => (l.FiringRate ?? 0) * l.Neurons) / Math.Max(1, Layers.Sum(l => l.Neurons));

    /// <summary>Spikes of an image.</summary>
    public double SpikesPerImage => Layers.Sum(l => l.SpikesPerImage ?? 0);

    /// <summary>Synaptic operations of an image: additions of a weight.</summary>
    public double SynapticOperations => Layers.Sum(l => l.SynapticOperations ?? 0);

    /// <summary>Multiply-adds of an image that no spikes replace: those of the layers that read real numbers.</summary>
    public double RemainingMultiplyAdds => Layers.Where(l => l.FiringRate is null).Sum(l => l.MultiplyAdds);

    /// <summary>Multiply-adds of an image with every layer computed in full.</summary>
    public double MultiplyAdds => Layers.Sum(l => l.MultiplyAdds);
}

/// <summary>Evaluates a checkpoint on the test set, and counts spikes.</summary>
public sealed class Evaluation : IDisposable
{
    private readonly TrainingOptions options;
    private readonly ITrainingObserver observer;
    private readonly TrainingData test;
    private readonly TrainingEngine engine;

    /// <summary>Builds the network and loads the checkpoint.</summary>
    /// <param name="device">The device; it stays the caller's.</param>
    /// <param name="options">The run's options; those of training alone have no effect.</param>
    /// <param name="checkpoint">Gives the parameters.</param>
    /// <param name="testSet">The samples; the set stays the caller's.</param>
    /// <param name="observer">Receives what happens.</param>
    /// <exception cref="SlttException">An option, the data, the checkpoint or the device can't be used.</exception>
    public Evaluation(
        ComputeDevice device, TrainingOptions options, CheckpointFile checkpoint, IDataSet testSet, ITrainingObserver observer)
    {
        (this.options, this.observer) = (options.Validate(), observer);
        test = new TrainingData(device, testSet, options, train: false);
        Network network = options.Build(test.Shape, test.Classes);
        engine = new TrainingEngine(device, network, options.Engine(test.Format, test.Format, staticInput: test.Shape.Steps == 1) with
        {
            Optimizer = null,
            Type = ComputeType.Float32,
            TestBatches = test.BatchSizes,
            CountSpikes = true,
        });
        RunDescription.Of(options, network, testSet).CompareWith(checkpoint, evaluation: true, observer.Warning);
        NetworkState.Load(engine.Store, checkpoint, note: observer.Note);
        foreach (string note in testSet.Notes)
        {
            observer.Note(note);
        }

        foreach (string warning in testSet.Warnings)
        {
            observer.Warning(warning);
        }
    }

    /// <summary>The network.</summary>
    public Network Network => engine.Network;

    /// <summary>Test samples.</summary>
    public int Samples => test.Count;

    /// <summary>Evaluates the whole test set.</summary>
    /// <param name="cancel">Stops it after the batch it is in.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public EvaluationResult Run(CancellationToken cancel)
    {
        test.Start(epoch: 0);
        PassProgress progress = new(observer, new IterationFinished { Phase = TrainingPhase.Test, Batches = test.BatchesPerEpoch });
        if (progress.Run(test, engine, batch => engine.Evaluate(test.Input(batch), batch.Labels), cancel) < test.BatchesPerEpoch)
        {
            cancel.ThrowIfCancellationRequested();
        }

        BatchMetrics sums = progress.Sums;
        if (sums.Samples == 0)
        {
            throw new SlttException(ErrorKind.Data, $"none of the {test.Count} test samples can be read", "sltt data --decode names them");
        }

        return new EvaluationResult(
            (long)sums.Samples, sums.Loss / sums.Samples, sums.Top1 / sums.Samples, sums.Top5 / sums.Samples, Activity(sums.Samples));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        engine.Dispose();
        test.Dispose();
    }

    /// <summary>Multiply-adds of a layer's weights for an image, computed in full, all steps.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="shape">A sample's sizes: what reads a static image alone is computed one time.</param>
    /// <param name="steps">T.</param>
    internal static double MultiplyAdds(LayerCost layer, FrameShape shape, int steps) =>
        (double)layer.MultiplyAdds * (layer.Output.DependsOnInputOnly && shape.Steps == 1 ? 1 : steps);

    private LayerActivity[] Activity(double samples) =>
    [
        .. new NetworkCost(Network).Layers.Select(layer =>
        {
            double multiplyAdds = MultiplyAdds(layer, test.Shape, options.Steps);
            if (layer.Neurons == 0)
            {
                return new LayerActivity(layer.Name, 0, null, null, null, multiplyAdds);
            }

            IReadOnlyList<long> pixels = engine.SpikesByPixel(layer.Output);
            long spikes = pixels.Sum();
            long operations = pixels.Zip(layer.FanOut, (count, weights) => count * weights).Sum();
            return new LayerActivity(
                layer.Name, layer.Neurons, spikes / (
                    samples * options.Steps * layer.Neurons), spikes / samples, operations / samples, multiplyAdds);
        }),
    ];
}
