using System.Diagnostics;
using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Graph;
using SlttEngine.IO;
using SlttEngine.Reports;

namespace SlttEngine.Training;

/// <summary>One training run over given data and options: trains, evaluates, logs, and saves so that it can always go on.</summary>
public sealed class TrainingRun : IDisposable
{
    /// <summary>Written after each epoch, and when a run is stopped.</summary>
    public const string LatestCheckpoint = "checkpoint_latest.safetensors";

    /// <summary>Written when the test accuracy is the best so far.</summary>
    public const string BestCheckpoint = "checkpoint_max.safetensors";

    private readonly TrainingOptions options;
    private readonly RunMessages observer;
    private readonly ComputeDevice device;
    private readonly TrainingData train;
    private readonly TrainingData test;
    private readonly (IDataSet Train, IDataSet Test) sets;
    private readonly TrainingEngine engine;
    private readonly RunDescription description;
    private readonly List<string> notes = [];
    private readonly IReadOnlyList<string> dataWarnings;
    private readonly FiniteCheck finite;
    private readonly FiringCheck firing;
    private readonly StatisticsGap gap;
    private readonly CheckpointFile? start;
    private readonly List<EpochFinished> finished = [];
    private RunPosition position = new();
    private RunLock? runLock;
    private RunReport? report;

    /// <summary>Builds the network and plans all memory.</summary>
    /// <param name="device">The device; it stays the caller's.</param>
    /// <param name="options">How to train.</param>
    /// <param name="trainSet">The samples to train on; the set stays the caller's.</param>
    /// <param name="testSet">The samples to test on after each epoch; the set stays the caller's.</param>
    /// <param name="observer">Is told what happens.</param>
    /// <param name="start">First parameters of a run that begins; null: those of the options' checkpoint, else drawn from the seed.</param>
    /// <exception cref="SlttException">An option or a set can't be used, or the plan does not fit the device.</exception>
    public TrainingRun(
        ComputeDevice device,
        TrainingOptions options,
        IDataSet trainSet,
        IDataSet testSet,
        ITrainingObserver observer,
        CheckpointFile? start = null)
    {
        (this.start, sets) = (start, (trainSet, testSet));
        options.Validate();
        RequireAlike(trainSet, testSet);
        CheckpointFile? checkpoint = options.Checkpoint is { } path ? CheckpointFile.Read(path) : null;
        TrainingOptions given = options;
        options = options.WithOptimizerOf(options.Resume is null ? null : checkpoint);
        (this.device, this.options, this.observer) = (device, options, new RunMessages(observer));
        notes.AddRange(trainSet.Notes.Concat(testSet.Notes).Distinct());
        dataWarnings = [.. trainSet.Warnings.Concat(testSet.Warnings).Distinct()];
        if (options.Resume is { } resume)
        {
            device.ConvolutionChoices?.CopyFrom(resume);
        }

        SampleFormat format = SampleFormat.Of(trainSet);
        if (options.StepsAtOnce == TrainingOptions.AutoStepsAtOnce)
        {
            options = ChooseStepsAtOnce(device, options, format, trainSet, testSet, options.Resume is null ? null : checkpoint);
            this.options = options;
        }

        EnginePlan plan = options.Plan(device, format);
        description = RunDescription.Of(options, plan.Store.Network, trainSet);
        if (checkpoint is not null)
        {
            CheckpointFit.Compare(checkpoint, given, description, this.observer);
        }

        train = new TrainingData(device, trainSet, options, train: true);
        test = new TrainingData(device, testSet, options with { BatchSize = plan.EvaluationBatch(options.BatchSize) }, train: false);
        engine = new TrainingEngine(plan, options.Engine(train.Format, test.Format, staticInput: train.Shape.Steps == 1) with
        {
            TrainBatches = train.BatchSizes,
            TestBatches = test.BatchSizes,
            GapBatch = plan.TrainingSamples(options.BatchSize, measures: true) is [NetworkProgram program, ..] ? program.Shape.Batch : 0,
        });
        SayWhatIsTogether();
        finite = new FiniteCheck(engine.Store, options, this.observer);
        firing = new FiringCheck(engine, this.observer);
        gap = new StatisticsGap(engine, train, test.Count, this.observer);
    }

    /// <summary>Device memory of the run, bytes: all of it is planned and allocated at the start.</summary>
    public long DeviceBytes => engine.ArenaBytes + engine.StoreBytes + train.DeviceBytes + test.DeviceBytes;

