using SlttEngine.Cli;
using SlttEngine.Cli.Options;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

public sealed class TrainingViewTests
{
    private static readonly IterationFinished Iteration = new(TrainingPhase.Train, 2, 10, 120, 390, 0.0031, 0.412, 1.23456, 54.321, 93.217);

    private static (TrainingView View, StringWriter Output, StringWriter Error, ManualTime Time) Create()
    {
        StringWriter output = new StringWriter();
        StringWriter error = new StringWriter();
        ManualTime time = new ManualTime();
        return (new TrainingView(CliContext.Plain(output, error, CancellationToken.None) with { Time = time }), output, error, time);
    }

    [Test]
    public void FirstLineNamesTheDeviceAndWhy()
    {
        (TrainingView? view, StringWriter? output, StringWriter _, ManualTime _) = Create();
        view.Describe(new TrainOptions { Method = MethodTable.SlttK }, "no NVIDIA driver");
        view.RunStarted(new RunStarted("CPU", 11_220_000, 10, 50000, 10000, 3L << 20, "./logs/x", 0, 0, 390));
        string[] lines = output.ToString().TrimEnd().Split('\n', StringSplitOptions.TrimEntries);
        Assert.That(lines[0], Is.EqualTo("device: CPU (no NVIDIA driver)"));
        Assert.That(lines[1], Does.Contain("11.22 M parameters").And.Contain("sltt-k, K = 2").And.Contain("T = 6").And.Contain("3.0 MiB"));
        Assert.That(lines[2], Does.Contain("50000 training").And.Contain("10000 test"));
        Assert.That(lines[3], Does.Contain("./logs/x"));
    }

    [TestCase(0, 0, "run: ./logs/x")]
    [TestCase(3, 0, "run: ./logs/x, going on with epoch 3")]
    [TestCase(0, 12, "run: ./logs/x, going on with epoch 0, 12 of whose 390 batches are done")]
    public void AResumedRunSaysWhereItGoesOn(int epoch, int batch, string line)
    {
        (TrainingView? view, StringWriter? output, StringWriter _, ManualTime _) = Create();
        view.Describe(new TrainOptions(), "as asked");
        view.RunStarted(new RunStarted("CPU", 11_220_000, 10, 50000, 10000, 3L << 20, "./logs/x", epoch, batch, 390));
        Assert.That(output.ToString().TrimEnd().Split('\n')[^1], Is.EqualTo(line));
    }

    [Test]
    public void AnEpochIsOneLine()
    {
        (TrainingView? view, StringWriter? output, StringWriter _, ManualTime _) = Create();
        view.EpochFinished(new EpochFinished(0, 3, 1.5, 0.25, 1.25, 0.5, 0.5, 10, 12.5, 80.25, 5L << 20, 2));
        Assert.That(output.ToString().TrimEnd(), Is.EqualTo(
            "epoch=0, train_loss=1.5000, train_acc=0.2500, test_loss=1.2500, test_acc=0.5000, max_test_acc=0.5000, total_time=12.5s, "
                + "images/s=80.3, peak_memory=5.0 MiB, skipped_steps=2, escape_time=2030-01-01 00:00:25"));
        Assert.That(view.Epochs[^1].TestAccuracy, Is.EqualTo(0.5));
    }

    [Test]
    public void WithoutATerminalALineEveryTenSeconds()
    {
        (TrainingView? view, StringWriter? output, StringWriter _, ManualTime? time) = Create();
        for (int batch = 1; batch <= 25; batch++)
        {
            time.Now += TimeSpan.FromSeconds(1);
            view.IterationFinished(Iteration with { Batch = batch, Batches = 25, BatchSeconds = 1 });
        }

        string[] lines = output.ToString().TrimEnd().Split('\n', StringSplitOptions.TrimEntries);
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(
            lines[0], Is.EqualTo(
            "epoch 3/10 train 11/25 | data 0.003s | batch 1.000s | 0:00:11 | ETA 0:00:14 | loss 1.2346 | top1 54.32 | top5 93.22"));
        Assert.That(lines[1], Does.StartWith("epoch 3/10 train 21/25 |"));
    }

    [Test]
    public void WarningsGoToTheErrorOutput()
    {
        (TrainingView? view, StringWriter? output, StringWriter? error, ManualTime _) = Create();
        view.Warning("a file was skipped");
        Assert.That(output.ToString(), Is.Empty);
        Assert.That(error.ToString().TrimEnd(), Is.EqualTo("warning: a file was skipped"));
    }

    [Test]
    public void StoppedSaysHowToGoOn()
    {
        (TrainingView? view, StringWriter? output, StringWriter _, ManualTime _) = Create();
        view.Stopped("logs/x/checkpoint_latest.safetensors");
        Assert.That(view.WasStopped, Is.True);
        Assert.That(output.ToString(), Does.Contain("-resume logs/x/checkpoint_latest.safetensors"));
    }

    [TestCase(200)]
    [TestCase(120)]
    [TestCase(80)]
    [TestCase(40)]
    [TestCase(1)]
    [TestCase(0)]
    public void BarFitsTheTerminal(int width)
    {
        string line = TrainingView.BarLine(Iteration, 49.5, width);
        Assert.That(line, Has.Length.LessThanOrEqualTo(width));
        if (width >= 80)
        {
            Assert.That(
                line, Does.Contain("120/390").And.Contain("loss 1.2346").And.Contain("top1 54.32").And.Contain("top5 93.22").And.Contain(
                "ETA 0:01:51"));
        }

        if (width >= 120)
        {
            Assert.That(line, Does.Contain("data 0.003s").And.Contain("batch 0.412s").And.Contain("0:00:50"));
        }
    }

    private sealed class ManualTime : TimeProvider
    {
        internal DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
