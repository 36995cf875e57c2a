using System.Globalization;
using SlttEngine.Data.Sets;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>Every option of a run by name: the official programs' in their order, then the engine's own.</summary>
public static class TrainOptionTable
{
    private static readonly string[] Surrogates = ["triangle", "rectangle", "sigmoid"];
    private static readonly string[] Optimizers = ["SGD", "AdamW"];
    private static readonly string[] Schedules = ["CosALR", "StepLR"];
    private static readonly string[] Devices = ["auto", "cuda", "cpu", "cpu-strict"];
    private static readonly string[] BatchNorms = ["sltt", "cudnn"];
    private static readonly string[] Splits = ["number", "time"];
    private static readonly string[] NanActions = ["stop", "warn"];
    private static readonly string[] EvalTypes = ["auto", "f32", "tf32", "f16", "bf16"];
    private static readonly string[] AmpTypes = ["float16", "fp16", "bf16", "bfloat16"];

    /// <summary>The data sets' names.</summary>
    public static IReadOnlyList<string> DataSetNames { get; } = [.. DataSets.All.Select(d => d.Name)];

    /// <summary>All options.</summary>
    public static IReadOnlyList<OptionDescriptor> All { get; } =
    [
        Integer("seed", "start of all random numbers", o => o.Seed, (o, v) => o with { Seed = v }),
        Word("name", "NAME", "goes into the run folder's name", o => o.Name, (o, v) => o with { Name = v }),
        Integer("T", "time steps", o => o.T, (o, v) => o with { T = Int("T", v) }),
        Float("tau", "time constant of the LIF neurons, in steps", o => o.Tau, (o, v) => o with { Tau = v }),
        Integer("b", "batch size", o => o.BatchSize, (o, v) => o with { BatchSize = Int("b", v) }),
        Integer("epochs", "epochs to run in all", o => o.Epochs, (o, v) => o with { Epochs = Int("epochs", v) }),
        Integer("j", "threads that load data", o => o.Workers, (o, v) => o with { Workers = Int("j", v) }),
        Word("data_dir", "DIR", "folder of the data set", o => o.DataDir, (o, v) => o with { DataDir = v }),
        Choice("dataset", "data set", DataSetNames, o => o.Dataset, (o, v) => o with { Dataset = v }),
        Word("out_dir", "DIR", "folder that gets the run's folder", o => o.OutDir, (o, v) => o with { OutDir = v }),
        Choice(
            "surrogate", "surrogate", Surrogates, o => Spell(o.Surrogate),
            (o, v) => o with { Surrogate = (Surrogate)Array.IndexOf(Surrogates, v) }),
        Word("resume", "PATH", "checkpoint to go on from", o => o.Resume, (o, v) => o with { Resume = v }),
        Word("pre_train", "PATH", "checkpoint whose parameters to start from", o => o.PreTrain, (o, v) => o with { PreTrain = v }),
        Switch("amp", "mixed precision", o => o.Amp, (o, v) => o with { Amp = v }),
        Choice(
            "opt", "optimizer", Optimizers, o => Spell(o.Optimizer),
            (o, v) => o with { Optimizer = (OptimizerKind)Array.IndexOf(Optimizers, v) }),
        Float("lr", "learning rate at the start", o => o.LearningRate, (o, v) => o with { LearningRate = v }),
        Float("momentum", "momentum of SGD", o => o.Momentum, (o, v) => o with { Momentum = v }),
        Choice(
            "lr_scheduler", "scheduler", Schedules, o => Schedules[(int)o.Schedule],
            (o, v) => o with { Schedule = (ScheduleKind)Array.IndexOf(Schedules, v) }),
        Float("step_size", "epochs between StepLR's steps", o => o.StepSize,
            (o, v) => o with { StepSize = v, StepSizeGiven = true }) with { Text = o => o.StepSizeText },
        Float("gamma", "StepLR's factor", o => o.Gamma, (o, v) => o with { Gamma = v }),
        Integer("T_max", "epochs of CosALR's half wave", o => o.TMax, (o, v) => o with { TMax = Int("T_max", v) }),
        Word("model", "NAME", "model; sltt models lists them", o => o.Model, (o, v) => o with { Model = v }),
        Float("drop_rate", "dropout probability", o => o.DropRate, (o, v) => o with { DropRate = v }),
        Float("weight_decay", "weight decay", o => o.WeightDecay,
            (o, v) => o with { WeightDecay = v, WeightDecayGiven = true }) with { Text = o => o.WeightDecayText },
        Float("loss_lambda", "share of the squared error in the loss", o => o.LossLambda, (o, v) => o with { LossLambda = v }),
        Switch(
            "mse_n_reg", "the squared error is to the one-hot label, not to loss_means", o => o.MseOneHot,
            (o, v) => o with { MseOneHot = v }),
        Float("loss_means", "target of the squared error without mse_n_reg", o => o.LossMeans, (o, v) => o with { LossMeans = v }),
        Switch("save_init", "keep the first parameters as checkpoint_0", o => o.SaveInit, (o, v) => o with { SaveInit = v }),
        Integer("K", "steps with a backward pass in SLTT-K", o => o.K, (o, v) => o with { K = Int("K", v) }),
        Choice("method", "method", MethodTable.Names, o => o.Method, (o, v) => o with { Method = v }),
        Integer(
            "width_divisor", "divides every inner channel count of the model", o => o.WidthDivisor,
            (o, v) => o with { WidthDivisor = Int("width_divisor", v) }),
        Choice(
            "device", "device", Devices, o => Devices[(int)o.Device],
            (o, v) => o with { Device = (DeviceChoice)Array.IndexOf(Devices, v) }),
        Choice(
            "amp_dtype", "number type for amp", AmpTypes, o => SpellAmp(o.AmpType),
            (o, v) => o with { AmpType = v is "bf16" or "bfloat16" ? ComputeType.BFloat16 : ComputeType.Float16 }),
        Choice(
            "batch_norm", "batch norm", BatchNorms, o => BatchNorms[(int)o.BatchNorm],
            (o, v) => o with { BatchNorm = (BatchNormKind)Array.IndexOf(BatchNorms, v) }),
        new(
            "steps_at_once", "C|auto",
            "time steps that go through the network side by side in training: takes more memory, fills a GPU (auto: what fits -memory)",
            (o, v) => o with { StepsAtOnce = v == "auto" ? 0 : Positive("steps_at_once", v, " or auto") },
            o => o.StepsAtOnce == 0 ? "auto" : o.StepsAtOnce.ToString(CultureInfo.InvariantCulture)),
        Switch(
            "recompute", "backward computes what batch norms read again instead of keeping it: less memory in deep networks, more time",
            o => o.Recompute, (o, v) => o with { Recompute = v }),
        new(
            "memory", "MIB", "device memory that a run may take, for -steps_at_once auto and sltt plan (default: what is free)",
            (o, v) => o with { Memory = Positive("memory", v, " of MiB") },
            o => o.Memory == 0 ? "None" : o.Memory.ToString(CultureInfo.InvariantCulture)),
        Switch(
            "fast_math", "float32: convolutions may round more, which can flip spikes (GPU: TF32; CPU: Winograd's algorithm forward)",
            o => o.FastMath, (o, v) => o with { FastMath = v }),
        Choice(
            "eval_type", "evaluation type", EvalTypes, o => SpellEval(o.EvalType),
            (o, v) => o with { EvalType = v == EvalTypes[0] ? null : (EvaluationType)(Array.IndexOf(EvalTypes, v) - 1) },
            "what evaluations compute in (auto: tf32 with -amp or -fast_math, else f32; the CPU device has no tf32 and takes f32)"),
        Switch(
            "split_tf32", "float32: convolutions of spikes on tensor cores, in two TF32 parts whose products are exact (not yet measured)",
            o => o.SplitTf32, (o, v) => o with { SplitTf32 = v }),
        Switch(
            "plain_resize", "DVSCIFAR10: make frames 48×48 by resampling counts, not the official way through an 8-bit image",
            o => o.PlainResize, (o, v) => o with { PlainResize = v }),
        Choice(
            "split_by", "split", Splits, o => Splits[o.SplitByTime ? 1 : 0], (o, v) => o with { SplitByTime = v == "time" },
            "event data: frames of equal event count or of equal time"),
        Integer(
            "duration", "event data: a frame is a slice of N µs; the first T count, shorter samples end in empty frames (0: off)",
            o => o.Duration, (o, v) => o with { Duration = v }),
        Switch(
            "reset_head", "-pre_train: begin the last layer anew; its number of classes may differ", o => o.ResetHead,
            (o, v) => o with { ResetHead = v }),
        Switch(
            "allow_incomplete", "take what is there of an incomplete data set, and leave out samples without an event; the run says so",
            o => o.AllowIncomplete, (o, v) => o with { AllowIncomplete = v }),
        Choice(
            "on_nan", "action on NaN", NanActions, o => NanActions[(int)o.OnNan],
            (o, v) => o with { OnNan = (NanAction)Array.IndexOf(NanActions, v) }) with
        {
            Help = "what to do when parameters, statistics or the optimizer's state become NaN or infinite: stop, warn",
        },
        Switch(
            "no_report", "do not look at the network after epochs, for report.html and TensorBoard", o => o.NoReport,
            (o, v) => o with { NoReport = v }),
        Switch(
            "no_images", "no pictures of test samples in report.html and in TensorBoard's log", o => o.NoImages,
            (o, v) => o with { NoImages = v }),
    ];