    /// <summary>The epochs that <see cref="Run"/> has finished.</summary>
    public IReadOnlyList<EpochFinished> Finished => finished;

    /// <summary>What the latest look at the network found.</summary>
    internal RunInspection? Inspection => report?.Inspection;

    /// <summary>Notes how many steps go through the network side by side, and which batches can't have as many.</summary>
    private void SayWhatIsTogether()
    {
        int asked = Math.Min(options.StepsAtOnce, options.Method.LongestRun(options.Steps));
        if (asked > 1)
        {
            notes.Add($"{asked} of {options.Steps} time steps go through the network side by side");
        }

        foreach (int batch in train.BatchSizes.Where(b => engine.Program(training: true, b).Shape.StepsAtOnce < asked))
        {
            notes.Add(
                $"batches of {batch}: time steps go one by one, as a step's numbers of a layer do not fill whole 16 bytes or pass cuDNN's "
                    + "2^31 elements; an even batch may help");
        }
    }

    /// <summary>As many steps side by side as fit the memory; a resumed run goes on with as many as before.</summary>
    private static TrainingOptions ChooseStepsAtOnce(
        ComputeDevice device, TrainingOptions options, SampleFormat format, IDataSet train, IDataSet test, CheckpointFile? resumed)
    {
        if (resumed is not null && RunDescription.Read(resumed) is { } before && before.StepsAtOnce <= options.Steps)
        {
            return options with { StepsAtOnce = before.StepsAtOnce };
        }

        long images = format is SampleFormat.Images ? (train.Count + (long)test.Count) * format.SampleBytes : 0;
        return RunPlan.WithStepsAtOnce(device, options, format, images);
    }

    /// <summary>Parameters and statistics as they are, with the run's description.</summary>
    internal CheckpointFile Parameters()
    {
        Dictionary<string, string> metadata = [];
        description.AddTo(metadata);
        return new CheckpointFile([.. NetworkState.Save(engine.Store)], metadata);
    }

    /// <summary>Runs the epochs that are left.</summary>
    /// <param name="cancel">Stops the run after the step it is in; the state is saved.</param>
    /// <exception cref="SlttException">
    /// The checkpoint to begin with is of another model, or a file can't be written; or numbers are NaN or infinite, which the options
    /// say to stop on.
    /// </exception>
    public void Run(CancellationToken cancel)
    {
        string folder = options.RunFolder;
        // Before the checkpoint is read: a run that is still in the folder would write a later one.
        bool existed = Directory.Exists(folder);
        using RunLock? early = existed ? RunLock.Acquire(folder, options.Takeover) : null;
        engine.Store.Initialize((ulong)options.Seed);
        LoadCheckpoint();
        if (position.Epoch >= options.Epochs)
        {
            observer.Warning(
                $"{options.Resume} has finished {position.Epoch} of {options.Epochs} epochs: nothing is left to train; a larger -epochs "
                    + "goes on");
            return;
        }

        RunFolder.Create(folder);
        using RunLock? late = early is null ? RunLock.Acquire(folder, options.Takeover) : null;
        runLock = early ?? late;
        RunFolder.WriteFiles(options, existed, observer);
        observer.WriteTo(folder);
        device.ConvolutionChoices?.WriteTo(folder);
        observer.RunStarted(new RunStarted(
            device.Name,
            engine.Network.ParameterCount,
            train.Classes,
            train.Count,
            test.Count,
            DeviceBytes,
            folder,
            position.Epoch,
            position.Batches,
            train.BatchesPerEpoch));
        notes.ForEach(observer.Note);
        foreach (string warning in dataWarnings)
        {
            observer.Warning(warning);
        }

        WarnOfNoRate();
        report = new RunReport(options, engine, sets.Test, observer, Facts());
        try
        {
            if (options.SaveInitial)
            {
                Save(Path.Combine(folder, "checkpoint_0.safetensors"));
            }

            report.End(RunEpochs(folder, cancel) ? RunEnd.Done : RunEnd.Stopped);
        }
        catch (Exception e)
        {
            if (e is SlttException)
            {
                observer.Failed(e.Message);
            }

            report.End(RunEnd.Failed, e.Message);
            throw;
        }
    }

    private RunBegin Facts() => RunFacts.Of(
        options,
        description,
        device,
        engine.Network,
        sets,
        position.Epoch,
        RunFacts.Memory(
            MemoryPlan.Of(engine.Store, engine.Program(training: true, options.BatchSize)), engine, train.DeviceBytes + test.DeviceBytes));

