using System.Globalization;
using SlttEngine.Data.Sets;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Layers;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>Which optimiser.</summary>
public enum OptimizerKind
{
    /// <summary>SGD with momentum, weight decay added to the gradient.</summary>
    Sgd,

    /// <summary>AdamW (β 0.9, 0.999, ε 1e-8).</summary>
    AdamW,
}

/// <summary>How the learning rate changes, epoch by epoch.</summary>
public enum ScheduleKind
{
    /// <summary>Cosine annealing over T_max epochs to 0.</summary>
    CosineAnnealing,

    /// <summary>Times gamma every step_size epochs.</summary>
    Step,
}

/// <summary>
/// The options of a training run, with the official programs' names and defaults (<see cref="TrainOptionTable"/>) and a few of the engine's
/// own.
/// </summary>
public sealed record TrainOptions
{
    /// <summary>seed: start of all random numbers.</summary>
    public long Seed { get; init; } = 2022;

    /// <summary>name: goes into the run folder's name.</summary>
    public string Name { get; init; } = string.Empty;

    /// <summary>T: time steps.</summary>
    public int T { get; init; } = 6;

    /// <summary>tau: time constant of the neurons, in steps; λ = 1 − 1/tau.</summary>
    public double Tau { get; init; } = 1.1;

    /// <summary>b: batch size.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>epochs: how many to run in all.</summary>
    public int Epochs { get; init; } = 300;

    /// <summary>j: threads that load data.</summary>
    public int Workers { get; init; } = 4;

    /// <summary>data_dir: folder of the data set.</summary>
    public string DataDir { get; init; } = "./data";

    /// <summary>dataset: one of <see cref="DataSets"/>.</summary>
    public string Dataset { get; init; } = "cifar10";

    /// <summary>The data set that <see cref="Dataset"/> names.</summary>
    /// <exception cref="SlttException">There is no such data set.</exception>
    public NamedDataSet Data => DataSets.Find(Dataset);

    /// <summary>out_dir: folder that gets the run's folder.</summary>
    public string OutDir { get; init; } = "./logs";

    /// <summary>surrogate: derivative that stands in for the spike's.</summary>
    public Surrogate Surrogate { get; init; } = Surrogate.Triangle;

    /// <summary>resume: checkpoint to go on from; null for none.</summary>
    public string? Resume { get; init; }

    /// <summary>pre_train: checkpoint whose parameters to start from; null for none.</summary>
    public string? PreTrain { get; init; }

    /// <summary>reset_head: of the checkpoint of pre_train all but the last layer is loaded.</summary>
    public bool ResetHead { get; init; }

    /// <summary>amp: mixed precision.</summary>
    public bool Amp { get; init; }

    /// <summary>opt: the optimiser.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Sgd;

    /// <summary>lr: learning rate at the start.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>momentum: of SGD.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>lr_scheduler: how the learning rate goes.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.CosineAnnealing;

    /// <summary>step_size: of StepLR, epochs.</summary>
    public double StepSize { get; init; } = 100;

    /// <summary>gamma: of StepLR.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>T_max: of CosALR, epochs.</summary>
    public int TMax { get; init; } = 300;

    /// <summary>model: its name.</summary>
    public string Model { get; init; } = "spiking_vgg11_bn";

    /// <summary>drop_rate: dropout probability.</summary>
    public double DropRate { get; init; }

    /// <summary>weight_decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>loss_lambda: share of the squared error in the loss; 0 is cross-entropy alone.</summary>
    public double LossLambda { get; init; } = 0.05;

    /// <summary>mse_n_reg: the squared error is to the one-hot label, not to <see cref="LossMeans"/>.</summary>
    public bool MseOneHot { get; init; }

    /// <summary>loss_means: target of the squared error without mse_n_reg.</summary>
    public double LossMeans { get; init; } = 1.0;

    /// <summary>no_report: do not look at the network after epochs, and write no report.html.</summary>
    public bool NoReport { get; init; }

    /// <summary>no_images: no pictures of test samples in the report and in TensorBoard's log.</summary>
    public bool NoImages { get; init; }

