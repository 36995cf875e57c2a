using SlttEngine.Cli.Commands;
using SlttEngine.Cli.Options;
using SlttEngine.Training;

namespace SlttEngine.Cli;

/// <summary>Finds and runs the command that was asked for; the one place that turns errors into lines and exit codes.</summary>
internal static class CommandLine
{
    /// <summary>Exit code of what the user stopped.</summary>
    internal const int Interrupted = 130;

    private const int InternalError = 1;

    private static readonly Entry[] Commands =
    [
        new("train", "trains a model; --method says how", () => new TrainCommand()),
        new("train-sltt", "trains by SLTT, with the official program's options", () => new TrainCommand(MethodTable.Sltt)),
        new("train-slttk", "trains by SLTT-K: K of the T steps, drawn at random each iteration, get a backward pass",
            () => new TrainCommand(MethodTable.SlttK)),
        new("train-bptt", "trains by backpropagation through time", () => new TrainCommand(MethodTable.Bptt)),
        new("demo", "makes event-camera gestures, trains on them, and shows time and memory", () => new DemoCommand()),
        new("bench", "times training iterations: on random data, or with -data_dir on a real batch; -resume gives trained parameters",
            () => new BenchCommand()),
        new("profile", "says where the time of training iterations goes, by kind of work and layer; takes bench's options",
            () => new ProfileCommand()),
        new("plan",
            "says what a run will need, without allocating it: memory by kind and layer, the largest batch, the time that its work takes",
            () => new PlanCommand()),
        new("eval", "evaluates a checkpoint: loss, accuracy, and for each layer how often it fires and what that costs",
            () => new EvalCommand()),
        new("predict", "says which classes a checkpoint sees in images or recordings, with probabilities", () => new PredictCommand()),
        new("runs", "lists the runs below a folder: method, model, data, accuracy, time, and which of them run, are done or died",
            () => new RunsCommand()),
        new("compare-runs", "makes one page of several runs: curves over each other, results, options that differ",
            () => new CompareRunsCommand()),
        new("convert", "writes a checkpoint in the other form: safetensors, or a .pth file that PyTorch loads", () => new ConvertCommand()),
        new("export", "writes a checkpoint's network for other programs: NIR, ONNX, or a PyTorch model", () => new ExportCommand()),
        new("models", "lists the models with their parameters, neurons, and operations a step", () => new ModelsCommand()),
        new("data", "says what each data set needs, where it comes from, and what a folder holds of it", () => new DataCommand()),
        new("verify", "replays recorded vectors and compares: PASS or FAIL a group of tensors", () => new VerifyCommand()),
        new("doctor", "says what is found of drivers and libraries, what is missing and what mends it, and tests each device",
            () => new DoctorCommand()),
        new("devices", "what can compute here, and why not the rest", () => new DevicesCommand()),
    ];

    /// <summary>Runs sltt.</summary>
    /// <param name="arguments">The process's arguments.</param>
    /// <param name="context">What the process gives.</param>
    /// <returns>The exit code: 0, 1 for a defect of the program, 2 usage, 3 device, 4 data, 130 stopped by the user.</returns>
    internal static int Run(IReadOnlyList<string> arguments, CliContext context)
    {
        bool verbose = arguments.Contains("--verbose");
        context = context with { Arguments = arguments };
        return Guard(context, verbose, () => Dispatch([.. arguments.Where(a => a != "--verbose")], context));
    }

    /// <summary>Runs what may throw; every error becomes a line or two on the error output and an exit code.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="verbose">With the trace.</param>
    /// <param name="work">What to run.</param>
    internal static int Guard(CliContext context, bool verbose, Func<int> work)
    {
        try
        {
            return work();
        }
        catch (SlttException e)
        {
            return Report(context, e.Message, e.Hint, (int)e.Kind, verbose ? e : null);
        }
        catch (OperationCanceledException e) when (context.Stop.IsCancellationRequested)
        {
            return Report(context, "stopped", null, Interrupted, verbose ? e : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Report(context, e.Message, null, (int)ErrorKind.Data, verbose ? e : null);
        }
        catch (Exception e) when (e.GetType().Namespace?.StartsWith("ManagedCuda", StringComparison.Ordinal) == true)
        {
            return Report(context, e.Message, "sltt devices says what can be used", (int)ErrorKind.Device, verbose ? e : null);
        }
#pragma warning disable CA1031 // The last resort: nobody gets a stack trace unasked.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Report(
                context, $"internal error: {e.GetType().Name}: {e.Message}", verbose ? null
                : "--verbose shows where", InternalError, verbose ? e : null);
        }
    }

    private static int Dispatch(IReadOnlyList<string> arguments, CliContext context)
    {
        if (arguments.Count == 0 || arguments[0] is "--help" or "-h" or "-help" or "help")
        {
            if (arguments.Count > 1)
            {
                return Help(Find(arguments[1]), context);
            }

            HelpText help = new(context.Output);
            help.Paragraph(
                "sltt COMMAND [options]: trains deep spiking neural networks with memory that does not grow with the time steps");
            help.Gap();
            help.Table([.. Commands.Select(c => (c.Name, c.Summary))]);
            help.Gap();
            help.Paragraph("sltt COMMAND --help lists a command's options; --version; --verbose shows where an error comes from");
            return arguments.Count == 0 ? (int)ErrorKind.Usage : 0;
        }

        if (arguments[0] is "--version" or "-version")
        {
            context.Output.WriteLine($"sltt {RunDescription.Version}");
            return 0;
        }

        Entry found = Find(arguments[0]);
        if (arguments.Skip(1).Any(a => a is "--help" or "-h" or "-help"))
        {
            return Help(found, context);
        }

        Command command = found.Create();
        IReadOnlyList<string> positionals = ArgumentParser.Parse([.. arguments.Skip(1)], command.Options, found.Name);
        if (command.Positionals is null && positionals.Count > 0)
        {
            throw new SlttException(ErrorKind.Usage, $"'{positionals[0]}' is not an option", $"sltt {found.Name} --help lists the options");
        }

        return command.Run(context, positionals);
    }

    private static Entry Find(string name) =>
        Commands.FirstOrDefault(c => c.Name == name) ?? throw NearestName.Unknown("command", name, [.. Commands.Select(c => c.Name)]);

    private static int Help(Entry entry, CliContext context)
    {
        Command command = entry.Create();
        HelpText help = new(context.Output);
        help.Paragraph(
            $"sltt {entry.Name}{(command.Positionals is null ? string.Empty : " " + command.Positionals)} [options]: {entry.Summary}");
        help.Gap();
        help.Table(
            [.. command.Options.Where(o => !o.Idle).Select(
            o => ($"-{o.Name}{(o.ValueName is null ? string.Empty : " " + o.ValueName)}", o.Help))]);
        if (command.Options.Any(o => o.Idle))
        {
            help.Gap();
            help.Paragraph(
                $"Taken too, as a training command has them, and without effect here: "
                    + $"{string.Join(", ", command.Options.Where(o => o.Idle).Select(o => "-" + o.Name))}");
        }

        return 0;
    }

    private static int Report(CliContext context, string message, string? hint, int exitCode, Exception? trace)
    {
        context.Error.WriteLine("sltt: " + message.ReplaceLineEndings(" "));
        if (hint is not null)
        {
            context.Error.WriteLine("      " + hint.ReplaceLineEndings(" "));
        }

        if (trace is not null)
        {
            context.Error.WriteLine(trace);
        }

        return exitCode;
    }

    private sealed record Entry(string Name, string Summary, Func<Command> Create);
}
