using SlttEngine.IO;
using SlttEngine.Training;

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

    /// <summary>True if --from was given.</summary>
    internal bool HasFrom => from is not null;

    /// <summary>What was given, checked.</summary>
    internal TrainOptions Read() => Read(Start());

    /// <summary>
    /// The options for a run, checked. A run that is resumed has its checkpoint's optimiser and schedule, and where neither an option nor
    /// --from says otherwise, all that the checkpoint describes.
    /// </summary>
    /// <param name="warning">Receives a line for each option that the checkpoint overrides.</param>
    internal TrainOptions ReadForRun(Action<string> warning)
    {
        List<string> lines = [];
        TrainOptions start = Start();
        TrainOptions alone = Apply(start);
        if (alone.Resume is not { } path || alone.PreTrain is not null)
        {
            return Read(start);
        }

        CheckpointFile checkpoint = CheckpointFile.Read(path);
        TrainOptions options = Apply(from is null ? Described(start, checkpoint) : start);
        TrainOptions read = Checked(
            CheckpointOptions.With(options, SavedOptimizer.Read(checkpoint), name => from is not null || Has(name), lines));
        lines.ForEach(warning);
        return read;
    }

    /// <summary>
    /// The options for a checkpoint's evaluation, checked. Without --from they are the checkpoint's own, and for what it does not describe
    /// those of the args.txt in its folder. Checkpoints that args.txt names are those that the run began with: they don't count.
    /// </summary>
    /// <param name="path">The checkpoint.</param>
    /// <param name="argsFile">The args.txt that was read; null if none was.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    internal TrainOptions ReadForCheckpoint(string path, out string? argsFile, out CheckpointFile checkpoint)
    {
        given.Add(("resume", options => options with { Resume = path }));
        TrainOptions options = ReadForCheckpoint(out argsFile, out CheckpointFile? read);
        checkpoint = read!;
        return options;
    }

    /// <summary>The same of the checkpoint that an option gives.</summary>
    /// <param name="argsFile">The args.txt that was read; null if none was.</param>
    /// <param name="checkpoint">The checkpoint; null if none was given.</param>
    internal TrainOptions ReadForCheckpoint(out string? argsFile, out CheckpointFile? checkpoint)
    {
        TrainOptions alone = Apply(defaults);
        string? path = alone.Resume ?? alone.PreTrain;
        argsFile = from;
        if (argsFile is null && path is not null)
        {
            string neighbour = Path.Combine(Path.GetDirectoryName(path) ?? string.Empty, "args.txt");
            argsFile = File.Exists(neighbour) ? neighbour : null;
        }

        TrainOptions start = argsFile is null ? defaults : WithoutStart(ReadArgs(argsFile));
        checkpoint = path is null ? null : CheckpointFile.Read(path);
        return Read(from is null && checkpoint is not null ? Described(start, checkpoint) : start);
    }

    private static TrainOptions Described(TrainOptions start, CheckpointFile checkpoint) =>
        RunDescription.Read(checkpoint) is { } run ? CheckpointOptions.With(start, run, checkpoint.Path) : start;

    private TrainOptions Start()
    {
        TrainOptions start = from is null ? defaults : TrainOptions.FromArgsFile(from);

        // A checkpoint that is given replaces the one that the earlier run began with.
        return Has("resume") || Has("pre_train") ? WithoutStart(start) : start;
    }

    private static TrainOptions WithoutStart(TrainOptions options) => options with { Resume = null, PreTrain = null, ResetHead = false };

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

    private TrainOptions Read(TrainOptions start) => Checked(Apply(start));

    private TrainOptions Checked(TrainOptions options)
    {
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

        if (options.SplitTf32 && Has("split_tf32") && (options.Amp || options.FastMath))
        {
            throw new SlttException(
                ErrorKind.Usage, $"-split_tf32 has no effect with -{(options.Amp ? "amp" : "fast_math")}",
                "it keeps float32's accuracy: give it alone");
        }

        if (!Has("steps_at_once"))
        {
            // What a checkpoint or args.txt says of more steps: a run of fewer takes all of its own together.
            options = options with { StepsAtOnce = Math.Min(options.StepsAtOnce, Math.Max(1, options.T)) };
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
