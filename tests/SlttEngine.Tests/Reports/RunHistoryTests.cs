using System.Text;
using SlttEngine.Reports;

namespace SlttEngine.Tests.Reports;

/// <summary>history.jsonl: what is written is read, whatever a process's death or a resumed run leaves.</summary>
public sealed class RunHistoryTests
{
    private string folder = string.Empty;

    private string HistoryPath => Path.Combine(folder, RunHistory.FileName);

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("sltt-history-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void What_is_written_is_read()
    {
        Assert.That(RunHistory.Read(folder), Is.Null);
        RunBegin begin = Begin() with { ClassNames = ["Käse", "<b>"], Command = "sltt train -T 2" };
        EpochRecord epoch = Epoch(0) with
        {
            TrainLoss = double.NaN,
            Layers = [new LayerFiring("layer1.0.neuron1", 0.25, 0.5, 0)],
            ReportSeconds = 0.125,
        };
        RunEnd end = new(new DateTimeOffset(2026, 11, 27, 12, 0, 0, TimeSpan.FromHours(2)), RunEnd.Failed, "no space");
        RunHistory.Start(folder, begin, resumed: null);
        RunHistory.Append(folder, epoch);
        Assert.That(RunHistory.Read(folder)!.End, Is.Null);
        RunHistory.Append(folder, end);
        RunRecord read = RunHistory.Read(folder)!;
        Assert.That(Texts(read.Begin, read.Epochs[0], read.End!), Is.EqualTo(Texts(begin, epoch, end)));
        Assert.That(read.Epochs[0].TrainLoss, Is.NaN);
        Assert.That(read.End, Is.EqualTo(end));
        Assert.That(
            File.ReadAllText(HistoryPath), Does.Contain("\"type\":\"epoch\"").And.Contain("\"train_loss\":null").And.Contain("Käse"));
        Assert.That(File.ReadAllLines(HistoryPath), Has.Length.EqualTo(3));
    }

    [Test]
    public void A_torn_line_is_passed_over_and_replaced()
    {
        RunHistory.Start(folder, Begin(), null);
        RunHistory.Append(folder, Epoch(0));
        long whole = new FileInfo(HistoryPath).Length;
        RunHistory.Append(folder, Epoch(1) with { Layers = [.. Enumerable.Repeat(new LayerFiring(new string('n', 100), 0, 0, 0), 90)] });
        foreach (long length in new[] { whole + 1, whole + 4097, new FileInfo(HistoryPath).Length - 1 })
        {
            using (FileStream file = File.OpenWrite(HistoryPath))
            {
                file.SetLength(length);
            }

            Assert.That(RunHistory.Read(folder)!.Epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 0 }));
        }