    /// <inheritdoc/>
    public void Dispose()
    {
        finite.Dispose();
        report?.Dispose();
        engine.Dispose();
        train.Dispose();
        test.Dispose();
    }

    /// <summary>Runs the epochs that are left; false if it was asked to stop.</summary>
    private bool RunEpochs(string folder, CancellationToken cancel)
    {
        ConvolutionLog.Start();
        using EventFileWriter log = new(Path.Combine(folder, "logs"), position.Epoch);
        while (position.Epoch < options.Epochs)
        {
            // In a resumed epoch, the batches before this one ran in an earlier process.
            EpochStart start = new(position.Train.Samples, engine.Iteration, engine.ReadState().SkippedSteps);
            Stopwatch watch = Stopwatch.StartNew();
            if (TrainEpoch(cancel) is not { } dataSeconds)
            {
                Stop(folder, cancel);
                return false;
            }

            double trainSeconds = watch.Elapsed.TotalSeconds;
            CheckFinite();
            if (TestEpoch(cancel) is not { } tested)
            {
                Stop(folder, cancel);
                return false;
            }

            FinishEpoch(folder, log, tested, start with { TrainSeconds = trainSeconds, DataSeconds = dataSeconds }, watch, cancel);
        }

        return true;
    }

    private static void RequireAlike(IDataSet trainSet, IDataSet testSet)
    {
        // Each by itself first: its class names are then one a class.
        SampleFormat.Of(trainSet);
        SampleFormat.Of(testSet);
        if (trainSet.Shape != testSet.Shape || trainSet.Classes != testSet.Classes)
        {
            throw new SlttException(
                ErrorKind.Data,
                $"the training set has {trainSet.Shape} and {trainSet.Classes} classes, but the test set {testSet.Shape} and "
                    + $"{testSet.Classes} classes",
                "both sets need the same shape and classes");
        }

        if (!trainSet.ClassNames.SequenceEqual(testSet.ClassNames))
        {
            int i = trainSet.ClassNames.Zip(testSet.ClassNames).TakeWhile(pair => pair.First == pair.Second).Count();
            throw new SlttException(
                ErrorKind.Data,
                $"class {i} is {trainSet.ClassNames[i]} in the training set, but {testSet.ClassNames[i]} in the test set",
                "both sets need the same classes in the same order");
        }
    }

    private void LoadCheckpoint()
    {
        // Read again: the run that the folder was waited for may have written a later one.
        if (options.Resume is { } resume)
        {
            CheckpointFile checkpoint = CheckpointFile.Read(resume);
            position = TrainingCheckpoint.Resume(engine, options, checkpoint, notes.Add);
            CheckpointFit.RequirePlace(checkpoint, position, train.BatchesPerEpoch, train.Count);
        }

        if (start is not null && options.Checkpoint is null)
        {
            NetworkState.Load(engine.Store, start, allowNonFinite: true);
        }

        if (options.StartFrom is { } path)
        {
            NetworkState.Load(
                engine.Store, CheckpointFile.Read(path), options.ResetHead, notes.Add, options.OnNan == NanAction.Warn);
        }

        if (options.Checkpoint is { } given)
        {
            finite.CheckLoaded(given);
        }
    }

    /// <summary>Trains what is left of the epoch.</summary>
    /// <returns>Seconds of waiting for data; null if it was asked to stop.</returns>
    private double? TrainEpoch(CancellationToken cancel)
    {
        double rate = options.UsedLearningRate.At(position.Epoch);
        train.Start(position.Epoch, position.Batches);
        PassProgress progress = Progress(TrainingPhase.Train, train, position.Batches, position.Train);
        progress.LossNotFinite = batch => finite.Check(position.Epoch, batch, train.BatchesPerEpoch);
        int done = progress.Run(train, engine, batch => engine.TrainIteration(train.Input(batch), batch.Labels, rate), cancel);
        position = position with { Batches = position.Batches + done, Train = progress.Sums };
        return position.Batches == train.BatchesPerEpoch ? progress.DataSeconds : null;
    }

    /// <summary>Says where the schedule has come to an end: an epoch at a rate of 0 learns nothing.</summary>
    private void WarnOfNoRate()
    {
        LearningRate schedule = options.UsedLearningRate;
        int first = Enumerable.Range(position.Epoch, options.Epochs - position.Epoch)
            .FirstOrDefault(epoch => schedule.At(epoch) <= 1e-9 * schedule.Initial, -1);
        if (first >= 0 && schedule.Initial > 0)
        {
            observer.Warning(
                $"the learning rate is 0 in epoch {first}, where {schedule.Name} ends: nothing is learned there; a schedule over all "
                    + $"{options.Epochs} epochs goes on (-T_max, -lr)");
        }
    }

