using SlttEngine.Data;
using SlttEngine.Device;
using SlttEngine.Export;
using SlttEngine.Graph;
using SlttEngine.IO;

namespace SlttEngine.Training;

/// <summary>Trains a network, and uses it: fits it to data, evaluates, predicts, watches its neurons, saves and loads it.</summary>
/// <remarks>
/// The trainer holds one set of parameters: drawn from the seed at first, then what <see cref="Fit"/> made of them or what
/// <see cref="Load"/> read. Predictions are in float32. One thread at a time may use it.
/// <code>
/// using ComputeDevice device = ComputeDevice.Open();
/// using Trainer trainer = new(device, network, new TrainingOptions { Steps = 4, BatchSize = 32 });
/// trainer.Fit(train, test, epochs: 10, folder: "runs/first", resume: true);
/// int answer = trainer.Predict(sample).Class;
/// </code>
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly ComputeDevice device;
    private Predictor? predictor;
    private CheckpointFile? parameters;
    private bool disposed;

    /// <summary>Creates a trainer; nothing is allocated yet.</summary>
    /// <param name="device">The device; it stays the caller's.</param>
    /// <param name="network">The network: of a <see cref="Models.NetworkBuilder"/>, or of <see cref="Models.ModelCatalog"/>.</param>
    /// <param name="options">How to train. Epochs, run folder and checkpoints are <see cref="Fit"/>'s arguments.</param>
    /// <exception cref="SlttException">The network's layers do not fit together, or an option is out of range.</exception>
    /// <remarks>Without <see cref="TrainingOptions.LearningRate"/> the rate falls as a cosine over <see cref="Fit"/>'s epochs, from 0.1
    /// with SGD and from 0.001 with AdamW.</remarks>
    public Trainer(ComputeDevice device, Network network, TrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Network is not null || options.Checkpoint is not null)
        {
            throw new SlttException(
                ErrorKind.Usage,
                "a trainer's options can't have a Network, Resume or StartFrom",
                $"the network is an argument; {nameof(Fit)} resumes, and {nameof(Load)} gives first parameters");
        }

        network.Validate();
        this.device = device;
        Network = network;
        Options = (options with { Network = Fitting }).Validate();
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>How it trains.</summary>
    public TrainingOptions Options { get; }

    /// <summary>
    /// Trains for epochs over the data. After each epoch the test set is evaluated, TensorBoard's log is written, and the folder gets
    /// checkpoint_latest.safetensors and, where the test accuracy is the best so far, checkpoint_max.safetensors.
    /// </summary>
    /// <param name="train">Samples to train on.</param>
    /// <param name="test">Samples to test on after each epoch, of the same shape and classes.</param>
    /// <param name="epochs">Epochs in all: those that a resumed run has done count.</param>
    /// <param name="folder">The folder of the run.</param>
    /// <param name="resume">
    /// Go on from the folder's latest checkpoint, if it has one, exactly as if the run had not stopped; else start with the trainer's
    /// parameters.
    /// </param>
    /// <param name="observer">Callbacks; null: <see cref="TextProgress"/> on the console.</param>
    /// <param name="cancel">Stops after the iteration in progress; the state is saved.</param>
    /// <returns>The epochs that this call finished.</returns>
    /// <exception cref="SlttException">
    /// The data do not fit the network, the checkpoint is of another run, the plan does not fit the device, a file can't be written, or
    /// numbers become NaN or infinite. The trainer's parameters then stay as they were.
    /// </exception>
    public IReadOnlyList<EpochFinished> Fit(
        IDataSet train,
        IDataSet test,
        int epochs,
        string folder,
        bool resume = false,
        ITrainingObserver? observer = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(test);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        folder = Path.GetFullPath(folder); // the program's working directory may change while it runs
        string latest = Path.Combine(folder, TrainingRun.LatestCheckpoint);
        bool goesOn = resume && File.Exists(latest);
        TrainingOptions options = Options with
        {
            Epochs = epochs,
            RunFolder = folder,
            Resume = goesOn ? latest : null,
            StartFrom = null,
            LearningRate = Options.LearningRate ?? (goesOn ? null : new LearningRate.Cosine(DefaultRate, epochs)),
        };
        using IDisposable use = Enter();
        Release(); // its memory may be what the run needs
        using TrainingRun run = new(device, options, train, test, observer ?? new TextProgress(Console.Out), parameters);
        run.Run(cancel);
        parameters = run.Parameters();
        return run.Finished;
    }

    /// <summary>What <see cref="Fit"/> on these samples will need, to the byte, before anything is allocated.</summary>
    /// <param name="train">Samples to train on.</param>
    /// <param name="test">Samples to test on.</param>
    /// <exception cref="SlttException">The data do not fit the network.</exception>
    public RunPlan Plan(IDataSet train, IDataSet test)
    {
        using IDisposable use = Enter();
        return RunPlan.For(device, Options, SampleFormat.Of(train), train is IImageSet ? train.Count + test.Count : 0);
    }

    /// <summary>Evaluates a set: loss, accuracy, and for each layer how often it fires and what that costs.</summary>
    /// <param name="test">The samples.</param>
    /// <param name="observer">Callbacks; null: none.</param>
    /// <param name="cancel">Stops after the batch in progress.</param>
    /// <exception cref="SlttException">The data do not fit the network, or were not what it was trained on.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public EvaluationResult Evaluate(IDataSet test, ITrainingObserver? observer = null, CancellationToken cancel = default)
    {
        using IDisposable use = Enter();
        CheckpointFile held = Held(isStatic: test.Shape.Steps == 1);
        Release();
        using Evaluation evaluation = new(device, Options, held, test, observer ?? new NoObserver());
        return evaluation.Run(cancel);
    }

    /// <summary>What the network says of a sample.</summary>
    /// <param name="sample">
    /// Elements as the network sees them, (channels, height, width) of a static image, or (T, channels, height, width).
    /// </param>
    /// <exception cref="SlttException">It has another number of elements.</exception>
    public Prediction Predict(ReadOnlySpan<float> sample)
    {
        using IDisposable use = Enter();
        return Ready(1, IsStatic(sample)).Run(sample, 1)[0];
    }

    /// <summary>What the network says of each sample of a set, in order.</summary>
    /// <param name="set">The samples.</param>
    /// <exception cref="SlttException">The data do not fit the network, or a sample can't be read.</exception>
    public IReadOnlyList<Prediction> Predict(IDataSet set)
    {
        using IDisposable use = Enter();
        Fitting(set.Shape, set.Classes);
        Options.Require(SampleFormat.Of(set));
        int batch = Math.Min(Options.BatchSize, set.Count);
        Predictor ready = Ready(batch, set.Shape.Steps == 1);
        float[] samples = new float[(long)batch * set.Shape.Length];
        List<Prediction> all = [];
        for (int first = 0; first < set.Count; first += batch)
        {
            int count = Math.Min(batch, set.Count - first);
            for (int i = 0; i < count; i++)
            {
                SampleReader.Read(set, first + i, samples.AsSpan(i * set.Shape.Length, set.Shape.Length));
            }

            all.AddRange(ready.Run(samples, count));
        }

        return all;
    }

    /// <summary>Spikes and membrane potentials of a layer of neurons over the steps of a sample.</summary>
    /// <param name="layer">The layer's name, such as lif1.</param>
    /// <param name="sample">As <see cref="Predict(ReadOnlySpan{float})"/> takes it.</param>
    /// <exception cref="SlttException">The network has no such layer, or the sample another number of elements.</exception>
    public SpikeRecord Watch(string layer, ReadOnlySpan<float> sample)
    {
        using IDisposable use = Enter();
        return Ready(1, IsStatic(sample)).Watch(layer, sample);
    }

    /// <summary>Writes the parameters and statistics, and what is known of their training.</summary>
    /// <param name="path">The file: .pth is PyTorch's form, any other ending safetensors.</param>
    /// <exception cref="SlttException">It can't be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using IDisposable use = Enter();
        CheckpointFile held = Held(isStatic: true);
        if (path.EndsWith(".pth", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".pt", StringComparison.OrdinalIgnoreCase))
        {
            held.WritePth(path);
        }
        else
        {
            held.WriteSafeTensors(path);
        }
    }

    /// <summary>Writes the network for other programs: as NIR, as ONNX, or as a state dict with a PyTorch model.</summary>
    /// <param name="path">The file; of <see cref="ExportFormat.Torch"/> NAME.py, beside which NAME.pth is written.</param>
    /// <param name="format">The form.</param>
    /// <param name="options">More about it; null: as usual.</param>
    /// <returns>What was written.</returns>
    /// <remarks>The network that is written reads what <see cref="Predict(ReadOnlySpan{float})"/> takes: normalised samples. How they are
    /// normalised is in the files, if the parameters' training says it.</remarks>
    /// <exception cref="SlttException">The form can't express a layer, which the message names, or the file can't be written.</exception>
    public ExportSummary Export(string path, ExportFormat format, ExportOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using IDisposable use = Enter();
        ParameterStore store = Ready(1, isStatic: true).Store;
        RunDescription? run = RunDescription.Read(Held(isStatic: true));
        Dictionary<string, string> details = [];
        foreach ((string name, string? text) in new[] { ("data_set", run?.DataSet), ("transform", run?.Transform) })
        {
            if (text is not null)
            {
                details[name] = text;
            }
        }

        ExportSubject subject = new(
            Network.Model,
            RunDescription.Version,
            InferenceGraph.Of(store, Options.Neuron),
            [.. NetworkState.Save(store).Select(t => t.Renamed(t.Name[CheckpointFile.Net.Length..]))],
            Options.Steps,
            run?.ClassNames ?? [],
            run?.Normalisation,
            details);
        return NetworkExport.Write(subject, path, format, options ?? new ExportOptions());
    }

    /// <summary>Reads parameters and statistics, from a file of <see cref="Save"/>, a run's checkpoint, or a PyTorch state dict.</summary>
    /// <param name="path">The file.</param>
    /// <returns>A line for whatever was left out or renamed, and for each constant in which the network differs from the file's. Often
    /// none.</returns>
    /// <exception cref="SlttException">It can't be read, or is of another network; the trainer's parameters then stay.</exception>
    public IReadOnlyList<string> Load(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using IDisposable use = Enter();
        List<string> notes = [];
        CheckpointFile read = CheckpointFile.Read(path);
        Predictor ready = Ready(1, isStatic: true);
        try
        {
            NetworkState.Load(ready.Store, read, note: notes.Add);
        }
        catch
        {
            Release(); // it may be half loaded
            throw;
        }

        parameters = new CheckpointFile(NetworkState.Save(ready.Store), RunDescription.Metadata(read));
        RunDescription.Read(read)?.OfNetwork(Options, Network).CompareWith(read, evaluation: true, notes.Add);
        return notes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!disposed && !device.IsDisposed)
        {
            device.MakeCurrent();
            Release();
        }

        disposed = true;
    }

    /// <summary>Where the learning rate begins if the options name none: as is usual for the optimiser.</summary>
    private double DefaultRate => Options.Optimizer is AdamW ? 0.001 : 0.1;

    /// <summary>The network, if samples fit it.</summary>
    private Network Fitting(FrameShape shape, int classes)
    {
        Edge input = Network.Input;
        return (shape.Channels, shape.Height, shape.Width, classes) == (input.Channels, input.Height, input.Width, Network.Classes)
            ? Network
            : throw new SlttException(
                ErrorKind.Data,
                $"samples have {shape.Channels}×{shape.Height}×{shape.Width} elements a frame and {classes} classes, but {Network.Model} "
                    + $"takes {input.Channels}×{input.Height}×{input.Width} and has {Network.Classes}",
                "build the network for the data: NetworkBuilder(channels, height, width) … Linear(classes)");
    }

    private IDisposable Enter()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return device.Use();
    }

    private bool IsStatic(ReadOnlySpan<float> sample)
    {
        int length = sample.Length;
        foreach (float x in sample)
        {
            if (!float.IsFinite(x))
            {
                throw new SlttException(
                    ErrorKind.Data, FormattableString.Invariant($"a sample holds {x}"), "samples are finite numbers: look at what made it");
            }
        }

        long frame = Network.Input.Elements;
        return length == frame || (length == frame * Options.Steps
            ? false
            : throw new SlttException(
                ErrorKind.Data,
                $"a sample of {length} elements: {Network.Model} takes {frame}, or {frame * Options.Steps} for a frame a step",
                "give (channels, height, width), or (T, channels, height, width)"));
    }

    /// <summary>The parameters as a checkpoint.</summary>
    private CheckpointFile Held(bool isStatic) => parameters ??= new CheckpointFile(
        NetworkState.Save(Ready(1, isStatic).Store), new Dictionary<string, string>());

    private Predictor Ready(int batch, bool isStatic)
    {
        if (predictor is not null && (predictor.Batch, predictor.IsStatic) == (batch, isStatic))
        {
            return predictor;
        }

        Release();
        predictor = new Predictor(device, Network, Options, batch, isStatic);
        if (parameters is not null)
        {
            NetworkState.Load(predictor.Store, parameters, allowNonFinite: true);
        }

        return predictor;
    }

    private void Release()
    {
        predictor?.Dispose();
        predictor = null;
    }

    private sealed class NoObserver : ITrainingObserver;
}
