using System.Globalization;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.Layers;
using SlttEngine.Models;
using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>
/// From what a checkpoint says of its run to options. An option that has the checkpoint's value already keeps its spelling.
/// </summary>
internal static class CheckpointOptions
{
    /// <summary>Options whose values are the description's.</summary>
    /// <param name="options">Where the rest comes from.</param>
    /// <param name="run">The description.</param>
    /// <param name="path">The checkpoint's file, for messages.</param>
    /// <exception cref="SlttException">The model is not one of the built-in ones.</exception>
    internal static TrainOptions With(TrainOptions options, RunDescription run, string path)
    {
        if (!ModelCatalog.All.Any(m => m.Name == run.Model))
        {
            throw new SlttException(
                ErrorKind.Usage, $"{path}: its model '{run.Model}' is not built in: a program made it with the library",
                "that program evaluates, resumes and exports it (Trainer.Load, Fit, Export); sltt models lists the built-in ones");
        }

        string Setting(string name) => run.ModelSettings.GetValueOrDefault(name, string.Empty);
        (bool plain, EventSplit split) = EventTransformer.Parse(run.Transform);
        TrainOptions result = options with
        {
            T = run.Steps,
            K = run.K ?? options.K,
            Tau = run.Tau,
            LossLambda = Number(options.LossLambda, run.LossLambda),
            LossMeans = Number(options.LossMeans, run.LossMeans),
            MseOneHot = run.LossOneHot,
            Model = run.Model,
            Dataset = run.DataSet is { } set && TrainOptionTable.DataSetNames.Contains(set) ? set : options.Dataset,
            PlainResize = plain,
            SplitByTime = split.ByTime,
            Duration = split.Duration,
            FastMath = run.FastMath,
            SplitTf32 = run.SplitTf32,
            StepsAtOnce = run.StepsAtOnce,
            BatchSize = run.BatchSize,
            Seed = run.Seed,
            Epochs = run.Epochs,
            Amp = run.Dtype != "float32",
            AmpType = run.Dtype == "bfloat16" ? ComputeType.BFloat16 : run.Dtype == "float16" ? ComputeType.Float16 : options.AmpType,
        };
        if (Enum.TryParse(run.EvalType, ignoreCase: true, out EvaluationType evaluation))
        {
            // What the other options make of `auto` stays unsaid.
            TrainOptions unsaid = result with { EvalType = null };
            result = RunFactory.Training(unsaid).UsedEvaluationType == evaluation ? unsaid : result with { EvalType = evaluation };
        }

        if (MethodTable.All.FirstOrDefault(m => m.Create(result).Name == run.Method) is { } method)
        {
            result = result with { Method = method.Name };
        }

        if (Enum.TryParse(run.Surrogate, ignoreCase: true, out Surrogate surrogate))
        {
            result = result with { Surrogate = surrogate };
        }

        if (int.TryParse(Setting(ModelOptions.WidthSetting), CultureInfo.InvariantCulture, out int width))
        {
            result = result with { WidthDivisor = width };
        }

        if (float.TryParse(Setting(ModelOptions.DropSetting), CultureInfo.InvariantCulture, out float drop))
        {
            result = result with { DropRate = Number(result.DropRate, drop) };
        }

        return Enum.TryParse(Setting(ModelOptions.BatchNormSetting), out BatchNormKind batchNorm)
            ? result with { BatchNorm = batchNorm } : result;
    }

    /// <summary>
    /// Options whose optimiser and schedule are the checkpoint's, as after load_state_dict, and a line for each option that said otherwise.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="saved">The checkpoint's optimiser and schedule.</param>
    /// <param name="isSaid">Whether the user gave an option.</param>
    /// <param name="lines">Receives the lines.</param>
    internal static TrainOptions With(TrainOptions options, SavedOptimizer saved, Func<string, bool> isSaid, ICollection<string> lines)
    {
        OptimizerKind kind = saved.Optimizer is AdamW ? OptimizerKind.AdamW : OptimizerKind.Sgd;
        Set("opt", o => o.Optimizer == kind, o => o with { Optimizer = kind });
        if (saved.Optimizer is Sgd sgd)
        {
            Set("momentum", o => o.Momentum == sgd.Momentum, o => o with { Momentum = sgd.Momentum });
        }

        double decay = saved.Optimizer.WeightDecay;
        Set("weight_decay", o => o.WeightDecay == decay, o => o with { WeightDecay = decay, WeightDecayGiven = true });
        double rate = saved.LearningRate.Initial;
        Set("lr", o => o.LearningRate == rate, o => o with { LearningRate = rate });
        switch (saved.LearningRate)
        {
            case LearningRate.Cosine cosine:
                SetSchedule(ScheduleKind.CosineAnnealing);
                Set("T_max", o => o.TMax == cosine.TMax, o => o with { TMax = cosine.TMax });
                break;
            case LearningRate.Step step:
                SetSchedule(ScheduleKind.Step);
                Set("step_size", o => o.StepSize == step.StepSize, o => o with { StepSize = step.StepSize, StepSizeGiven = true });
                Set("gamma", o => o.Gamma == step.Gamma, o => o with { Gamma = step.Gamma });
                break;
        }

        return options;

        void SetSchedule(ScheduleKind schedule) =>
            Set("lr_scheduler", o => o.Schedule == schedule, o => o with { Schedule = schedule });

        void Set(string name, Func<TrainOptions, bool> isSame, Func<TrainOptions, TrainOptions> set)
        {
            if (isSame(options))
            {
                return;
            }

            TrainOptions after = set(options);
            if (isSaid(name))
            {
                Func<TrainOptions, string> text = TrainOptionTable.Find(name)!.Text;
                lines.Add($"-{name} {text(options).Trim('\'')} differs from the checkpoint's {text(after).Trim('\'')}, which holds");
            }

            options = after;
        }
    }

    /// <summary>A float's own digits, or what was there if it is the same float.</summary>
    private static double Number(double before, float value) => (float)before == value ? before
        : double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
