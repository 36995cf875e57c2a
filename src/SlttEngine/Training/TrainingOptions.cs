using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>Builds a network for the samples that it will see.</summary>
/// <param name="shape">Steps, channels, height, width of a sample.</param>
/// <param name="classes">Number of logits.</param>
public delegate Network NetworkFactory(FrameShape shape, int classes);

/// <summary>
/// How a network is trained. The samples are a separate argument: a <see cref="TrainingRun"/> needs sets, a plan their format.
/// </summary>
public sealed record TrainingOptions
{
    /// <summary>Builds the network; a <see cref="Trainer"/> sets it to its own.</summary>
    public NetworkFactory? Network { get; init; }

    /// <summary>T, time steps; samples of more than one frame have as many.</summary>
    public int Steps { get; init; } = 6;

    /// <summary>
    /// C, from 1 to T, or <see cref="AutoStepsAtOnce"/>: as many time steps of training go through the network side by side, layer by
    /// layer. Memory for activations is C times that of one step, whatever T is; a GPU that one step leaves half empty is faster. The
    /// results are those of one step at a time, up to the order in which sums are added. Where a step's numbers of a layer do not fill
    /// whole 16 bytes (odd channels and samples), steps go one by one.
    /// </summary>
    public int StepsAtOnce { get; init; } = 1;

    /// <summary>The value of <see cref="StepsAtOnce"/> that means: as many as fit <see cref="MemoryLimit"/>.</summary>
    public const int AutoStepsAtOnce = 0;

    /// <summary>Bytes of device memory that a run may take where it chooses; null: what the device has free.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// Backward computes the convolutions' outputs that batch norms read a second time, instead of keeping them from forward: less
    /// memory, a forward convolution more for each. The results are the same to the bit.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary>The learning method: which steps get a backward pass, and when.</summary>
    public Method Method { get; init; } = new Sltt();

    /// <summary>Constants of the LIF neurons.</summary>
    public NeuronOptions Neuron { get; init; } = new();

    /// <summary>The loss of a step.</summary>
    public LossOptions Loss { get; init; } = new();

    /// <summary>The optimiser; null: that of the checkpoint to resume, else <see cref="DefaultOptimizer"/>.</summary>
    public Optimizer? Optimizer { get; init; }

    /// <summary>The learning rate of each epoch; null: that of the checkpoint to resume, else <see cref="DefaultLearningRate"/>.</summary>
    public LearningRate? LearningRate { get; init; }

    /// <summary>Number type of activations and working weights in training.</summary>
    public ComputeType Type { get; init; } = ComputeType.Float32;

    /// <summary>
    /// What evaluations compute in; null: float32, but TF32 where training is in a 16-bit type, as PyTorch's default has it, or
    /// <see cref="FastMath"/> is set.
    /// </summary>
    public EvaluationType? EvaluationType { get; init; }

    /// <summary>float32 convolutions may round more: TF32 on a GPU, Winograd's algorithm in the CPU device's forward pass.</summary>
    public bool FastMath { get; init; }

    /// <summary>
    /// float32 convolutions of spikes go to tensor cores with float32's accuracy: weights, and in backward the output's gradient, are split
    /// into two TF32 parts, whose products with spikes are exact. For a GPU; on the CPU device it takes longer.
    /// </summary>
    public bool SplitTf32 { get; init; }

    /// <summary>Samples a batch.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Epochs in all, those of earlier runs included.</summary>
    public int Epochs { get; init; } = 300;

    /// <summary>Seed of all random numbers: first parameters, order, augmentation, dropout.</summary>
    public long Seed { get; init; } = 2022;

    /// <summary>Threads that prepare batches; 0 counts as 1.</summary>
    public int Workers { get; init; } = 4;

    /// <summary>Leave out the last training batch of an epoch if it is smaller.</summary>
    public bool DropLast { get; init; }

    /// <summary>The folder for checkpoints and logs; it is made at the start.</summary>
    public string RunFolder { get; init; } = Path.Combine(".", "run");

    /// <summary>Take the run folder although a run on another host has it: that one no longer runs.</summary>
    public bool Takeover { get; init; }