        RunHistory.Start(folder, Begin(1), resumed: folder);
        RunHistory.Append(folder, Epoch(1));
        Assert.That(RunHistory.Read(folder)!.Epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 0, 1 }));
        File.WriteAllText(HistoryPath, "{\"type\":\"beg");
        Assert.That(RunHistory.Read(folder), Is.Null, "no whole line");
        RunHistory.Append(folder, Begin());
        Assert.That(RunHistory.Read(folder)!.Epochs, Is.Empty);
    }

    [Test]
    public void A_resumed_run_keeps_the_epochs_before_it()
    {
        RunHistory.Start(folder, Begin(), null);
        for (int i = 0; i < 4; i++)
        {
            RunHistory.Append(folder, Epoch(i));
        }

        RunHistory.Append(folder, new RunEnd(DateTimeOffset.Now, RunEnd.Stopped, null));
        RunHistory.Start(folder, Begin(2), resumed: folder);
        RunRecord resumed = RunHistory.Read(folder)!;
        Assert.That(resumed.Epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(resumed.End, Is.Null);
        RunHistory.Append(folder, Epoch(2) with { TestAccuracy = 0.75 });
        Assert.That(RunHistory.Read(folder)!.Epochs[^1].TestAccuracy, Is.EqualTo(0.75));

        // Into another folder: a copy; a new run there replaces it.
        string other = Directory.CreateDirectory(Path.Combine(folder, "other")).FullName;
        RunHistory.Start(other, Begin(3), resumed: folder + Path.DirectorySeparatorChar);
        Assert.That(RunHistory.Read(other)!.Epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 0, 1, 2 }));
        RunHistory.Start(other, Begin(), null);
        Assert.That(File.ReadAllLines(Path.Combine(other, RunHistory.FileName)), Has.Length.EqualTo(1));
    }

    [TestCase("{\"type\":\"epoch\"}", "line 2")]
    [TestCase("{\"type\":\"unknown\"}", "line 2")]
    [TestCase("null", "line 2")]
    [TestCase("\0\0", "line 2")]
    public void A_malformed_line_is_named(string text, string place)
    {
        RunHistory.Start(folder, Begin(), null);
        File.AppendAllText(HistoryPath, text + "\n");
        SlttException error = Assert.Throws<SlttException>(() => RunHistory.Read(folder))!;
        Assert.That(error.Message, Does.StartWith(HistoryPath).And.Contain(place));
        Assert.That(error.Kind, Is.EqualTo(ErrorKind.Data));
        Assert.That(error.Hint, Is.Not.Null);
    }

    [Test]
    public void A_null_in_a_list_is_malformed()
    {
        RunHistory.Start(folder, Begin(), null);
        RunHistory.Append(folder, Epoch(0) with { Layers = [new LayerFiring("n", 0, 0, 0)] });
        string text = File.ReadAllText(HistoryPath);
        File.WriteAllText(HistoryPath, text.Replace("[{\"name\":\"n\"", "[null,{\"name\":\"n\"", StringComparison.Ordinal));
        Assert.That(() => RunHistory.Read(folder), Throws.TypeOf<SlttException>().With.Message.Contains("line 2"));
        File.WriteAllText(HistoryPath, text.Replace("\"10.0\"", "null", StringComparison.Ordinal));
        Assert.That(() => RunHistory.Read(folder), Throws.TypeOf<SlttException>().With.Message.Contains("line 1"));
    }

    [Test]
    public void A_file_that_cannot_be_written_is_named()
    {
        Directory.CreateDirectory(HistoryPath);
        Assert.That(() => RunHistory.Append(folder, Epoch(0)), Throws.TypeOf<SlttException>().With.Message.Contains(HistoryPath));
        Assert.That(() => RunHistory.Start(folder, Begin(), null), Throws.TypeOf<SlttException>().With.Message.Contains(HistoryPath));
    }

    internal static RunBegin Begin(int firstEpoch = 0) => new()
    {
        Time = new DateTimeOffset(2026, 11, 27, 10, 0, 0, TimeSpan.FromHours(2)),
        Program = "SlttEngine 0.2.0",
        Device = "CPU",
        Versions = new Dictionary<string, string> { [".NET"] = "10.0" },
        Options = new Dictionary<string, string> { ["T"] = "2" },
        Model = "net",
        Method = "SLTT",
        Steps = 2,
        BatchSize = 8,
        Type = "float32",
        Parameters = 1000,
        ClassNames = ["a", "b"],
        TrainSamples = 100,
        TestSamples = 10,
        Epochs = 4,
        FirstEpoch = firstEpoch,
        Memory = new Dictionary<string, long> { ["weights"] = 4000 },
    };

    internal static EpochRecord Epoch(int epoch) => new()
    {
        Epoch = epoch,
        Time = new DateTimeOffset(2026, 11, 27, 11, epoch, 0, TimeSpan.FromHours(2)),
        LearningRate = 0.1,
        TrainLoss = 1.5,
        TrainAccuracy = 0.25,
        TestLoss = 1.25,
        TestAccuracy = 0.5,
        MaxTestAccuracy = 0.5,
        TrainSeconds = 10,
        TotalSeconds = 12,
        DataSeconds = 1,
        ImagesPerSecond = 10,
        PeakDeviceBytes = 1 << 20,
        SkippedSteps = 0,
    };

    private static string Texts(params HistoryLine[] lines)
    {
        string other = Directory.CreateTempSubdirectory("sltt-history-").FullName;
        foreach (HistoryLine line in lines)
        {
            RunHistory.Append(other, line);
        }

        string text = File.ReadAllText(Path.Combine(other, RunHistory.FileName), Encoding.UTF8);
        Directory.Delete(other, recursive: true);
        return text;
    }
}