    /// <summary>The option of that name; null if there is none.</summary>
    /// <param name="name">Without dashes in front; a dash within counts as an underscore.</param>
    public static OptionDescriptor? Find(string name)
    {
        string spelled = name.Replace('-', '_');
        return All.FirstOrDefault(option => option.Name == spelled);
    }

    /// <summary>As the option is spelled.</summary>
    public static string Spell(Surrogate surrogate) => Surrogates[(int)surrogate];

    /// <summary>As the option is spelled.</summary>
    public static string Spell(OptimizerKind optimizer) => Optimizers[(int)optimizer];

    internal static string SpellEval(EvaluationType? type) => EvalTypes[type is { } t ? (int)t + 1 : 0];

    internal static string SpellAmp(ComputeType type) => type == ComputeType.BFloat16 ? "bf16" : "float16";

    private static OptionDescriptor Integer(
        string name, string help, Func<TrainOptions, long> get, Func<TrainOptions, long, TrainOptions> set) =>
        new(name, "N", help, (o, text) => set(o, ParseInteger(name, text)), o => get(o).ToString(CultureInfo.InvariantCulture));

    private static OptionDescriptor Float(
        string name, string help, Func<TrainOptions, double> get, Func<TrainOptions, double, TrainOptions> set) =>
        new(name, "X", help, (o, text) => set(o, ParseFloat(name, text)), o => PythonText.Repr(get(o)));

