using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.IO;
using SlttEngine.Reports;

namespace SlttEngine.Training;

/// <summary>
/// Keeps a run's history, and looks at the network after epochs for the report and TensorBoard. Nothing that fails here ends the run, or
/// changes what training computes.
/// </summary>
internal sealed class RunReport : IDisposable
{
    // Of a run's time, 1 % together. A curve wants each epoch's look, while a page may be some seconds old.
    private const double LooksShare = 0.0075;
    private const double PagesShare = 0.0025;

    private readonly TrainingOptions options;
    private readonly ComputeDevice device;
    private readonly TrainingEngine engine;
    private readonly IDataSet test;
    private readonly RunMessages observer;
    private readonly RunBegin begin;
    private readonly List<HistoryLine> unwritten = [];
    private readonly HashSet<string> warned = [];
    private readonly TimeShare looks = new(LooksShare);
    private readonly TimeShare pages = new(PagesShare);
    private RunRecord? record;
    private RunInspector? inspector;
    private TestAnswers? answers;
    private double reported; // seconds, up to the last epoch's line

    /// <summary>Begins a run's history: a new one, or one that a resumed run goes on with.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="engine">The engine.</param>
    /// <param name="test">The test set.</param>
    /// <param name="observer">Is warned, one time of each thing that fails.</param>
    /// <param name="begin">What runs on what.</param>
    public RunReport(TrainingOptions options, TrainingEngine engine, IDataSet test, RunMessages observer, RunBegin begin)
    {
        (this.options, this.engine, this.test, this.observer, this.begin) = (options, engine, test, observer, begin);
        device = engine.Device;
        Write(begin);

        record = RunHistory.With(record, begin);
        if (options.Resume is not null && unwritten.Count == 0)
        {
            Try("earlier epochs are not shown", () => record = RunHistory.Read(options.RunFolder));
        }

        RemoveOlderPage();
        WritePage();
    }

    /// <summary>What the latest look found.</summary>
    public RunInspection? Inspection { get; private set; }

    /// <summary>To be called before an epoch's test pass.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <returns>Receives the pass's answers; null: this epoch is not looked at.</returns>
    public TestAnswers? BeginTest(int epoch)
    {
        answers?.Dispose();
        answers = null;

        // The first epoch that this process runs and the last one always: a report without a look would show half of what it is for. In
        // between only while looks have taken little of the run's time.
        bool isLooked = options.Report && (epoch == begin.FirstEpoch || epoch == options.Epochs - 1 || looks.Affords);
        if (isLooked)
        {
            looks.Measure(() => Try("the network is not looked at", () => answers = new TestAnswers(
                device, test.Classes, options.Steps, Math.Min(test.Count, engine.LargestTestBatch))));
        }

        return answers;
    }

    /// <summary>To be called after each batch of a test pass that is looked at.</summary>
    public void BatchTested() => looks.Measure(answers!.Finish);

    /// <summary>To be called after an epoch.</summary>
    /// <param name="epoch">Its results.</param>
    /// <param name="learningRate">What it trained with.</param>
    /// <param name="isFinite">Whether all parameters are finite; else the network is not looked at.</param>
    /// <param name="log">TensorBoard's.</param>
    public void EpochFinished(EpochFinished epoch, double learningRate, bool isFinite, EventFileWriter log)
    {
        IReadOnlyList<LayerFiring> firing = [];
        if (isFinite && answers is { } given)
        {
            looks.Measure(() => Try("the network is not looked at", () => firing = InspectNetwork(epoch.Epoch, given)));
            looks.Measure(() => Try("TensorBoard's log has no more of the network", () => WriteTo(log, firing)));
        }

        double seconds = looks.Seconds + pages.Seconds;
        EpochRecord line = new()
        {
            Epoch = epoch.Epoch,
            Time = DateTimeOffset.Now,
            LearningRate = learningRate,
            TrainLoss = epoch.TrainLoss,
            TrainAccuracy = epoch.TrainAccuracy,
            TestLoss = epoch.TestLoss,
            TestAccuracy = epoch.TestAccuracy,
            MaxTestAccuracy = epoch.MaxTestAccuracy,
            TrainSeconds = epoch.TrainSeconds,
            TotalSeconds = epoch.TotalSeconds,
            DataSeconds = epoch.DataSeconds,
            ImagesPerSecond = epoch.ImagesPerSecond,
            PeakDeviceBytes = epoch.PeakDeviceBytes,
            SkippedSteps = epoch.SkippedSteps,
            ReportSeconds = seconds - reported,
            Layers = firing,
        };
        reported = seconds;
        Write(line);
        record = RunHistory.With(record, line);
        if (epoch.Epoch == begin.FirstEpoch || (pages.Affords && epoch.Epoch < options.Epochs - 1))
        {
            WritePage();
        }

        if (epoch.Epoch == begin.FirstEpoch)
        {
            looks.StartCounting();
            pages.StartCounting();
        }
    }

