using SlttEngine.Cli.Options;
using SlttEngine.Training;
using Spectre.Console;

namespace SlttEngine.Cli;

/// <summary>Shows a run: a live bar on a terminal, plain lines elsewhere, a line an epoch on both.</summary>
internal sealed class TrainingView : ITrainingObserver
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    private readonly CliContext context;
    private readonly TimeSpan interval;
    private readonly List<EpochFinished> epochs = [];
    private LiveDisplayContext? live;
    private TrainOptions options = new();
    private string deviceReason = string.Empty;
    private long passStart;
    private long lastShown;

    internal TrainingView(CliContext context)
    {
        this.context = context;
        interval = context.Console.Profile.Capabilities.Interactive ? LiveInterval : PlainInterval;
    }

    /// <summary>The results of all epochs so far.</summary>
    internal IReadOnlyList<EpochFinished> Epochs => epochs;

    /// <summary>True if the run ended before its last epoch because it was asked to.</summary>
    internal bool WasStopped { get; private set; }

    /// <summary>Runs the work that reports here, with the bar while it lasts.</summary>
    /// <param name="work">The run.</param>
    internal void Show(Action work)
    {
        if (!context.Console.Profile.Capabilities.Interactive)
        {
            work();
            return;
        }

        context.Console.Live(Text.Empty).AutoClear(true).Start(display =>
        {
            live = display;
            try
            {
                work();
            }
            finally
            {
                live = null;
            }
        });
    }

    /// <summary>Says what is run, for the lines of <see cref="RunStarted"/>.</summary>
    /// <param name="runOptions">The run's options.</param>
    /// <param name="reason">Why this device, in one line.</param>
    internal void Describe(TrainOptions runOptions, string reason) => (options, deviceReason) = (runOptions, reason);

    /// <summary>Reads a run's options, and warns of those that a checkpoint overrides.</summary>
    /// <param name="set">What was given.</param>
    internal TrainOptions Read(TrainOptionSet set)
    {
        List<string> lines = [];
        TrainOptions read = set.ReadForRun(lines);
        lines.ForEach(Warning);
        return read;
    }

    /// <summary>Shows a step before the run that takes a while.</summary>
    /// <param name="message">One line, which replaces the one before; may come from any thread.</param>
    internal void Preparing(string message) => live?.UpdateTarget(new Text(message));

    /// <summary>Says what came of the steps before the run.</summary>
    /// <param name="line">The line that stays.</param>
    internal void Prepared(string line) => context.WriteLine(line);

    /// <inheritdoc/>
    public void RunStarted(RunStarted run)
    {
        context.WriteLine($"device: {run.Device} ({deviceReason})");
        string method = options.Method == MethodTable.SlttK ? $"sltt-k, K = {options.K}" : options.Method;
        context.WriteLine(
            $"model: {options.Model}, {run.Parameters / 1e6:0.00} M parameters; method: {method}, T = {options.T}, batch "
                + $"{options.BatchSize}, {Precision(options)}; planned device memory {Units.Bytes(run.PlannedBytes)}");
        context.WriteLine(
            $"data: {options.Dataset}, {run.Classes} classes, {run.TrainSamples} training and {run.TestSamples} test samples");
        string done = run.FirstBatch > 0 ? $", {run.FirstBatch} of whose {run.Batches} batches are done" : string.Empty;
        string goingOn = run.FirstEpoch > 0 || run.FirstBatch > 0 ? $", going on with epoch {run.FirstEpoch}{done}" : string.Empty;
        context.WriteLine($"run: {run.RunFolder}{goingOn}");
        passStart = context.Time.GetTimestamp();
    }

    /// <inheritdoc/>
    public void IterationFinished(in IterationFinished iteration)
    {
        // A pass starts with the wait for its first batch, which was before this call.
        if (iteration.Batch == 1)
        {
            passStart = context.Time.GetTimestamp() - (long)(iteration.BatchSeconds * context.Time.TimestampFrequency);
            lastShown = 0;
        }

        bool first = lastShown == 0;
        bool last = iteration.Batch == iteration.Batches;
        if (!last && !first && context.Time.GetElapsedTime(lastShown) < interval)
        {
            return;
        }

        lastShown = context.Time.GetTimestamp();
        double elapsed = context.Time.GetElapsedTime(passStart).TotalSeconds;
        if (live is not null)
        {
            live.UpdateTarget(new Text(BarLine(iteration, elapsed, context.Console.Profile.Width - 1)));
        }
        else if (!first && !last)
        {
            context.WriteLine(Describe(iteration, elapsed));
        }
    }

    /// <inheritdoc/>
    public void EpochFinished(EpochFinished epoch)
    {
        epochs.Add(epoch);
        live?.UpdateTarget(Text.Empty);
        DateTimeOffset end = context.Time.GetLocalNow().AddSeconds(epoch.TotalSeconds * (epoch.Epochs - epoch.Epoch - 1));
        string skipped = epoch.SkippedSteps > 0 ? $", skipped_steps={epoch.SkippedSteps}" : string.Empty;
        context.WriteLine(
            $"epoch={epoch.Epoch}, train_loss={epoch.TrainLoss:0.0000}, train_acc={epoch.TrainAccuracy:0.0000}, "
                + $"test_loss={epoch.TestLoss:0.0000}, test_acc={epoch.TestAccuracy:0.0000}, max_test_acc={epoch.MaxTestAccuracy:0.0000}, "
                + $"total_time={epoch.TotalSeconds:0.0}s, images/s={epoch.ImagesPerSecond:0.0}, "
                        + $"peak_memory={Units.Bytes(epoch.PeakDeviceBytes)}{skipped}, escape_time={end:yyyy-MM-dd HH:mm:ss}");
    }

    /// <inheritdoc/>
    public void CheckpointSaved(string path)
    {
        // Two an epoch, in the folder that the run's first lines name: shown on a terminal's bar line only. The whole path could take
        // several lines, which the live display would keep room for.
        live?.UpdateTarget(new Text($"saved {Path.GetFileName(path)}"));
    }

    /// <inheritdoc/>
    public void Warning(string message)
    {
        // Beside a live bar the terminal has one owner.
        if (live is not null)
        {
            context.WriteLine("warning: " + message);
        }
        else
        {
            context.Error.WriteLine("warning: " + message);
        }
    }

    /// <inheritdoc/>
    public void Note(string message) => context.WriteLine("note: " + message);

    /// <inheritdoc/>
    public void Stopped(string? checkpoint)
    {
        WasStopped = true;
        if (checkpoint is null)
        {
            context.WriteLine("stopped before the first update: nothing to save");
            return;
        }

        string arguments = Path.Combine(Path.GetDirectoryName(checkpoint) ?? string.Empty, "args.txt");
        context.WriteLine("stopped; this goes on:");
        context.WriteLine($"sltt train --from {ShellText.Quote(arguments)} -resume {ShellText.Quote(checkpoint)}");
    }

    private static string Precision(TrainOptions options) => options.Amp
        ? options.AmpType == Device.ComputeType.BFloat16 ? "bf16" : "float16, dynamic loss scale"
        : "float32";

    private static string Describe(in IterationFinished i, double elapsed) =>
        $"{Pass(i)} {i.Batch}/{i.Batches} | {Figures(i, elapsed)}";

    private static string Pass(in IterationFinished i) => i.Epochs == 0 ? "test"
        : $"epoch {i.Epoch + 1}/{i.Epochs} {(i.Phase == TrainingPhase.Train ? "train" : "test")}";

    private static string Figures(in IterationFinished i, double elapsed) =>
        $"data {i.DataSeconds:0.000}s | batch {i.BatchSeconds:0.000}s | {Units.Clock(elapsed)} | ETA "
            + $"{Units.Clock(elapsed / i.Batch * (i.Batches - i.Batch))} | {Results(i)}";

    private static string Results(in IterationFinished i) => $"loss {i.Loss:0.0000} | top1 {i.Top1:0.00} | top5 {i.Top5:0.00}";

    /// <summary>The bar in one line of a terminal: as wide as there is room for; on a narrow one the times go first.</summary>
    /// <param name="i">Where the pass stands.</param>
    /// <param name="elapsed">Seconds since it began.</param>
    /// <param name="width">Columns.</param>
    internal static string BarLine(in IterationFinished i, double elapsed, int width)
    {
        string left = Pass(i) + " ";
        string right = $" {i.Batch}/{i.Batches} | {Figures(i, elapsed)}";
        if (left.Length + right.Length > width)
        {
            right = $" {i.Batch}/{i.Batches} | ETA {Units.Clock(elapsed / i.Batch * (i.Batches - i.Batch))} | {Results(i)}";
        }

        int room = Math.Clamp(width - left.Length - right.Length, 0, 32);
        int done = (int)((long)room * i.Batch / i.Batches);
        string line = left + new string('━', done) + new string('─', room - done) + right;
        return line.Length <= width ? line : line[..Math.Max(0, width)];
    }
}
