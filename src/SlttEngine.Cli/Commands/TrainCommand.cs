using SlttEngine.Cli.Options;

namespace SlttEngine.Cli.Commands;

/// <summary>Trains a model.</summary>
internal sealed class TrainCommand : Command
{
    private readonly TrainOptionSet set;
    private readonly bool isOfficial;
    private bool quiet;
    private bool jsonLines;

    /// <summary>Creates the command.</summary>
    /// <param name="method">What the command's name says, as an official program's does; null if --method says it.</param>
    internal TrainCommand(string? method = null)
    {
        (set, isOfficial) = (new TrainOptionSet(new TrainOptions(), method), method is not null);
        Options =
        [
            .. set.Options,
            new CliOption("quiet", null, "say nothing but warnings and errors", _ => quiet = true),
            new CliOption(
                "json_lines", null, "show the run as JSON objects, one a line: start, iteration, epoch, checkpoint, warning, done …",
                _ => jsonLines = true),
        ];
    }

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        if (quiet && jsonLines)
        {
            throw new SlttException(ErrorKind.Usage, "--quiet and --json-lines are two ways to show a run", "give one of them");
        }

        if (jsonLines)
        {
            JsonLinesView lines = new(context);
            TrainingSession.Run(set.ReadForRun(lines.Warning), lines, context);
            if (lines.WasStopped)
            {
                return CommandLine.Interrupted;
            }

            lines.Done();
            return 0;
        }

        TrainingView view = new(quiet ? CliContext.Plain(TextWriter.Null, context.Error, context.Stop) : context, isOfficial);
        TrainOptions options = set.ReadForRun(view.Warning);
        view.Show(() => TrainingSession.Run(options, view, context));
        if (quiet && view.GoesOn is { } line)
        {
            context.Error.WriteLine("sltt: stopped; this goes on: " + line);
        }

        return view.WasStopped ? CommandLine.Interrupted : 0;
    }
}
