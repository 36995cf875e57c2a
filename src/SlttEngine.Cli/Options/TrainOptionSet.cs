namespace SlttEngine.Cli.Options;

/// <summary>The options of a run as a command's options: all that the table has, and --from.</summary>
internal sealed class TrainOptionSet
{
    private readonly string? method;
    private readonly TrainOptions defaults;
    private readonly List<(string Name, Func<TrainOptions, TrainOptions> Apply)> given = [];
    private string? from;
    private bool takeover;

    /// <summary>Creates the set.</summary>
    /// <param name="defaults">What counts where nothing is given.</param>
    /// <param name="method">What the command's name says; null if --method says it.</param>
    internal TrainOptionSet(TrainOptions defaults, string? method = null)
    {
        (this.defaults, this.method) = (defaults, method);
        Options =
        [
            .. TrainOptionTable.All.Where(o => method is null || o.Name != "method").Select(o => new CliOption(
                o.Name,
                o.ValueName,
                Help(o, defaults),
                value => given.Add((o.Name, options => o.Apply(options, o.IsSwitch ? "True" : value))))),
            new CliOption(
                "take_over", null, "take the run folder although a run on another host has it: that one no longer runs",
                _ => takeover = true),
            new CliOption(
                "from", "ARGS.TXT", "take a run's options from its args.txt; options given beside it count more", path => from = path),
        ];
    }

    /// <summary>They write into this set.</summary>
    internal IReadOnlyList<CliOption> Options { get; }

    /// <summary>True if an option was given by itself, not by --from.</summary>
    /// <param name="name">Its name in the table.</param>
    internal bool Has(string name) => given.Any(g => g.Name == name);

    /// <summary>What was given, checked.</summary>
    internal TrainOptions Read()
    {
        TrainOptions start = from is null ? defaults : TrainOptions.FromArgsFile(from);

        // A checkpoint that is given replaces the one that the earlier run began with.
        return Read(Has("resume") || Has("pre_train") ? start with { Resume = null, PreTrain = null } : start);
    }

    /// <summary>
    /// The options for a checkpoint's evaluation, checked. Without --from, the args.txt in the checkpoint's folder is read.
    /// Checkpoints that args.txt names are those that the run began with: they don't count.
    /// </summary>
    /// <param name="argsFile">The args.txt that was read; null if none was.</param>
    internal TrainOptions ReadForCheckpoint(out string? argsFile)
    {
        TrainOptions alone = Apply(defaults);
        argsFile = from;
        if (argsFile is null && (alone.Resume ?? alone.PreTrain) is { } checkpoint)
        {
            string neighbour = Path.Combine(Path.GetDirectoryName(checkpoint) ?? string.Empty, "args.txt");
            argsFile = File.Exists(neighbour) ? neighbour : null;
        }

        return Read(argsFile is null ? defaults : ReadArgs(argsFile) with { Resume = null, PreTrain = null });
    }

    private TrainOptions ReadArgs(string path)
    {
        try
        {
            return TrainOptions.FromArgsFile(path);
        }
        catch (SlttException e) when (from is null)
        {
            // The user did not name this file: it was found in the checkpoint's folder, and no option can avoid it.
            throw new SlttException(e.Kind, e.Message, "repair it, or delete it and give the run's options", e);
        }
    }

    private TrainOptions Read(TrainOptions start)
    {
        TrainOptions options = Apply(start);
        options = method is null ? options : options with { Method = method };
        if (Has("amp_dtype") && !options.Amp)
        {
            throw new SlttException(ErrorKind.Usage, "-amp_dtype has no effect without -amp", "give -amp too, or neither");
        }

        if (Has("K") && options.Method != MethodTable.SlttK)
        {
            throw new SlttException(
                ErrorKind.Usage, $"-K has no effect with {options.Method}",
                $"-method {MethodTable.SlttK} runs backward in K of the T steps");
        }

        return (options with { Takeover = takeover }).Validate();
    }

    private TrainOptions Apply(TrainOptions start) => given.Aggregate(start, (options, option) => option.Apply(options));

    private static string Help(OptionDescriptor option, TrainOptions defaults)
    {
        string text = option.Text(defaults);
        return option.IsSwitch || text is "None" or "''" ? option.Help : $"{option.Help} (default {text.Trim('\'')})";
    }
}
