using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.IO;
using SlttEngine.Training;
using Spectre.Console;

namespace SlttEngine.Cli.Commands;

/// <summary>Evaluates a checkpoint: loss, accuracy, and for each layer how often it fires and what that costs.</summary>
internal sealed class EvalCommand : Command
{
    private static readonly string[] OfTrainingAlone =
    [
        "name", "epochs", "out_dir", "surrogate", "amp_dtype", "opt", "lr", "momentum", "lr_scheduler", "step_size", "gamma",
        "T_max",
        "drop_rate", "weight_decay", "save_init", "K", "method", "reset_head", "on_nan",
    ];

    private readonly TrainOptionSet set = new(new TrainOptions());
    private bool json;

    internal EvalCommand() => Options =
    [
        .. set.Options.Select(o => o.Name switch
        {
            "resume" => o with { Help = "the checkpoint: .safetensors, or an official program's .pth" },
            "pre_train" => o with { Help = "the same" },
            "from" =>
                o with { Help = "take a run's options from this args.txt, not from the checkpoint and its folder; options given beside it "
                    + "count more" },
            _ => o with { Idle = OfTrainingAlone.Contains(o.Name) },
        }),
        new CliOption("json", null, "the result as JSON", _ => json = true),
    ];

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        TrainOptions options = set.ReadForCheckpoint(out string? argsFile, out CheckpointFile? read);
        CheckpointFile checkpoint = read ?? throw new SlttException(
            ErrorKind.Usage, "no checkpoint to evaluate", "give one with -resume PATH: .safetensors, or an official program's .pth");

        // With --json standard output is the result alone.
        CliContext shown = json ? CliContext.Plain(context.Error, context.Error, context.Stop) : context;
        TrainingView view = new TrainingView(shown);
        Action write = () => { };
        view.Show(() =>
        {
            IDataSet test = options.Data.Open(options.DataDir, train: false, RunFactory.Data(options, view.Preparing));
            using IDisposable? files = test as IDisposable;
            using ComputeDevice device = ComputeDevice.Open(options.Device, out string reason);
            using Evaluation evaluation = new(device, RunFactory.Training(options), checkpoint, test, view);
            if (!json)
            {
                context.WriteLine($"device: {device.Name} ({reason})");
                Describe(context, options, evaluation, Sources(checkpoint, argsFile));
            }

            EvaluationResult result = evaluation.Run(context.Stop);
            object asJson = AsJson(WithOptimizer(options, checkpoint), device, evaluation, result);
            write = json ? () => JsonOutput.Write(context, asJson) : () => Write(context, options, result);
        });
        write(); // Once the bar is gone: a table has its own place on the terminal.
        return 0;
    }

    /// <summary>Where options come from besides the command line.</summary>
    private string[] Sources(CheckpointFile checkpoint, string? argsFile) =>
    [
        .. set.HasFrom || RunDescription.Read(checkpoint) is null ? Array.Empty<string>() : ["the checkpoint"],
        .. argsFile is null ? Array.Empty<string>() : [argsFile],
    ];

    private static void Describe(CliContext context, TrainOptions options, Evaluation evaluation, string[] sources)
    {
        if (sources.Length > 0)
        {
            context.WriteLine($"options: {string.Join(", ", sources)}, and what was given");
        }

        context.WriteLine($"checkpoint: {options.Resume ?? options.PreTrain}");
        context.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"model: {options.Model}, {evaluation.Network.ParameterCount / 1e6:0.00} M parameters; data: {options.Dataset}, "
                + $"{evaluation.Samples} test samples; T = {options.T}, "
                + $"{RunFactory.Training(options).UsedEvaluationType.ToString().ToLowerInvariant()}"));
    }

    private static void Write(CliContext context, TrainOptions options, EvaluationResult result)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("layer");
        foreach (string column in (ReadOnlySpan<string>)["neurons", "firing rate", "spikes", "SOPs", "dense MACs"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (LayerActivity l in result.Layers)
        {
            table.AddRow(
                Markup.Escape(l.Name), l.Neurons == 0 ? "-" : Number(l.Neurons), Rate(l.FiringRate), Number(l.SpikesPerImage), Number(
                    l.SynapticOperations), Number(l.MultiplyAdds));
        }

        table.AddRow(
            "all", Number(result.Layers.Sum(l => l.Neurons)), Rate(result.FiringRate), Number(result.SpikesPerImage),
            Number(result.SynapticOperations), Number(result.MultiplyAdds));
        context.Console.Write(table);
        context.WriteLine(
            $"for an image, all {options.T} steps. SOPs: weights that a layer's spikes meet (output channels × taps hit); dense MACs: the "
                + "same weights in full; layers without a rate read real numbers");
        context.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"an image costs {result.SynapticOperations / 1e6:0.00} M additions and {result.RemainingMultiplyAdds / 1e6:0.00} M "
                + $"multiply-adds, instead of {result.MultiplyAdds / 1e6:0.00} M multiply-adds"));
        context.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"loss={result.Loss:0.0000}, top1={100 * result.Top1:0.00}, top5={100 * result.Top5:0.00}, samples={result.Samples}"));
    }

    /// <summary>The options with the checkpoint's optimiser and schedule, which an evaluation does not use.</summary>
    private static TrainOptions WithOptimizer(TrainOptions options, CheckpointFile checkpoint)
    {
        try
        {
            return CheckpointOptions.With(options, SavedOptimizer.Read(checkpoint), _ => false, []);
        }
        catch (SlttException)
        {
            return options; // None, or one that no run here can have.
        }
    }

    private static object AsJson(TrainOptions options, ComputeDevice device, Evaluation evaluation, EvaluationResult result) => new
    {
        Checkpoint = options.Resume ?? options.PreTrain,
        Options = options.ToArgsText(),
        Device = device.Name,
        options.Model,
        options.Dataset,
        options.T,
        EvalType = TrainOptionTable.SpellEval(RunFactory.Training(options).UsedEvaluationType),
        Parameters = evaluation.Network.ParameterCount,
        result.Samples,
        result.Loss,
        result.Top1,
        result.Top5,
        result.FiringRate,
        result.SpikesPerImage,
        result.SynapticOperations,
        result.RemainingMultiplyAdds,
        result.MultiplyAdds,
        result.Layers,
    };

    private static string Rate(double? rate) => rate?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-";

    private static string Number(double? value) => value?.ToString("#,##0", CultureInfo.InvariantCulture) ?? "-";
}