    /// <summary>take_over: take the run folder from a run on another host.</summary>
    public bool Takeover { get; init; }

    /// <summary>save_init: keep the first parameters as checkpoint_0.</summary>
    public bool SaveInit { get; init; }

    /// <summary>K: steps with a backward pass in SLTT-K.</summary>
    public int K { get; init; } = 2;

    /// <summary>method.</summary>
    public string Method { get; init; } = MethodTable.Sltt;

    /// <summary>width_divisor: every inner channel count of the model is divided by it.</summary>
    public int WidthDivisor { get; init; } = 1;

    /// <summary>device.</summary>
    public DeviceChoice Device { get; init; } = DeviceChoice.Auto;

    /// <summary>amp_dtype: what amp computes in; float16 has a dynamic loss scale.</summary>
    public ComputeType AmpType { get; init; } = ComputeType.Float16;

    /// <summary>eval_type: what evaluations compute in; null: as amp and fast_math have it.</summary>
    public EvaluationType? EvalType { get; init; }

    /// <summary>batch_norm: the engine's batch norm or cuDNN's.</summary>
    public BatchNormKind BatchNorm { get; init; } = BatchNormKind.Sltt;

    /// <summary>
    /// steps_at_once: as many time steps of training go through the network side by side; 0: as many as fit the memory.
    /// </summary>
    public int StepsAtOnce { get; init; } = 1;

    /// <summary>recompute: backward makes what batch norms read again, instead of keeping it.</summary>
    public bool Recompute { get; init; }

    /// <summary>memory: what a run may take at most, MiB; 0: what the device has free.</summary>
    public long Memory { get; init; }

    /// <summary>
    /// fast_math: float32 convolutions may round more than a sum of products does: TF32 on a GPU, Winograd's algorithm in the CPU device's
    /// forward pass.
    /// </summary>
    public bool FastMath { get; init; }

    /// <summary>split_tf32: float32 convolutions of spikes go to tensor cores, in two parts that keep float32's accuracy.</summary>
    public bool SplitTf32 { get; init; }

    /// <summary>
    /// plain_resize: DVSCIFAR10's frames are made 48×48 by resampling the counts, not by the official programs' way through an 8-bit image.
    /// </summary>
    public bool PlainResize { get; init; }

    /// <summary>split_by: frames of event data have equal time, not equal event count.</summary>
    public bool SplitByTime { get; init; }

    /// <summary>duration: a frame of event data is a slice of so many µs, and T slices of a sample count; 0: T frames a sample.</summary>
    public long Duration { get; init; }

    /// <summary>allow_incomplete: take what is there of an incomplete data set, and leave out samples without an event.</summary>
    public bool AllowIncomplete { get; init; }

    /// <summary>on_nan: what happens when a number of the run's state becomes NaN or infinite.</summary>
    public NanAction OnNan { get; init; } = NanAction.Stop;

    // The official defaults of these two are Python integers and print as such until a float is given: wd0 but wd0.0.
    internal bool WeightDecayGiven { get; init; }

    internal bool StepSizeGiven { get; init; }

    /// <summary>What activations and working weights are stored in.</summary>
    public ComputeType ComputeType => Amp ? AmpType : ComputeType.Float32;

    /// <summary>
    /// The run's folder: <see cref="OutDir"/>, then the official programs' name for these options, then this engine's options where they
    /// are not the default.
    /// </summary>
    public string RunFolder => Path.Combine(OutDir, RunName);

