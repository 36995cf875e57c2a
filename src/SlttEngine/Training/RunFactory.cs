using SlttEngine.Graph;
using SlttEngine.Models;

namespace SlttEngine.Training;

/// <summary>From a run's options to the objects that they name.</summary>
public static class RunFactory
{
    /// <summary>The method.</summary>
    /// <param name="options">The options.</param>
    public static Method Method(TrainOptions options) => options.Method switch
    {
        TrainingMethod.SlttK => new SlttK(options.K),
        TrainingMethod.Bptt => new Bptt(),
        _ => new Sltt(),
    };

    /// <summary>The optimiser.</summary>
    /// <param name="options">The options.</param>
    public static Optimizer Optimizer(TrainOptions options) => options.Optimizer == OptimizerKind.AdamW
        ? new AdamW((float)options.WeightDecay)
        : new Sgd((float)options.Momentum, (float)options.WeightDecay);

    /// <summary>The schedule.</summary>
    /// <param name="options">The options.</param>
    public static LearningRate LearningRate(TrainOptions options) => options.Schedule == ScheduleKind.Step
        ? new LearningRate.Step(options.LearningRate, options.StepSize, options.Gamma)
        : new LearningRate.Cosine(options.LearningRate, options.TMax);

    /// <summary>The neuron's constants.</summary>
    /// <param name="options">The options.</param>
    public static NeuronOptions Neuron(TrainOptions options) => new(options.Tau, options.Surrogate);

    /// <summary>The loss.</summary>
    /// <param name="options">The options.</param>
    public static LossOptions Loss(TrainOptions options) => new((float)options.LossLambda, options.MseOneHot, (float)options.LossMeans);

    /// <summary>What an engine for the run is built for, but for the batch sizes that it will see.</summary>
    /// <param name="options">The options.</param>
    /// <param name="train">How training batches come.</param>
    /// <param name="test">How evaluation batches come.</param>
    /// <param name="staticInput">True: one image for all steps; false: a frame a step.</param>
    public static EngineOptions Engine(TrainOptions options, InputFormat train, InputFormat test, bool staticInput) => new()
    {
        Method = Method(options),
        Steps = options.T,
        Neuron = Neuron(options),
        Loss = Loss(options),
        Optimizer = Optimizer(options),
        Type = options.ComputeType,
        Seed = (ulong)options.Seed,
        TrainInput = train,
        TestInput = test,
        StaticInput = staticInput,
        FastMath = options.FastMath,
    };

    /// <summary>The network, for frames of a shape.</summary>
    /// <param name="options">The options.</param>
    /// <param name="shape">Steps, channels, height, width of a sample.</param>
    /// <param name="classes">Classes of the data.</param>
    public static Network Network(TrainOptions options, Data.FrameShape shape, int classes) => ModelCatalog.Build(
        options.Model,
        new ModelOptions(classes, shape.Channels, shape.Height, shape.Width, (float)options.DropRate, options.WidthDivisor, options.BatchNorm));

    /// <summary>The run's network and programs, planned without memory and without the data set's files.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The options.</param>
    public static EnginePlan Plan(Device.ComputeDevice device, TrainOptions options)
    {
        (Data.FrameShape shape, int classes) = RunData.Describe(options);
        InputFormat train = RunData.Format(options, default, train: true);
        InputFormat test = RunData.Format(options, default, train: false);
        return new EnginePlan(device, Network(options, shape, classes), Engine(options, train, test, shape.Steps == 1));
    }
}