    /// <summary>Text files that go into the run folder at the start, by name: whatever describes the run.</summary>
    public IReadOnlyDictionary<string, string> RunFiles { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Look at the network after epochs, for report.html and TensorBoard: firing rates, membrane potentials, a sample's spikes, wrong
    /// answers. Training's numbers are the same to the bit without.
    /// </summary>
    public bool Report { get; init; } = true;

    /// <summary>Put pictures of test samples into the report and into TensorBoard's log.</summary>
    public bool ReportImages { get; init; } = true;

    /// <summary>
    /// The command line that started the run, for its history; of absolute paths the last part alone is kept. null: none.
    /// </summary>
    public string? Command { get; init; }

    /// <summary>Options as the user knows them, by name, for the run's history; empty: those of this record. Paths as in
    /// <see cref="Command"/>.</summary>
    public IReadOnlyDictionary<string, string> OptionTexts { get; init; } = new Dictionary<string, string>();

    /// <summary>Checkpoint to go on from, exactly as if the run had not stopped; null for none.</summary>
    public string? Resume { get; init; }

    /// <summary>Checkpoint that gives a new run its first parameters; null for none.</summary>
    public string? StartFrom { get; init; }

    /// <summary>
    /// Of <see cref="StartFrom"/> all but the last layer is loaded; that begins anew, and its number of classes may differ.
    /// </summary>
    public bool ResetHead { get; init; }

    /// <summary>Save the first parameters as checkpoint_0.</summary>
    public bool SaveInitial { get; init; }

    /// <summary>What the run does when a parameter, a statistic or an optimiser state becomes NaN or infinite.</summary>
    public NanAction OnNan { get; init; } = NanAction.Stop;

    /// <summary>SGD with momentum 0.9 and no weight decay.</summary>
    public static Optimizer DefaultOptimizer { get; } = new Sgd(0.9, 0);

    /// <summary>Cosine annealing from 0.1 over 300 epochs.</summary>
    public static LearningRate DefaultLearningRate { get; } = new LearningRate.Cosine(0.1, 300);

    /// <summary>What evaluations compute in.</summary>
    internal EvaluationType UsedEvaluationType => EvaluationType
        ?? (Type != ComputeType.Float32 || FastMath ? Training.EvaluationType.Tf32 : Training.EvaluationType.Float32);

    /// <summary>The optimiser that counts.</summary>
    internal Optimizer UsedOptimizer => Optimizer ?? DefaultOptimizer;

    /// <summary>The learning rate that counts.</summary>
    internal LearningRate UsedLearningRate => LearningRate ?? DefaultLearningRate;

    /// <summary>The checkpoint that gives the parameters; null: they are drawn from the seed.</summary>
    internal string? Checkpoint => Resume ?? StartFrom;

    /// <summary>Checks every option, and those that must fit each other.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="SlttException">An option is out of range; the message names it.</exception>
    public TrainingOptions Validate()
    {
        Require(Network is not null, nameof(Network), "null", "a run needs a network");
        Require(Steps >= 1, nameof(Steps), Steps, "must be at least 1");
        Require(
            StepsAtOnce is AutoStepsAtOnce || (StepsAtOnce >= 1 && StepsAtOnce <= Steps), nameof(StepsAtOnce), StepsAtOnce,
            $"must be from 1 to the {Steps} time steps");
        Require(MemoryLimit is not <= 0, nameof(MemoryLimit), MemoryLimit, "must be at least 1 byte");
        Neuron.Validate(nameof(Neuron));
        Require(Loss.Lambda is >= 0 and <= 1, "Loss.Lambda", Loss.Lambda, "must be between 0 and 1");
        Require(float.IsFinite(Loss.Means), "Loss.Means", Loss.Means, "must be a finite number");
        Optimizer optimizer = UsedOptimizer;
        Require(
            optimizer.WeightDecay >= 0
            && double.IsFinite(optimizer.WeightDecay), "Optimizer.WeightDecay", optimizer.WeightDecay, "must not be negative");
        Require(
            optimizer is not Sgd { Momentum: < 0 or >= 1 or double.NaN }, "Optimizer.Momentum", (optimizer as Sgd)?.Momentum,
            "must be at least 0 and less than 1");
        double rate = UsedLearningRate.Initial;
        Require(double.IsFinite(rate) && rate >= 0, "LearningRate.Initial", rate, "must not be negative");
        UsedLearningRate.Validate();
        Require(Enum.IsDefined(Type), nameof(Type), Type, "is no number type");
        Require(EvaluationType is not { } e || Enum.IsDefined(e), nameof(EvaluationType), EvaluationType, "is no evaluation type");
        Require(BatchSize >= 1, nameof(BatchSize), BatchSize, "must be at least 1");
        Require(Epochs >= 1, nameof(Epochs), Epochs, "must be at least 1");
        Require(Seed >= 0, nameof(Seed), Seed, "must not be negative");
        Require(Workers >= 0, nameof(Workers), Workers, "must not be negative");
        Require(
            Resume is null
            || StartFrom is null, nameof(Resume), Resume, $"and {nameof(StartFrom)} {StartFrom}: a run begins with one of them");
        Require(!ResetHead || StartFrom is not null, nameof(ResetHead), ResetHead, $"needs {nameof(StartFrom)}: a checkpoint (-pre_train)");
        Method.Validate(Steps);
        return this;
    }

    /// <summary>These options, with the checkpoint's optimiser and learning rate where none is given.</summary>
    /// <param name="checkpoint">What is resumed; null: nothing.</param>
    /// <exception cref="SlttException">The checkpoint has none, or one that the engine does not compute.</exception>
    internal TrainingOptions WithOptimizerOf(CheckpointFile? checkpoint) => this with
    {
        Optimizer = Optimizer ?? (checkpoint is null ? DefaultOptimizer : SavedOptimizer.ReadOptimizer(checkpoint)),
        LearningRate = LearningRate ?? (checkpoint is null ? DefaultLearningRate : SavedOptimizer.ReadLearningRate(checkpoint)),
    };

    /// <summary><see cref="MemoryLimit"/>, or what a device has free.</summary>
    /// <param name="device">The device.</param>
    internal long MemoryLimitOn(Device.ComputeDevice device) => MemoryLimit ?? (long)(ulong)device.Context.GetFreeDeviceMemorySize();

    /// <summary>The network, for samples of a shape.</summary>
    /// <param name="shape">Steps, channels, height, width of a sample.</param>
    /// <param name="classes">Number of logits.</param>
    internal Network Build(FrameShape shape, int classes) => Network!(shape, classes);

    /// <summary>Checks that samples of a format can be trained on with these options.</summary>
    /// <param name="format">The samples.</param>
    /// <exception cref="SlttException">Their steps differ from <see cref="Steps"/>, or a batch is larger than an array can be.</exception>
    internal void Require(SampleFormat format)
    {
        if (format.Shape.Steps != 1 && format.Shape.Steps != Steps)
        {
            throw new SlttException(
                ErrorKind.Usage, $"samples have {format.Shape.Steps} frames, but {nameof(Steps)} is {Steps}",
                "give as many steps as frames, or samples of 1 frame");
        }

        if ((double)format.SampleBytes * BatchSize > Array.MaxLength)
        {
            throw new SlttException(
                ErrorKind.Usage,
                $"batch size {BatchSize}: too large: a batch's {format.SampleBytes} bytes a sample must fit an array of 2^31 elements",
                "take a smaller batch");
        }
    }

    /// <summary>The run's network and programs, planned without memory and without the samples.</summary>
    /// <param name="device">The device, for its libraries' workspace sizes.</param>
    /// <param name="format">The samples.</param>
    /// <exception cref="SlttException">The options or the samples can't be trained on.</exception>
    internal EnginePlan Plan(Device.ComputeDevice device, SampleFormat format)
    {
        Validate();
        Require(format);
        return new EnginePlan(
            device,
            Build(format.Shape, format.Classes),
            Engine(format.Input(default, train: true), format.Input(default, train: false), format.Shape.Steps == 1) with
            {
                WatchFiring = true,
            });
    }

    /// <summary>What an engine for the run is built for, but for the batch sizes that it will see.</summary>
    /// <param name="train">How training batches come.</param>
    /// <param name="test">How evaluation batches come.</param>
    /// <param name="staticInput">True: one image for all steps; false: a frame a step.</param>
    internal EngineOptions Engine(InputFormat train, InputFormat test, bool staticInput) => new()
    {
        Method = Method,
        Steps = Steps,
        StepsAtOnce = StepsAtOnce,
        Recompute = Recompute,
        SplitTf32 = SplitTf32,
        Neuron = Neuron,
        Loss = Loss,
        Optimizer = UsedOptimizer,
        Type = Type,
        EvaluationType = UsedEvaluationType,
        Seed = (ulong)Seed,
        TrainInput = train,
        TestInput = test,
        StaticInput = staticInput,
        FastMath = FastMath,
    };

    private static void Require(bool condition, string option, object? value, string message)
    {
        if (!condition)
        {
            throw new SlttException(ErrorKind.Usage, FormattableString.Invariant($"{option} {value}: {message}"));
        }
    }
}
