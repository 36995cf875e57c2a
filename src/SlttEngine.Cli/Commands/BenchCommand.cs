using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Training;

namespace SlttEngine.Cli.Commands;

/// <summary>
/// Times training iterations on one batch: random data, or with -data_dir the one that a run there begins with; -resume and -pre_train give
/// the parameters.
/// </summary>
internal sealed class BenchCommand : Command
{
    private readonly OneBatchOptions batch = new();
    private string? batchFile;
    private bool json;

    internal BenchCommand() => Options =
    [
        .. batch.Options,
        new CliOption("save_batch", "FILE", "keep the batch as safetensors, for another program to train on", path => batchFile = path),
        new CliOption("json", null, "the result as JSON", _ => json = true),
    ];

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        TrainOptions options = batch.Read();
        if (batchFile is "")
        {
            throw new SlttException(ErrorKind.Usage, "-save_batch '': not a file's name", "name the file to write");
        }

        BenchmarkResult result = BenchmarkRun.Measure(
            () => ComputeDevice.Open(options.Device, out _), RunFactory.Training(options), () => Batch(
                context, options), batch.Iterations, context.Stop);
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

    private SampleBatch Batch(CliContext context, TrainOptions options)
    {
        SampleBatch samples = batch.Batch(context, options);
        if (batchFile is not null)
        {
            samples.Write(batchFile, options.Seed);
        }

        return samples;
    }

    private static void Show(CliContext context, TrainOptions options, BenchmarkResult result)
    {
        context.WriteLine($"device: {result.Device}");
        string together = result.StepsAtOnce > 1 ? $", {result.StepsAtOnce} steps side by side" : string.Empty;
        context.WriteLine(
            $"{options.Model}, {options.Method}, T = {options.T}{together}, batch {options.BatchSize}, {result.Iterations} iterations");
        List<(string Name, string Value)> rows = [
            ("seconds an iteration, median", result.SecondsPerIteration.ToString("0.0000", CultureInfo.InvariantCulture))];
        if (result.HostSecondsPerIteration is { } host)
        {
            rows.Add(("of it the host's launching", host.ToString("0.0000", CultureInfo.InvariantCulture)));
        }

        rows.AddRange(
        [
            ("images/s", result.ImagesPerSecond.ToString("0.0", CultureInfo.InvariantCulture)),
            ("loss of the first iteration", result.FirstLoss.ToString("0.0000", CultureInfo.InvariantCulture)),
            ("peak device memory", Units.Bytes(result.DeviceBytes)),
        ]);
        if (result.DeviceInUseBytes is { } inUse)
        {
            rows.Add(("in use on the whole device", Units.Bytes(inUse)));
        }

        rows.AddRange(
        [
            ("peak process memory", Units.Bytes(result.PeakProcessBytes)),
            ("that of the idle process", Units.Bytes(result.IdleProcessBytes)),
        ]);
        foreach ((string name, string value) in rows)
        {
            context.WriteLine($"  {name,-30}{value,12}");
        }
    }
}
