using SlttEngine.Cli;
using SlttEngine.Cli.Options;
using SlttEngine.Training;

namespace SlttEngine.Tests.Cli;

public sealed class TrainingViewTests
{
    private static readonly IterationFinished Iteration = new(TrainingPhase.Train, 2, 10, 120, 390, 0.0031, 0.412, 1.23456, 54.321, 93.217);

    private static (TrainingView View, StringWriter Output, StringWriter Error, ManualTime Time) Create(bool isOfficial = false)
    {
        StringWriter output = new StringWriter();
        StringWriter error = new StringWriter();
        ManualTime time = new ManualTime();
        CliContext context = CliContext.Plain(output, error, CancellationToken.None) with { Time = time };
        return (new TrainingView(context, isOfficial), output, error, time);
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

    [TestCase(false, ", ends 00:00 (in 0:00:25)")]
    [TestCase(true, ", escape_time=2030-01-01 00:00:25")]
    public void AnEpochIsOneLineWhoseEndIsTheOfficialProgramsInTheirCommandsAlone(bool isOfficial, string ends)
    {
        (TrainingView? view, StringWriter? output, StringWriter _, ManualTime _) = Create(isOfficial);
        view.EpochFinished(new EpochFinished(0, 3, 1.5, 0.25, 1.25, 0.5, 0.5, 10, 12.5, 80.25, 5L << 20, 2));
        Assert.That(output.ToString().TrimEnd(), Is.EqualTo(
            "epoch=0, train_loss=1.5000, train_acc=0.2500, test_loss=1.2500, test_acc=0.5000, max_test_acc=0.5000, total_time=12.5s, "
                + "images/s=80.3, peak_memory=5.0 MiB, skipped_steps=2" + ends));
        Assert.That(view.Epochs[^1].TestAccuracy, Is.EqualTo(0.5));
    }

    [Test]
    public void WithoutATerminalALineEveryTenSeconds()
    {
        (TrainingView? view, StringWriter? output, StringWriter _, ManualTime? time) = Create();
        for (int batch = 1; batch <= 25; batch++)
        {
            time.Now += TimeSpan.FromSeconds(1);
            view.IterationFinished(Iteration with { Batch = batch, Batches = 25, DataSeconds = 0.03, BatchSeconds = 1 });
        }

        string[] lines = output.ToString().TrimEnd().Split('\n', StringSplitOptions.TrimEntries);
        Assert.That(lines, Has.Length.EqualTo(2));
        // 14 batches of this epoch and 7 epochs of 25, a second each.
        Assert.That(
            lines[0], Is.EqualTo(
            "epoch 3/10 train 11/25 | data wait 3 % | batch 1.000s | loss 1.2346 | top1 54.32 | top5 93.22 | ends 00:03 (in 0:03:09)"));
        Assert.That(lines[1], Does.StartWith("epoch 3/10 train 21/25 |"));
    }

    [Test]
    public void TheEndCountsTestsOnceTheyAreKnown()
    {
        EndEstimate end = new();
        IterationFinished half = Iteration with { Epoch = 1, Epochs = 3, Batch = 50, Batches = 100, BatchSeconds = 0.1 };
        Assert.That(end.SecondsLeft(half), Is.EqualTo(5 + 10).Within(1e-9));
        end.Finished(new EpochFinished(0, 3, 0, 0, 0, 0, 0, 10, 14, 0, 0, 0));
        Assert.That(end.SecondsLeft(half), Is.EqualTo(5 + 4 + 14).Within(1e-9));
        IterationFinished testing = half with { Phase = TrainingPhase.Test, Batch = 10, Batches = 20, BatchSeconds = 0.2 };
        Assert.That(end.SecondsLeft(testing), Is.EqualTo(2 + 14).Within(1e-9));
        Assert.That(end.SecondsLeft(testing with { Epoch = 0, Epochs = 0 }), Is.EqualTo(2).Within(1e-9), "an evaluation on its own");
    }

    [TestCase(3600, "ends 23:30 (in 1:00:00)")]
    [TestCase(2 * 3600, "ends Wed 00:30 (in 2:00:00)")]
    [TestCase(8 * 86400, "ends 9 Jan 22:30 (in 192:00:00)")]
    [TestCase(double.NaN, "ends -")]
    public void TheEndHasADayWhereItIsNotToday(double seconds, string text) =>
        Assert.That(EndEstimate.Text(new DateTimeOffset(2030, 1, 1, 22, 30, 0, TimeSpan.Zero), seconds), Is.EqualTo(text));

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
        string line = TrainingView.BarLine(Iteration, "ends 14:05 (in 0:12:03)", width);
        Assert.That(line, Has.Length.LessThanOrEqualTo(width));
        if (width >= 80)
        {
            Assert.That(
                line, Does.Contain("120/390").And.Contain("loss 1.2346").And.Contain("top1 54.32").And.Contain("ends 14:05 (in 0:12:03)"));
        }

        if (width >= 120)
        {
            Assert.That(line, Does.Contain("data wait 1 %"));
        }

        if (width >= 140)
        {
            Assert.That(line, Does.Contain("batch 0.412s").And.Contain("top5 93.22"));
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
