using SlttEngine.Device;
using SlttEngine.Graph;

namespace SlttEngine.Training;

/// <summary>What an engine is built for; fixed once it runs.</summary>
public sealed record EngineOptions
{
    /// <summary>How an iteration goes through its steps.</summary>
    public Method Method { get; init; } = new Sltt();

    /// <summary>Time steps T.</summary>
    public int Steps { get; init; } = 6;

    /// <summary>C: as many steps of training go through the network side by side; see <see cref="TrainingOptions.StepsAtOnce"/>.</summary>
    public int StepsAtOnce { get; init; } = 1;

    /// <summary>The same, in evaluation.</summary>
    public int EvaluationStepsAtOnce { get; init; } = 1;

    /// <summary>Training keeps less and computes more: see <see cref="TrainingOptions.Recompute"/>.</summary>
    public bool Recompute { get; init; }

    /// <summary>See <see cref="TrainingOptions.SplitTf32"/>.</summary>
    public bool SplitTf32 { get; init; }

    /// <summary>Constants of the neurons.</summary>
    public NeuronOptions Neuron { get; init; } = new();

    /// <summary>The loss.</summary>
    public LossOptions Loss { get; init; } = new();

    /// <summary>The optimiser; null: the engine only evaluates.</summary>
    public Optimizer? Optimizer { get; init; } = new Sgd(0.9f, 0);

    /// <summary>Number type of activations and working weights in training.</summary>
    public ComputeType Type { get; init; } = ComputeType.Float32;

    /// <summary>What evaluations compute in.</summary>
    public EvaluationType EvaluationType { get; init; } = EvaluationType.Float32;

    /// <summary>Seed of the run.</summary>
    public ulong Seed { get; init; } = 2022;

    /// <summary>How training batches come.</summary>
    public required InputFormat TrainInput { get; init; }

    /// <summary>How evaluation batches come.</summary>
    public required InputFormat TestInput { get; init; }

    /// <summary>True: one image for all steps; false: a frame a step.</summary>
    public bool StaticInput { get; init; } = true;

    /// <summary>float32 convolutions may round more than a sum of products does.</summary>
    public bool FastMath { get; init; }

    /// <summary>Batch sizes that training will see.</summary>
    public IReadOnlyCollection<int> TrainBatches { get; init; } = [];

    /// <summary>Batch sizes that evaluation will see.</summary>
    public IReadOnlyCollection<int> TestBatches { get; init; } = [];

    /// <summary>
    /// Samples in the batches of <see cref="TrainingEngine.EvaluateTrainingSamples"/>; 0: the engine is not built for it.
    /// </summary>
    public int GapBatch { get; init; }

    /// <summary>Evaluation notes whether a layer's neurons fired at all, and whether all fired: <see cref="FiringFlags"/>.</summary>
    internal bool WatchFiring { get; init; }

    /// <summary>Evaluation counts the spikes of each layer: <see cref="TrainingEngine.SpikesByPixel"/>.</summary>
    public bool CountSpikes { get; init; }

    /// <summary>How a program's batches come.</summary>
    /// <param name="kind">What the program does.</param>
    internal InputFormat Input(ProgramKind kind) => kind switch
    {
        ProgramKind.Training => TrainInput,
        ProgramKind.Evaluation or ProgramKind.Inspection => TestInput,
        _ => TrainInput is InputFormat.ResidentCifar images ? images with { Augment = false } : TrainInput,
    };
}
