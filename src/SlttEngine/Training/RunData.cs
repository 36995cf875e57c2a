using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>From -dataset and -data_dir to samples.</summary>
public static class RunData
{
    /// <summary>Opens the training and the test set.</summary>
    /// <param name="options">The run's options.</param>
    /// <returns>Both sets, and whether training leaves out a smaller last batch.</returns>
    /// <exception cref="SlttException">The folder doesn't hold the data set.</exception>
    public static (IDataSet Train, IDataSet Test, bool DropLast) Open(TrainOptions options)
    {
        switch (options.Dataset)
        {
            case "cifar10" or "cifar100":
                int classes = options.Dataset == "cifar10" ? 10 : 100;
                return (Cifar.Load(options.DataDir, classes, train: true), Cifar.Load(options.DataDir, classes, train: false), false);
            case "DVSCIFAR10":
                EventSetOptions small = Events(options, EventTransform.Official48);
                return (Cifar10Dvs.Open(options.DataDir, train: true, small), Cifar10Dvs.Open(options.DataDir, train: false, small), false);
            case "dvsgesture":
                EventSetOptions full = Events(options, EventTransform.None);
                return (DvsGesture.Open(options.DataDir, train: true, full), DvsGesture.Open(options.DataDir, train: false, full), true);
            default:
                throw new SlttException(ErrorKind.Usage, $"-dataset {options.Dataset} can't be trained on yet");
        }
    }

    private static EventSetOptions Events(TrainOptions options, EventTransform transform) =>
        new() { Steps = options.T, Transform = transform, Workers = Math.Max(1, options.Workers) };

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
}
