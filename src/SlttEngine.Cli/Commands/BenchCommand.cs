using System.Globalization;
using SlttEngine.Training;

namespace SlttEngine.Cli.Commands;

/// <summary>Times training iterations on random data.</summary>
internal sealed class BenchCommand : Command
{
    private readonly TrainOptionSet set = new(new TrainOptions());
    private int iterations = 10;
    private bool json;

    internal BenchCommand() => Options =
    [
        .. set.Options,
        new CliOption("iterations", "N", "iterations to time, after a few to warm up (default 10)", value => iterations = ParseIterations(value)),
        new CliOption("json", null, "the result as JSON", _ => json = true),
    ];

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        TrainOptions options = set.Read();
        BenchmarkResult result = BenchmarkRun.Measure(options, iterations, context.Stop);
        if (json)
        {
            JsonOutput.Write(context, new { Options = options.ToArgsText(), Result = result });
        }
        else
        {
            Show(context, options, result);
        }

        return context.Stop.IsCancellationRequested ? CommandLine.Interrupted : 0;
    }

    private static void Show(CliContext context, TrainOptions options, BenchmarkResult result)
    {
        context.WriteLine($"device: {result.Device}");
        context.WriteLine($"{options.Model}, {TrainOptionTable.Spell(options.Method)}, T = {options.T}, batch {options.BatchSize}, {result.Iterations} iterations");
        List<(string Name, string Value)> rows = [("seconds an iteration, median", result.SecondsPerIteration.ToString("0.0000", CultureInfo.InvariantCulture))];
        if (result.HostSecondsPerIteration is { } host)
        {
            rows.Add(("of it the host's launching", host.ToString("0.0000", CultureInfo.InvariantCulture)));
        }

        rows.AddRange(
        [
            ("images/s", result.ImagesPerSecond.ToString("0.0", CultureInfo.InvariantCulture)),
            ("peak device memory", Units.Bytes(result.DeviceBytes)),
            ("peak process memory", Units.Bytes(result.PeakProcessBytes)),
            ("that of the idle process", Units.Bytes(result.IdleProcessBytes)),
        ]);
        foreach ((string name, string value) in rows)
        {
            context.WriteLine($"  {name,-30}{value,12}");
        }
    }

    private static int ParseIterations(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
            ? value
            : throw new SlttException(ErrorKind.Usage, $"-iterations {text}: must be a whole number of at least 1");
}