    private string RunName
    {
        get
        {
            string schedule = Schedule == ScheduleKind.CosineAnnealing ? $"CosALR_{TMax}"
                : $"StepLR_{StepSizeText}_{PythonText.Repr(Gamma)}";
            return $"{MethodTable.Find(Method).InRunFolder(this)}_{Dataset}_{Model}_{Name}_T{T}_tau{PythonText.Repr(Tau)}"
                + $"_e{Epochs}_bs{BatchSize}_{TrainOptionTable.Spell(Optimizer)}_lr{PythonText.Repr(LearningRate)}_wd{WeightDecayText}"
                + $"_SG_{TrainOptionTable.Spell(Surrogate)}_drop{PythonText.Repr(DropRate)}"
                + $"_losslamb{PythonText.Repr(LossLambda)}_{schedule}"
                + (Amp ? "_amp" : string.Empty)
                + (Amp && AmpType != ComputeType.Float16 ? $"_{TrainOptionTable.SpellAmp(AmpType)}" : string.Empty)
                + (PlainResize ? "_plain" : string.Empty)
                + (SplitByTime ? "_split_time" : string.Empty)
                + (Duration > 0 ? $"_duration{Duration}" : string.Empty)
                + (BatchNorm == BatchNormKind.Cudnn ? "_cudnnbn" : string.Empty)
                + (FastMath ? "_fastmath" : string.Empty)
                + (EvalType is { } type ? $"_eval_{TrainOptionTable.SpellEval(type)}" : string.Empty)
                + (Seed != new TrainOptions().Seed ? string.Create(CultureInfo.InvariantCulture, $"_seed{Seed}") : string.Empty)
                + (WidthDivisor != 1 ? $"_width{WidthDivisor}" : string.Empty);
        }
    }

    internal string WeightDecayText => WeightDecay == 0 && !WeightDecayGiven ? "0" : PythonText.Repr(WeightDecay);

    internal string StepSizeText => StepSize == 100 && !StepSizeGiven ? "100" : PythonText.Repr(StepSize);

    /// <summary>Checks every option and those that must fit each other.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="SlttException">One can't be; the message names it as the user spells it.</exception>
    public TrainOptions Validate()
    {
        Require(Seed >= 0, "seed", Seed, "must not be negative");
        Require(!Name.AsSpan().ContainsAny('/', '\\'), "name", Name, "becomes part of a folder's name and must not hold / or \\");
        Require(T >= 1, "T", T, "must be at least 1 time step");
        Require(double.IsFinite(Tau) && Tau > 1, "tau", Tau, "must be greater than 1");
        Require(BatchSize >= 1, "b", BatchSize, "must be at least 1");
        Require(Epochs >= 1, "epochs", Epochs, "must be at least 1");
        Require(Workers >= 0, "j", Workers, "must not be negative");
        Require(double.IsFinite(LearningRate) && LearningRate >= 0, "lr", LearningRate, "must not be negative");
        Require(Momentum is >= 0 and < 1, "momentum", Momentum, "must be at least 0 and less than 1");
        Require(double.IsFinite(StepSize) && StepSize > 0, "step_size", StepSize, "must be greater than 0");
        Require(double.IsFinite(Gamma) && Gamma > 0, "gamma", Gamma, "must be greater than 0");
        Require(TMax >= 1, "T_max", TMax, "must be at least 1");
        Require(DropRate is >= 0 and < 1, "drop_rate", DropRate, "must be at least 0 and less than 1");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, "weight_decay", WeightDecay, "must not be negative");
        Require(LossLambda is >= 0 and <= 1, "loss_lambda", LossLambda, "must be between 0 and 1");
        Require(double.IsFinite(LossMeans), "loss_means", LossMeans, "must be a finite number");
        Require(WidthDivisor >= 1, "width_divisor", WidthDivisor, "must be at least 1");
        Require(StepsAtOnce >= 0, "steps_at_once", StepsAtOnce, "must be at least 1 time step, or auto");
        Require(StepsAtOnce <= T, "steps_at_once", StepsAtOnce, $"is more than the {T} time steps of -T");
        Require(Method != MethodTable.SlttK || K >= 1, "K", K, "must be at least 1");
        Require(Method != MethodTable.SlttK || K <= T, "K", K, $"is more than the {T} time steps of -T");
        MethodTable.Find(Method);
        NamedDataSet dataSet = Data;
        Require(Duration >= 0, "duration", Duration, "must be at least 1 µs, or 0 for T frames a sample");
        Require(Duration == 0 || dataSet is EventDataSet, "duration", Duration, $"{Dataset} has no event recordings");
        Require(!SplitByTime || dataSet is EventDataSet, "split_by", "time", $"{Dataset} has no event recordings");
        Require(!SplitByTime || Duration == 0, "split_by", "time", $"-duration {Duration} makes slices of that length; give one of them");
        if (ModelCatalog.All.All(m => m.Name != Model))
        {
            throw NearestName.Unknown("model", Model, [.. ModelCatalog.All.Select(m => m.Name)]);
        }

