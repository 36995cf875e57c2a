using SlttEngine.Graph;

namespace SlttEngine.Models;

/// <summary>A model by name.</summary>
/// <param name="Name">The official program's name.</param>
/// <param name="Summary">One line.</param>
/// <param name="DataSet">The data set that the official commands train it on.</param>
/// <param name="Build">Builds it.</param>
public sealed record ModelEntry(string Name, string Summary, string DataSet, Func<ModelOptions, Network> Build);

/// <summary>The models that the engine knows.</summary>
public static class ModelCatalog
{
    /// <summary>All models, in the order that they are listed.</summary>
    public static IReadOnlyList<ModelEntry> All { get; } =
    [
        Entry("spiking_resnet18", "pre-activation ResNet-18 with batch norm, for CIFAR", "cifar10", ResNet(2, 2, 2, 2)),
        Entry("spiking_resnet34", "pre-activation ResNet-34 with batch norm, for CIFAR", "cifar10", ResNet(3, 4, 6, 3)),
        Entry("spiking_vgg11_bn", "VGG-11 with batch norm, for event cameras", "DVSCIFAR10", (_, o) => SpikingVgg.Build(o)),
        Entry("spiking_nfresnet34", "normaliser-free ResNet-34, for ImageNet", "imagenet", NfResNet(bottleneck: false, 3, 4, 6, 3)),
        Entry("spiking_nfresnet50", "normaliser-free ResNet-50, for ImageNet", "imagenet", NfResNet(bottleneck: true, 3, 4, 6, 3)),
        Entry("spiking_nfresnet101", "normaliser-free ResNet-101, for ImageNet", "imagenet", NfResNet(bottleneck: true, 3, 4, 23, 3)),
    ];

    /// <summary>Builds a model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">What it is built for.</param>
    /// <exception cref="SlttException">No model has that name, or it can't be built so.</exception>
    public static Network Build(string name, ModelOptions options)
    {
        Network network = (All.FirstOrDefault(m => m.Name == name) ?? throw Unknown(name)).Build(options);
        network.Settings = options.Settings;
        return network;
    }

    private static ModelEntry Entry(string name, string summary, string dataSet, Func<string, ModelOptions, Network> build) =>
        new(name, summary, dataSet, options => build(name, options));

    private static Func<string, ModelOptions, Network> ResNet(params int[] blocks) =>
        (name, options) => SpikingResNet.Build(name, blocks, options);

    private static Func<string, ModelOptions, Network> NfResNet(bool bottleneck, params int[] blocks) =>
        (name, options) => SpikingNfResNet.Build(name, blocks, bottleneck, options);

    private static SlttException Unknown(string name) =>
        new(ErrorKind.Usage, $"unknown model '{name}'", "models: " + string.Join(", ", All.Select(m => m.Name)));
}
