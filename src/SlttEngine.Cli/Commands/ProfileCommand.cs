using System.Globalization;
using SlttEngine.Cli.Options;
using SlttEngine.Device;
using SlttEngine.Training;
using Spectre.Console;

namespace SlttEngine.Cli.Commands;

/// <summary>
/// Says where the time of training iterations goes, on one batch as <see cref="BenchCommand"/> takes it: by kind of work, layer and kernel,
/// beside what the device reaches at its best.
/// </summary>
internal sealed class ProfileCommand : Command
{
    private const int MaxKernels = 25;
    private const int MaxKernelName = 90;

    private readonly OneBatchOptions batch = new();
    private string? traceFile;
    private bool json;

    internal ProfileCommand() => Options =
    [
        .. batch.Options,
        new CliOption(
            "trace", "FILE", "write an iteration as a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open",
            path => traceFile = path),
        new CliOption("json", null, "the result as JSON, in seconds and bytes", _ => json = true),
    ];

    /// <inheritdoc/>
    internal override IReadOnlyList<CliOption> Options { get; }

    /// <inheritdoc/>
    internal override int Run(CliContext context, IReadOnlyList<string> positionals)
    {
        TrainOptions options = batch.Read();
        if (traceFile is not null && (traceFile.Length == 0 || Directory.Exists(traceFile)))
        {
            throw new SlttException(ErrorKind.Usage, $"-trace '{traceFile}': not a file's name", "name the file to write");
        }

        if (traceFile is not null && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(traceFile))))
        {
            throw new SlttException(ErrorKind.Data, $"-trace {traceFile}: its folder is not there", "make it first");
        }

        using ComputeDevice device = ComputeDevice.Open(options.Device, out _);
        IterationProfile profile = ProfileRun.Measure(
            device, RunFactory.Training(options), batch.Batch(context, options), batch.Iterations, traceFile,
            line => context.Error.WriteLine("note: " + line), context.Stop);
        if (json)
        {
            JsonOutput.Write(context, new { Options = options.ToArgsText(), Result = profile });
        }
        else
        {
            Show(context, options, profile, device.IsCpu);
        }

        return context.Stop.IsCancellationRequested ? CommandLine.Interrupted : 0;
    }

    private static void Show(CliContext context, TrainOptions options, IterationProfile profile, bool isCpu)
    {
        context.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"device: {profile.Device}; computes {profile.Flops / 1e12:0.###} TFLOP/s in {options.ComputeType.Suffix()}, copies "
                + $"{profile.CopyBytesPerSecond / 1e9:0.#} GB/s (measured now)"));
        context.WriteLine(
            $"{options.Model}, {options.Method}, T = {options.T}, steps at once {TrainOptionTable.Find("steps_at_once")!.Text(options)}, "
                + $"batch {options.BatchSize}, medians of {profile.Iterations} iterations; "
                + $"measured by {profile.MeasuredBy}");
        List<(string Name, double Seconds)> rows =
        [
            ("an iteration without measuring", profile.SecondsPerIteration),
            ("an iteration with measuring", profile.MeasuredSeconds),
            ("  its operations", profile.OperationSeconds),
            ("  gaps: no operation runs", profile.GapSeconds),
        ];
        if (profile.UnmatchedSeconds > 0)
        {
            rows.Add(("  what belongs to no operation", profile.UnmatchedSeconds));
        }

        rows.Add((isCpu ? "operations computed in full" : "floor of the operations", profile.FloorSeconds));
        foreach ((string name, double seconds) in rows)
        {
            context.WriteLine($"  {name,-32}{Milliseconds(seconds),12} ms");
        }

        Works(context, "by kind", profile.Kinds, profile.OperationSeconds);
        Works(context, "by layer", profile.Layers, profile.OperationSeconds);
        if (isCpu)
        {
            context.WriteLine("the CPU device computes only what fired, so operations may take less than their floor");
        }

        if (profile.Kernels.Count > 0)
        {
            Table kernels = Rows(["by kernel", "ms", "launches", "us each"]);
            foreach (ProfiledKernel k in profile.Kernels.Take(MaxKernels))
            {
                kernels.AddRow(
                    Markup.Escape(k.Name.Length > MaxKernelName ? k.Name[..MaxKernelName] : k.Name), Milliseconds(k.Seconds),
                    k.Launches.ToString(CultureInfo.InvariantCulture), Number(1e6 * k.Seconds / k.Launches, "0.0"));
            }

            context.Console.Write(kernels);
        }
    }

    private static void Works(CliContext context, string title, IReadOnlyList<ProfiledWork> works, double all)
    {
        Table table = Rows([title, "ms", "%", "launches", "GB/s", "TFLOP/s", "floor ms", "floor %"]);
        foreach (ProfiledWork work in works)
        {
            table.AddRow(
                Markup.Escape(work.Name), Milliseconds(work.Seconds), Number(100 * work.Seconds / all, "0.0"),
                work.Launches.ToString(CultureInfo.InvariantCulture), Number(work.BytesPerSecond / 1e9, "0.0"),
                work.MultiplyAdds == 0 ? string.Empty : Number(work.Flops / 1e12, "0.000"), Milliseconds(work.FloorSeconds),
                Number(100 * work.FloorShare, "0"));
        }

        context.Console.Write(table);
    }

    private static Table Rows(IReadOnlyList<string> columns)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumn(columns[0]);
        foreach (string column in columns.Skip(1))
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        return table;
    }

    private static string Milliseconds(double seconds) => Number(1e3 * seconds, "0.000");

    private static string Number(double value, string format) =>
        double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "-";
}
