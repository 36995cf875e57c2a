using System.Globalization;
using SlttEngine.Data;
using SlttEngine.Training;

namespace SlttEngine.Cli.Options;

/// <summary>The options of the commands that time training iterations on one batch.</summary>
internal sealed class OneBatchOptions
{
    private readonly TrainOptionSet set = new(new TrainOptions());

    /// <summary>Creates the set.</summary>
    internal OneBatchOptions() => Options =
    [
        .. set.Options.Select(
            o => o.Name == "data_dir" ? o with { Help = "the folder that holds the data set (default: none, random samples)" } : o),
        new CliOption(
            "iterations", "N", "iterations to time, after a few to warm up (default 10)", value => Iterations = ParseIterations(value)),
    ];

    /// <summary>They write into this set.</summary>
    internal IReadOnlyList<CliOption> Options { get; }

    /// <summary>Iterations to time.</summary>
    internal int Iterations { get; private set; } = 10;

    /// <summary>What was given, checked.</summary>
    internal TrainOptions Read() => set.Read();

    /// <summary>The batch: random samples, or with -data_dir those that a run there begins with.</summary>
    /// <param name="context">Where warnings go.</param>
    /// <param name="options">What <see cref="Read"/> gave.</param>
    internal SampleBatch Batch(CliContext context, TrainOptions options) =>
        set.Has("data_dir") ? FirstBatch(context, options) : RunFactory.RandomBatch(options);

    private static SampleBatch FirstBatch(CliContext context, TrainOptions options)
    {
        IDataSet samples = options.Data.Open(options.DataDir, train: true, RunFactory.Data(options, context.Error.WriteLine));
        using IDisposable? files = samples as IDisposable;
        foreach (string warning in samples.Warnings)
        {
            context.Error.WriteLine("warning: " + warning);
        }

        return SampleBatch.First(RunFactory.Training(options), samples, context.Error.WriteLine);
    }

    private static int ParseIterations(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
            ? value
            : throw new SlttException(ErrorKind.Usage, $"-iterations {text}: must be a whole number of at least 1");
}
