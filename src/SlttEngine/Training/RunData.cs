using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>From -dataset and -data_dir to samples.</summary>
public static class RunData
{
    /// <summary>Opens the training and the test set.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="preparing">Told one line now and then while recordings are decoded for the first time.</param>
    /// <param name="damaged">Told one line about each damaged image that is left out; by any thread.</param>
    /// <exception cref="SlttException">The folder doesn't hold the data set.</exception>
    public static (IDataSet Train, IDataSet Test) Open(TrainOptions options, Action<string> preparing, Action<string> damaged)
    {
        (IDataSet train, IDataSet test) = (OpenPart(options, train: true, preparing, damaged), OpenPart(options, train: false, preparing, damaged));
        string? odd = train.ClassNames.Except(test.ClassNames).Concat(test.ClassNames.Except(train.ClassNames)).FirstOrDefault();
        return odd is null
            ? (train, test)
            : throw new SlttException(
                ErrorKind.Data, $"{options.DataDir}: the class {odd} is in one of the training and test parts only", "both need the same class folders");
    }

    /// <summary>Opens the training or the test set.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="train">Which.</param>
    /// <param name="preparing">As in <see cref="Open"/>.</param>
    /// <param name="damaged">As in <see cref="Open"/>.</param>
    /// <exception cref="SlttException">The folder doesn't hold the data set.</exception>
    public static IDataSet OpenPart(TrainOptions options, bool train, Action<string> preparing, Action<string> damaged) => DataSetCatalog.Open(
        options.Dataset,
        options.DataDir,
        train,
        new EventSetOptions
        {
            Steps = options.T,
            Transform = Transform(options),
            CacheFolder = Path.Combine(options.DataDir, "sltt_cache"),
            Workers = Math.Max(1, options.Workers),
            Progress = (done, all) => preparing($"decoding {(train ? "training" : "test")} recordings: {done} of {all}"),
        },
        damaged);

    /// <summary>True if the official program leaves out a smaller last batch of an epoch.</summary>
    /// <param name="options">The run's options.</param>
    public static bool DropsLast(TrainOptions options) => options.Dataset == "dvsgesture";

    /// <summary>How a data set's batches come to the device, without its files; scale and shift stand in for the data set's own.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="images">Where images that stay on the device are.</param>
    /// <param name="train">True: as in training.</param>
    public static InputFormat Format(TrainOptions options, ManagedCuda.BasicTypes.CUdeviceptr images, bool train)
    {
        FrameShape shape = Describe(options).Shape;
        float[] halves = [.. Enumerable.Repeat(0.5f, shape.Channels)];
        return options.Dataset switch
        {
            "cifar10" or "cifar100" => new InputFormat.ResidentCifar(images, halves, halves, Augment: train),
            "dvsgesture" or "DVSCIFAR10" => new InputFormat.Frames(
                EventTransformer.ElementSize(Transform(options)) == 1 ? "u8" : "u16", shape.Steps, [.. halves.Select(_ => EventTransformer.Scale(Transform(options)))], new float[shape.Channels]),
            _ => new InputFormat.Frames("u8", shape.Steps, [.. halves.Select(_ => 1f / 64)], [.. halves.Select(_ => -2f)]),
        };
    }

    /// <summary>How a data set's batches come to the device.</summary>
    /// <param name="set">The data set.</param>
    /// <param name="images">Where images that stay on the device are.</param>
    /// <param name="train">True: as in training.</param>
    public static InputFormat Format(IDataSet set, ManagedCuda.BasicTypes.CUdeviceptr images, bool train) => set switch
    {
        IImageSet i => new InputFormat.ResidentCifar(images, [.. i.Mean], [.. i.Std], Augment: train),
        IFrameSet f => new InputFormat.Frames(f.ElementSize == 1 ? "u8" : "u16", f.Shape.Steps, [.. f.Scale], [.. f.Shift]),
        _ => throw new ArgumentException("a data set holds images or frames", nameof(set)),
    };

    /// <summary>Steps, channels, height, width of a data set's samples.</summary>
    /// <param name="set">The data set.</param>
    public static FrameShape Shape(IDataSet set) => set is IFrameSet frames ? frames.Shape : ((IImageSet)set).Shape;

    /// <summary>How batches are made of a data set.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="set">The data set.</param>
    /// <param name="train">True: in a new order each epoch; there must be a whole batch.</param>
    /// <param name="dropLast">Leave out a smaller last batch.</param>
    /// <exception cref="SlttException">The training set is smaller than a batch.</exception>
    public static BatchLoaderOptions Loading(TrainOptions options, IDataSet set, bool train, bool dropLast) => new()
    {
        BatchSize = !train || options.BatchSize <= set.Count
            ? Math.Min(options.BatchSize, set.Count)
            : throw new SlttException(ErrorKind.Usage, $"-b {options.BatchSize} is more than the {set.Count} training samples", "take a smaller batch"),
        Shuffle = train,
        Seed = options.Seed,
        DropLast = dropLast,
        ReplaceDamaged = train,
        Workers = Math.Max(1, options.Workers),
    };

    /// <summary>Sample shape and classes of a data set, without its files.</summary>
    /// <param name="options">The run's options.</param>
    public static (FrameShape Shape, int Classes) Describe(TrainOptions options) => options.Dataset switch
    {
        "cifar10" => (new FrameShape(1, 3, 32, 32), 10),
        "cifar100" => (new FrameShape(1, 3, 32, 32), 100),
        "DVSCIFAR10" => (new FrameShape(options.T, 2, 48, 48), 10),
        "dvsgesture" => (new FrameShape(options.T, 2, 128, 128), 11),
        _ => (new FrameShape(1, 3, 224, 224), 1000),
    };

    /// <summary>True if the host can hold what it has to in one array: a batch's samples, and the counts of a whole recording while it is decoded.</summary>
    /// <param name="options">The run's options.</param>
    internal static bool FitsArrays(TrainOptions options)
    {
        FrameShape shape = Describe(options).Shape;
        bool events = options.Dataset is "DVSCIFAR10" or "dvsgesture";
        double sample = (double)shape.Steps * shape.FrameLength * (events ? EventTransformer.ElementSize(Transform(options)) : 1);
        double recording = events ? 2.0 * EventFrames.Sensor * EventFrames.Sensor * options.T : 0;
        return Math.Max(sample * options.BatchSize, recording) <= Array.MaxLength;
    }

    private static EventTransform Transform(TrainOptions options) =>
        options.Dataset != "DVSCIFAR10" ? EventTransform.None : options.PlainResize ? EventTransform.Plain48 : EventTransform.Official48;
}
