using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Models;

namespace SlttEngine.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    /// <summary>The help text.</summary>
    public const string Usage = """
        Benchmarks of SlttEngine.

          SlttEngine.Bench [kernels] [training] [options]         both by default

          --device auto|cuda|cpu    where (auto)
          --smoke                   small sizes, one measurement each: does everything run? (under a minute on two cores)
          --types f32,f16,bf16      number types (kernels: f32,f16,bf16; training: f32)
          --models a,b,...          models of the training benchmarks
          --methods sltt,slttk,bptt training methods
          --steps 1,6,12,...        time steps T
          --batch N  --width N      batch and width divisor, in place of each model's own
          --filter TEXT             only cases whose name contains TEXT
          --out FOLDER              also writes results.json, a table and a plot there

          SlttEngine.Bench figures CHECKPOINT RECORDING PAGE FOLDER    the documents' pictures; ./build.sh figures gives these

        GB/s counts what a kernel must move (its source file's header says what); "of copy" compares it with the rate at which
        the same device copies memory, measured in the same run.
        """;

    private static readonly string[] Names =
        ["--device", "--smoke", "--types", "--models", "--methods", "--steps", "--batch", "--width", "--filter", "--out", "--help"];

    /// <summary>Time the kernels.</summary>
    public bool Kernels { get; init; }

    /// <summary>Time training iterations.</summary>
    public bool Training { get; init; }

    /// <summary>Where.</summary>
    public DeviceChoice Device { get; init; } = DeviceChoice.Auto;

    /// <summary>Small sizes, one measurement each.</summary>
    public bool Smoke { get; init; }

    /// <summary>Number types; null: each benchmark's own.</summary>
    public IReadOnlyList<ComputeType>? Types { get; init; }

    /// <summary>Models; null: the device's usual ones.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>Training methods.</summary>
    public IReadOnlyList<string> Methods { get; init; } = MethodTable.Names;

    /// <summary>Time steps; null: the usual ones.</summary>
    public IReadOnlyList<int>? Steps { get; init; }

    /// <summary>Batch size; null: each model's own.</summary>
    public int? Batch { get; init; }

    /// <summary>Width divisor; null: each model's own.</summary>
    public int? Width { get; init; }

    /// <summary>Only cases whose name contains it.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Folder for the results; null for none.</summary>
    public string? Out { get; init; }

    /// <summary>Show <see cref="Usage"/>.</summary>
    public bool Help { get; init; }

    /// <summary>The command as it was given, for the results.</summary>
    public string Command { get; init; } = "";

    /// <summary>Reads a command line.</summary>
    /// <exception cref="SlttException">It is not understood.</exception>
    public static BenchOptions Parse(string[] args)
    {
        BenchOptions options = new() { Command = string.Join(' ', args.Prepend("SlttEngine.Bench")) };
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            string Value() => ++i < args.Length ? args[i]
                : throw new SlttException(ErrorKind.Usage, $"{name} needs a value", "--help shows the options");
            options = name switch
            {
                "kernels" => options with { Kernels = true },
                "training" => options with { Training = true },
                "--device" =>
                    options with { Device = One("device", Value(), Enum.GetValues<DeviceChoice>(), d => d.ToString().ToLowerInvariant()) },
                "--smoke" => options with { Smoke = true },
                "--types" => options with { Types = Many("type", Value(), Enum.GetValues<ComputeType>(), t => t.Suffix()) },
                "--models" => options with { Models = Many("model", Value(), ModelCatalog.All.Select(m => m.Name), m => m) },
                "--methods" => options with { Methods = Many("method", Value(), MethodTable.Names, m => m) },
                "--steps" => options with { Steps = [.. Value().Split(',').Select(v => Positive("--steps", v))] },
                "--batch" => options with { Batch = Positive(name, Value()) },
                "--width" => options with { Width = Positive(name, Value()) },
                "--filter" => options with { Filter = Value() },
                "--out" => options with { Out = Value() },
                "--help" or "-h" => options with { Help = true },
                _ => throw NearestName.Unknown("option", name, [.. Names, "kernels", "training"]),
            };
        }

        return options.Kernels || options.Training ? options : options with { Kernels = true, Training = true };
    }

    private static List<T> Many<T>(string what, string list, IEnumerable<T> known, Func<T, string> name) =>
        [.. list.Split(',').Select(given => One(what, given, known, name))];

    private static T One<T>(string what, string given, IEnumerable<T> known, Func<T, string> name)
    {
        foreach (T candidate in known)
        {
            if (name(candidate) == given)
            {
                return candidate;
            }
        }

        throw NearestName.Unknown(what, given, [.. known.Select(name)]);
    }

    private static int Positive(string name, string value) => int.TryParse(value, out int number) && number > 0
        ? number
        : throw new SlttException(ErrorKind.Usage, $"{name} must be a whole number above 0, not '{value}'");
}
