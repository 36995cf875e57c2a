using System.Runtime.InteropServices;
using ManagedCuda;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>An engine that trains on one batch repeatedly: the subject of benchmarks.</summary>
public sealed class BatchRun : IDisposable
{
    private readonly CudaDeviceVariable<byte>? images;
    private readonly byte[] input;
    private readonly int[] labels;
    private readonly double learningRate;

    /// <summary>Builds the engine for training, with initial parameters or those of the checkpoint that the options name.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="batch">The samples, as many as the options' batch.</param>
    /// <exception cref="SlttException">
    /// A label is no class, the checkpoint is of another model or shape, or the plan does not fit the device.
    /// </exception>
    public BatchRun(ComputeDevice device, TrainingOptions options, SampleBatch batch)
    {
        options.Validate();
        batch.Validate();
        CheckpointFile? checkpoint = options.Checkpoint is { } path ? CheckpointFile.Read(path) : null;
        (labels, learningRate) = (batch.Labels, options.UsedLearningRate.Initial);
        InputFormat format = batch.Format;
        if (format is InputFormat.ResidentCifar resident)
        {
            images = new CudaDeviceVariable<byte>(batch.Elements.Length);
            HostCopy.ToDevice<byte>(device, images.DevicePointer, batch.Elements);
            format = resident with { Images = images.DevicePointer };
            input = MemoryMarshal.AsBytes(Enumerable.Range(0, labels.Length).ToArray().AsSpan()).ToArray();
        }
        else
        {
            input = batch.Elements;
        }

        bool isStatic = batch.Shape.Steps == 1;
        EnginePlan Plan(TrainingOptions variant) =>
            new(device, variant.Build(batch.Shape, batch.Classes), variant.Engine(format, format, isStatic));
        options = RunPlan.WithStepsAtOnce(device, options, variant =>
        {
            using EnginePlan tried = Plan(variant);
            return tried.Program(labels.Length, training: true, measures: false).Arena.Bytes + MemoryPlan.StoreOf(tried.Store);
        });
        Engine = new TrainingEngine(Plan(options), options.Engine(format, format, isStatic) with { TrainBatches = [labels.Length] });
        Engine.Store.Initialize((ulong)options.Seed);
        if (checkpoint is not null)
        {
            NetworkState.Load(Engine.Store, checkpoint);
        }
    }

    /// <summary>The engine.</summary>
    public TrainingEngine Engine { get; }

    /// <summary>The program of its iterations.</summary>
    internal NetworkProgram Program => Engine.Program(training: true, labels.Length);

    /// <summary>Time steps that go through the network side by side.</summary>
    public int StepsAtOnce => Engine.Program(training: true, labels.Length).Shape.StepsAtOnce;

    /// <summary>Runs one training iteration and waits.</summary>
    public BatchMetrics Iterate()
    {
        Launch(afterForward: null);
        return Finish();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Engine.Dispose();
        images?.Dispose();
    }

    /// <summary>Hands the device an iteration; on a GPU it returns before that is done.</summary>
    /// <param name="afterForward">If given, called after each step's forward, and nothing is captured.</param>
    internal void Launch(Action<int>? afterForward) => Engine.TrainIteration(input, labels, learningRate, afterForward);

    /// <summary>Waits for the device.</summary>
    internal BatchMetrics Finish() => Engine.WaitForMetrics();
}