    private static OptionDescriptor Word(
        string name, string value, string help, Func<TrainOptions, string?> get, Func<TrainOptions, string, TrainOptions> set) =>
        new(name, value, help, set, o => get(o) is { } text ? PythonText.Repr(text) : "None");

    private static OptionDescriptor Switch(
        string name, string help, Func<TrainOptions, bool> get, Func<TrainOptions, bool, TrainOptions> set) =>
        new(name, null, help, (o, text) => set(o, ParseSwitch(name, text)), o => get(o) ? "True" : "False");

    private static OptionDescriptor Choice(
        string name, string what, IReadOnlyList<string> choices, Func<TrainOptions, string> get,
        Func<TrainOptions, string, TrainOptions> set, string? help = null) =>
        new(name, name.ToUpperInvariant(), (help is null ? string.Empty : help + ": ") + string.Join(", ", choices), (o, text) => set(
            o, choices.Contains(text) ? text : throw NearestName.Unknown(what, text, [.. choices])), o => PythonText.Repr(get(o)), choices);

    private static long ParseInteger(string name, string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new SlttException(ErrorKind.Usage, $"-{name} {text}: not a whole number");

    private static int Positive(string name, string text, string kind) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
            ? value
            : throw new SlttException(ErrorKind.Usage, $"-{name} {text}: must be a whole number{kind}, at least 1");

    private static int Int(string name, long value) =>
        value is >= int.MinValue and <= int.MaxValue
            ? (int)value
            : throw new SlttException(ErrorKind.Usage, $"-{name} {value}: too large a number");

    private static double ParseFloat(string name, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : throw new SlttException(ErrorKind.Usage, $"-{name} {text}: not a finite number");

    private static bool ParseSwitch(string name, string text) => text switch
    {
        "True" => true,
        "False" => false,
        _ => throw new SlttException(ErrorKind.Usage, $"-{name} {text}: a switch, which takes no value"),
    };
}
