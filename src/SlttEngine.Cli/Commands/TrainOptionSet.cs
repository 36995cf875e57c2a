using SlttEngine.Training;

namespace SlttEngine.Cli.Commands;

/// <summary>The options of a run as a command's options: all that the table has, and --from.</summary>
internal sealed class TrainOptionSet
{
    private readonly TrainingMethod? method;
    private TrainOptions options;

    /// <summary>Creates the set.</summary>
    /// <param name="defaults">What counts where nothing is given.</param>
    /// <param name="method">What the command's name says; null if --method says it.</param>
    internal TrainOptionSet(TrainOptions defaults, TrainingMethod? method = null)
    {
        this.method = method;
        options = defaults;
        Options =
        [
            .. TrainOptionTable.All.Where(o => method is null || o.Name != "method").Select(o => new CliOption(
                o.Name,
                o.ValueName,
                Help(o, defaults),
                value => options = o.Apply(options, o.IsSwitch ? "True" : value))),
            new CliOption("from", "ARGS.TXT", "take a run's options from its args.txt; options given beside it count more", path => options = TrainOptions.FromArgsFile(path), First: true),
        ];
    }

    /// <summary>They write into this set.</summary>
    internal IReadOnlyList<CliOption> Options { get; }

    /// <summary>What was given, checked.</summary>
    internal TrainOptions Read() => (method is { } given ? options with { Method = given } : options).Validate();

    private static string Help(OptionDescriptor option, TrainOptions defaults)
    {
        string text = option.Text(defaults);
        return option.IsSwitch || text is "None" or "''" ? option.Help : $"{option.Help} (default {text.Trim('\'')})";
    }
}