    /// <summary>Evaluates on the test set; null if it was asked to stop.</summary>
    private BatchMetrics? TestEpoch(CancellationToken cancel)
    {
        test.Start(position.Epoch);
        firing.Begin();
        PassProgress progress = Progress(TrainingPhase.Test, test, 0, default);
        TestAnswers? answers = report!.BeginTest(position.Epoch);
        progress.BatchFinished = answers is null ? null : report.BatchTested;
        int done = progress.Run(
            test,
            engine,
            batch =>
            {
                engine.Evaluate(test.Input(batch), batch.Labels);
                answers?.Begin(engine, batch);
            },
            cancel);
        if (done < test.BatchesPerEpoch)
        {
            return null;
        }

        return progress.Sums.Samples > 0 ? progress.Sums : throw new SlttException(
            ErrorKind.Data, $"none of the {test.Count} test samples can be read", "the warnings name what is wrong with them");
    }

    private void FinishEpoch(
        string folder,
        EventFileWriter log,
        BatchMetrics tested,
        EpochStart start,
        Stopwatch watch,
        CancellationToken cancel)
    {
        BatchMetrics trained = position.Train;
        (double trainLoss, double trainAccuracy) = (trained.Loss / trained.Samples, trained.Top1 / trained.Samples);
        (double testLoss, double testAccuracy) = (tested.Loss / tested.Samples, tested.Top1 / tested.Samples);
        int epoch = position.Epoch;
        log.Scalar("train_loss", trainLoss, epoch);
        log.Scalar("train_acc", trainAccuracy, epoch);
        log.Scalar("test_loss", testLoss, epoch);
        log.Scalar("test_acc", testAccuracy, epoch);
        bool isFinite = CheckFinite();
        bool best = isFinite && testAccuracy > position.MaxTestAccuracy;
        position = position.NextEpoch(best ? testAccuracy : position.MaxTestAccuracy);
        if (best)
        {
            Save(Path.Combine(folder, BestCheckpoint));
        }

        Save(Path.Combine(folder, LatestCheckpoint));
        ConvolutionLog.Write(folder, epoch);
        if (isFinite)
        {
            firing.End(epoch);
            gap.Check(epoch, trainAccuracy, testAccuracy, cancel);
        }

        long skipped = engine.ReadState().SkippedSteps;
        finished.Add(new EpochFinished(
            epoch,
            options.Epochs,
            trainLoss,
            trainAccuracy,
            testLoss,
            testAccuracy,
            position.MaxTestAccuracy,
            start.TrainSeconds,
            watch.Elapsed.TotalSeconds,
            (trained.Samples - start.Samples) / start.TrainSeconds,
            DeviceBytes,
            skipped)
        {
            DataSeconds = start.DataSeconds,
        });
        observer.EpochFinished(finished[^1]);
        finite.EpochFinished(epoch, trainLoss, (long)(engine.Iteration - start.Iteration), skipped - start.Skipped);
        report!.EpochFinished(finished[^1], options.UsedLearningRate.At(epoch), isFinite, log);
        ConvolutionLog.Start();
    }

    private void Stop(string folder, CancellationToken cancel)
    {
        if (!cancel.IsCancellationRequested)
        {
            throw new InvalidOperationException("the pass ended before its last batch, and nobody stopped it");
        }

        string path = Path.Combine(folder, LatestCheckpoint);
        Save(path);
        observer.Stopped(path);
    }

    private bool CheckFinite() => finite.Check(position.Epoch, position.Batches, train.BatchesPerEpoch);

    private void Save(string path)
    {
        runLock?.Check();
        bool isFinite = CheckFinite();
        TrainingCheckpoint.Capture(engine, options, position, description).WriteSafeTensors(path);
        finite.Saved(path, isFinite);
        observer.CheckpointSaved(path);
    }

    private PassProgress Progress(TrainingPhase phase, TrainingData data, int done, BatchMetrics sums) => new(
        observer,
        new IterationFinished
        {
            Phase = phase,
            Epoch = position.Epoch,
            Epochs = options.Epochs,
            Batch = done,
            Batches = data.BatchesPerEpoch
        }, sums);

    /// <summary>What there was when this process began the epoch, and how long its training took.</summary>
    private readonly record struct EpochStart(
        double Samples, ulong Iteration, long Skipped, double TrainSeconds = 0, double DataSeconds = 0);
}