        if (Resume is not null && PreTrain is not null)
        {
            throw new SlttException(
                ErrorKind.Usage, $"-resume {Resume} and -pre_train {PreTrain}: a run begins with one of them",
                "-resume alone goes on with a run; -pre_train alone begins one with a checkpoint's parameters");
        }

        if (PlainResize && dataSet is not Cifar10Dvs)
        {
            throw new SlttException(
                ErrorKind.Usage, $"-plain_resize: {Dataset}'s samples are not resized", "leave it out: it is for DVSCIFAR10");
        }

        if (ResetHead && PreTrain is null)
        {
            throw new SlttException(
                ErrorKind.Usage, "-reset_head without -pre_train: there is no checkpoint whose last layer could be left out",
                "give the checkpoint with -pre_train PATH");
        }

        if (dataSet.LargestArray(RunFactory.Data(this), BatchSize) > Array.MaxLength)
        {
            throw new SlttException(
                ErrorKind.Usage,
                $"-T {T} -b {BatchSize}: too large: {Dataset}'s batches, and event recordings while they are decoded, must fit arrays of "
                    + "2^31 elements",
                "take a smaller batch, or of event data fewer time steps");
        }

        return this;
    }

    /// <summary>All options as the official programs write args.txt: Namespace(seed=2022, name='', …).</summary>
    public string ToArgsText() =>
        $"Namespace({string.Join(", ", TrainOptionTable.All.Select(option => $"{option.Name}={option.Text(this)}"))})";

    /// <summary>All options by name, for people: text without quotes, of paths the last part.</summary>
    internal IReadOnlyDictionary<string, string> Texts() => TrainOptionTable.All.ToDictionary(
        option => option.Name,
        option =>
        {
            string text = option.Text(this).Trim('\'', '"');
            return option.ValueName is "DIR" or "PATH" ? Path.GetFileName(Path.TrimEndingDirectorySeparator(text)) : text;
        });

    /// <summary>Reads what <see cref="ToArgsText"/> or an official program wrote.</summary>
    /// <param name="path">The file: args.txt.</param>
    /// <exception cref="SlttException">It can't be read or is not such a file.</exception>
    public static TrainOptions FromArgsFile(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Wrap("read", path, e);
        }

        try
        {
            return FromArgsText(text);
        }
        catch (Exception e) when (e is FormatException or SlttException)
        {
            throw new SlttException(ErrorKind.Data, $"{path}: {e.Message}", "give the args.txt of a run's folder", e);
        }
    }

    /// <summary>Reads what <see cref="ToArgsText"/> or an official program wrote.</summary>
    /// <param name="text">Namespace(…).</param>
    /// <exception cref="FormatException">It is not such a text.</exception>
    /// <exception cref="SlttException">An option that does not exist, or a value that it can't have.</exception>
    public static TrainOptions FromArgsText(string text)
    {
        TrainOptions options = new TrainOptions();
        IReadOnlyList<(string Name, string? Value)> values = PythonText.ReadNamespace(text);
        foreach ((string name, string? value) in values)
        {
            OptionDescriptor option = TrainOptionTable.Find(name)
                ?? throw NearestName.Unknown("option", name, [.. TrainOptionTable.All.Select(o => o.Name)]);
            // None is the default where it may stand. An integer default of a float option stays one: see WeightDecayGiven.
            if (value is not null && option.Text(options) != value)
            {
                options = option.Apply(options, value);
            }
        }

        // Only the official SLTT-K program has -K, and none of them has a method to write.
        bool officialSlttK = values.Any(v => v.Name == "K") && values.All(v => v.Name != "method");
        return officialSlttK ? options with { Method = MethodTable.SlttK } : options;
    }

    private static void Require(bool condition, string option, object value, string message)
    {
        if (!condition)
        {
            throw new SlttException(ErrorKind.Usage, $"-{option} {(value is double number ? PythonText.Repr(number) : value)}: {message}");
        }
    }
}
