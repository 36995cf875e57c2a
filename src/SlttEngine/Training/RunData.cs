using SlttEngine.Data;

namespace SlttEngine.Training;

/// <summary>From -dataset and -data_dir to samples.</summary>
public static class RunData
{
    /// <summary>Opens the training and the test set.</summary>
    /// <param name="options">The run's options.</param>
    /// <returns>Both sets, and whether training leaves out a smaller last batch.</returns>
    /// <exception cref="SlttException">The folder doesn't hold the data set.</exception>
    public static (IDataSet Train, IDataSet Test, bool DropLast) Open(TrainOptions options) => options.Dataset switch
    {
        "cifar10" => (Cifar.Load(options.DataDir, 10, train: true), Cifar.Load(options.DataDir, 10, train: false), false),
        "cifar100" => (Cifar.Load(options.DataDir, 100, train: true), Cifar.Load(options.DataDir, 100, train: false), false),
        _ => throw new SlttException(ErrorKind.Usage, $"-dataset {options.Dataset} can't be trained on yet"),
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
}
