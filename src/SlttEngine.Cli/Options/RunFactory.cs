using SlttEngine.Data;
using SlttEngine.Data.Sets;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>From the command line's options to the library's objects.</summary>
public static class RunFactory
{
    /// <summary>How to train.</summary>
    /// <param name="options">The options.</param>
    public static TrainingOptions Training(TrainOptions options) => new()
    {
        Network = (shape, classes) => Network(options, shape, classes),
        Steps = options.T,
        Method = MethodTable.Find(options.Method).Create(options),
        Neuron = new NeuronOptions(options.Tau, options.Surrogate),
        Loss = new LossOptions((float)options.LossLambda, options.MseOneHot, (float)options.LossMeans),
        Optimizer = options.Optimizer == OptimizerKind.AdamW ? new AdamW(options.WeightDecay)
            : new Sgd(options.Momentum, options.WeightDecay),
        LearningRate = options.Schedule == ScheduleKind.Step
            ? new LearningRate.Step(options.LearningRate, options.StepSize, options.Gamma)
            : new LearningRate.Cosine(options.LearningRate, options.TMax),
        Type = options.ComputeType,
        StepsAtOnce = options.StepsAtOnce == 0 ? TrainingOptions.AutoStepsAtOnce : options.StepsAtOnce,
        MemoryLimit = options.Memory == 0 ? null : options.Memory << 20,
        EvaluationType = options.EvalType,
        Recompute = options.Recompute,
        FastMath = options.FastMath,
        SplitTf32 = options.SplitTf32,
        BatchSize = options.BatchSize,
        Epochs = options.Epochs,
        Seed = options.Seed,
        Workers = options.Workers,
        DropLast = options.Data.DropsLast,
        RunFolder = options.RunFolder,
        RunFiles = new Dictionary<string, string> { ["args.txt"] = options.ToArgsText() },
        Resume = options.Resume,
        StartFrom = options.PreTrain,
        ResetHead = options.ResetHead,
        SaveInitial = options.SaveInit,
        OnNan = options.OnNan,
        Takeover = options.Takeover,
        Report = !options.NoReport,
        ReportImages = !options.NoImages,
        OptionTexts = options.Texts(),
    };

    /// <summary>The network, for samples of a shape.</summary>
    /// <param name="options">The options.</param>
    /// <param name="shape">Steps, channels, height, width of a sample.</param>
    /// <param name="classes">Classes of the data.</param>
    public static Network Network(TrainOptions options, FrameShape shape, int classes) => ModelCatalog.Build(
        options.Model,
        new ModelOptions(
            classes, shape.Channels, shape.Height, shape.Width, (float)options.DropRate, options.WidthDivisor, options.BatchNorm));

    /// <summary>How the data set is opened.</summary>
    /// <param name="options">The options.</param>
    /// <param name="progress">Receives one line now and then while recordings are decoded for the first time.</param>
    public static DataSetOptions Data(TrainOptions options, Action<string>? progress = null) => new()
    {
        Steps = options.T,
        PlainResize = options.PlainResize,
        Split = options.Duration > 0 ? EventSplit.Slices(options.Duration) : options.SplitByTime ? EventSplit.Time : EventSplit.Number,
        AllowIncomplete = options.AllowIncomplete,
        CacheFolder = Path.Combine(options.DataDir, "sltt_cache"),
        Workers = Math.Max(1, options.Workers),
        Progress = progress,
    };

    /// <summary>Shape, classes and elements of the data set's samples; no file is read.</summary>
    /// <param name="options">The options.</param>
    public static SampleFormat Format(TrainOptions options) => options.Data.Format(Data(options));

    /// <summary>A batch of random samples of the data set's format.</summary>
    /// <param name="options">The options.</param>
    public static SampleBatch RandomBatch(TrainOptions options) => SampleBatch.Random(Format(options), options.BatchSize);

    /// <summary>What a run will need. Images are counted in data_dir if the data set is there, else as its authors distribute it.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The options.</param>
    public static RunPlan Plan(ComputeDevice device, TrainOptions options) =>
        RunPlan.For(device, Training(options), Format(options), ResidentImages(options));

    private static int ResidentImages(TrainOptions options)
    {
        if (options.Data.ResidentImages == 0)
        {
            return 0;
        }

        IReadOnlyList<DataSetPart> parts = options.Data.Inspect(options.DataDir, thorough: false);
        return parts.All(p => p.FirstProblem is null) ? parts.Sum(p => p.Samples) : options.Data.ResidentImages;
    }
}