    /// <summary>To be called when the run ends.</summary>
    /// <param name="state">done, stopped or failed.</param>
    /// <param name="message">The error.</param>
    public void End(string state, string? message = null)
    {
        string? line = message is null ? null : RunFacts.WithoutPaths(message.ReplaceLineEndings(" "));
        RunEnd end = new(DateTimeOffset.Now, state, line);
        Write(end);
        record = RunHistory.With(record, end);
        WritePage();
    }

    /// <inheritdoc/>
    public void Dispose() => answers?.Dispose();

    private IReadOnlyList<LayerFiring> InspectNetwork(int epoch, TestAnswers given)
    {
        inspector ??= new RunInspector(engine, test, begin.TrainSamples, options.Steps);
        if (inspector.Inspect(options.ReportImages) is not { } look)
        {
            return [];
        }

        Inspection = new RunInspection
        {
            Epoch = epoch,
            Samples = look.Samples,
            Layers = look.Layers,
            Confusion = given.Confusion,
            Mistakes = [.. given.Mistakes.Select(m => new Mistake(m.Sample, m.Label, m.Answer, m.Probability, Picture(m.Sample)))],
            Sample = look.Sample,
        };
        return look.Firing;
    }

    private void WriteTo(EventFileWriter log, IReadOnlyList<LayerFiring> firing)
    {
        if (firing.Count > 0)
        {
            InspectionLog.Write(log, Inspection!, firing, options.Epochs);
        }
    }

    private Picture? Picture(int sample)
    {
        Picture? picture = null;
        if (options.ReportImages)
        {
            Try("a test sample is not shown", () => picture = SamplePictures.Whole(test, sample));
        }

        return picture;
    }

    /// <summary>Adds a line to the history; lines that could not be written are tried with the next one.</summary>
    private void Write(HistoryLine line)
    {
        unwritten.Add(line);
        Try("the run's history is not written", () =>
        {
            for (; unwritten.Count > 0; unwritten.RemoveAt(0))
            {
                if (unwritten[0] is RunBegin first)
                {
                    RunHistory.Start(options.RunFolder, first, Path.GetDirectoryName(options.Resume));
                }
                else
                {
                    RunHistory.Append(options.RunFolder, unwritten[0]);
                }
            }
        });
    }

    /// <summary>A new run without a page must not leave the page of the run whose folder it takes.</summary>
    private void RemoveOlderPage()
    {
        if (!options.Report && options.Resume is null)
        {
            Try("an older report stays", () => File.Delete(Path.Combine(options.RunFolder, ReportPage.FileName)));
        }
    }

    private void WritePage()
    {
        if (options.Report && record is { } known)
        {
            pages.Measure(() => Try("the report is not written", () => ReportPage.Write(options.RunFolder, known, Inspection)));
        }
    }

    /// <summary>Does what may fail: the run goes on, and its user is told one time.</summary>
    private void Try(string what, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            if (warned.Add(what))
            {
                observer.Warning($"{what}: {e.Message.ReplaceLineEndings(" ")}");
            }
        }
    }
}
