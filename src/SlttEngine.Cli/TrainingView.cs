using SlttEngine.Cli.Options;
using SlttEngine.Training;
using Spectre.Console;

namespace SlttEngine.Cli;

/// <summary>Shows a run: a live bar on a terminal, plain lines elsewhere, a line an epoch on both.</summary>
internal sealed class TrainingView : IRunView
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    private readonly CliContext context;
    private readonly bool isOfficial;
    private readonly TimeSpan interval;
    private readonly EndEstimate end = new();
    private readonly List<EpochFinished> epochs = [];
    private LiveDisplayContext? live;
    private TrainOptions options = new();
    private string deviceReason = string.Empty;
    private long lastShown;

    /// <summary>A view.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="isOfficial">An epoch's line ends as the official programs' does, in escape_time.</param>
    internal TrainingView(CliContext context, bool isOfficial = false)
    {
        (this.context, this.isOfficial) = (context, isOfficial);
        interval = context.Console.Profile.Capabilities.Interactive ? LiveInterval : PlainInterval;
    }

    /// <summary>The results of all epochs so far.</summary>
    internal IReadOnlyList<EpochFinished> Epochs => epochs;

    /// <inheritdoc/>
    public bool WasStopped { get; private set; }

    /// <summary>The command that goes on with a run that was stopped; null if it was not, or has nothing to go on from.</summary>
    internal string? GoesOn { get; private set; }

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
        if (GoesOn is not null)
        {
            // In one line, whatever the terminal's width, so that it can be copied.
            context.Output.WriteLine(GoesOn);
        }
    }

    /// <inheritdoc/>
    public void Describe(TrainOptions runOptions, string reason) => (options, deviceReason) = (runOptions, reason);

    /// <inheritdoc/>
    public void Preparing(string message) => live?.UpdateTarget(new Text(message));

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
    }

    /// <inheritdoc/>
    public void IterationFinished(in IterationFinished iteration)
    {
        if (iteration.Batch == 1)
        {
            lastShown = 0;
        }

        bool first = lastShown == 0;
        bool last = iteration.Batch == iteration.Batches;
        if (!last && !first && context.Time.GetElapsedTime(lastShown) < interval)
        {
            return;
        }

        lastShown = context.Time.GetTimestamp();
        string ends = EndEstimate.Text(context.Time.GetLocalNow(), end.SecondsLeft(iteration));
        if (live is not null)
        {
            live.UpdateTarget(new Text(BarLine(iteration, ends, context.Console.Profile.Width - 1)));
        }
        else if (!first && !last)
        {
            context.WriteLine($"{Pass(iteration)} {iteration.Batch}/{iteration.Batches} | {Figures(iteration)} | {ends}");
        }
    }

    /// <inheritdoc/>
    public void EpochFinished(EpochFinished epoch)
    {
        epochs.Add(epoch);
        end.Finished(epoch);
        live?.UpdateTarget(Text.Empty);
        DateTimeOffset now = context.Time.GetLocalNow();
        double left = epoch.TotalSeconds * (epoch.Epochs - epoch.Epoch - 1);
        string skipped = epoch.SkippedSteps > 0 ? $", skipped_steps={epoch.SkippedSteps}" : string.Empty;
        string ends = isOfficial ? $", escape_time={now.AddSeconds(left):yyyy-MM-dd HH:mm:ss}"
            : left > 0 ? ", " + EndEstimate.Text(now, left) : string.Empty;
        context.WriteLine(
            $"epoch={epoch.Epoch}, train_loss={epoch.TrainLoss:0.0000}, train_acc={epoch.TrainAccuracy:0.0000}, "
                + $"test_loss={epoch.TestLoss:0.0000}, test_acc={epoch.TestAccuracy:0.0000}, max_test_acc={epoch.MaxTestAccuracy:0.0000}, "
                + $"total_time={epoch.TotalSeconds:0.0}s, images/s={epoch.ImagesPerSecond:0.0}, "
                        + $"peak_memory={Units.Bytes(epoch.PeakDeviceBytes)}{skipped}{ends}");
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
        GoesOn = $"sltt train --from {ShellText.Quote(arguments)} -resume {ShellText.Quote(checkpoint)}";
        context.WriteLine("stopped; this goes on:");
        if (live is null)
        {
            context.WriteLine(GoesOn);
        }
    }

    private static string Precision(TrainOptions options) => options.Amp
        ? options.AmpType == Device.ComputeType.BFloat16 ? "bf16" : "float16, dynamic loss scale"
        : "float32";

    private static string Pass(in IterationFinished i) => i.Epochs == 0 ? "test"
        : $"epoch {i.Epoch + 1}/{i.Epochs} {(i.Phase == TrainingPhase.Train ? "train" : "test")}";

    private static string Figures(in IterationFinished i) =>
        $"{DataWait(i)} | batch {i.BatchSeconds:0.000}s | {Results(i)} | top5 {i.Top5:0.00}";

    private static string DataWait(in IterationFinished i) => $"data wait {100 * i.DataSeconds / Math.Max(i.BatchSeconds, 1e-9):0} %";

    private static string Results(in IterationFinished i) => $"loss {i.Loss:0.0000} | top1 {i.Top1:0.00}";

    /// <summary>The bar in one line of a terminal: as wide as there is room for; a narrow one has fewer figures.</summary>
    /// <param name="i">Where the pass stands.</param>
    /// <param name="ends">When the run ends.</param>
    /// <param name="width">Columns.</param>
    internal static string BarLine(in IterationFinished i, string ends, int width)
    {
        string left = Pass(i) + " ";
        string done = $" {i.Batch}/{i.Batches} | ";
        string[] all = [$"{done}{Figures(i)} | {ends}", $"{done}{DataWait(i)} | {Results(i)} | {ends}", $"{done}{Results(i)} | {ends}"];
        string right = all.FirstOrDefault(text => left.Length + text.Length <= width, all[^1]);

        int room = Math.Clamp(width - left.Length - right.Length, 0, 32);
        int full = (int)((long)room * i.Batch / i.Batches);
        string line = left + new string('━', full) + new string('─', room - full) + right;
        return line.Length <= width ? line : line[..Math.Max(0, width)];
    }
}
