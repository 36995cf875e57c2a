using SlttEngine.Cli.Options;

namespace SlttEngine.Cli.Commands;

/// <summary>Trains a model.</summary>
internal sealed class TrainCommand : Command
{
    private readonly TrainOptionSet set;

    /// <summary>Creates the command.</summary>
    /// <param name="method">What the command's name says; null if --method says it.</param>
    internal TrainCommand(string? method = null) => set = new TrainOptionSet(new TrainOptions(), method);

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options => set.Options;

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        TrainingView view = new TrainingView(context);
        TrainOptions options = view.Read(set);
        view.Show(() => TrainingSession.Run(options, view, context));
        return view.WasStopped ? CommandLine.Interrupted : 0;
    }
}
